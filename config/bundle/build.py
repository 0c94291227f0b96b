"""How does a desktop application install the server by itself? As a bundle: ``python config/bundle/build.py [FOLDER]``.

It holds a manifest, the wheel of this tree, and what uv needs to install that; whoever opens it has Python and the rest
brought by the application. The same tree gives the same file, and the same file installs the same versions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
_BEGINNING_OF_ZIP = "315532800"
"""Seconds: the first moment that a zip file can tell, as the time of every file of the wheel."""


def build(folder: Path) -> Path:
    """Write the bundle into `folder`, with the version of this tree in its name."""
    manifest = json.loads((HERE / "manifest.json").read_text())
    bundle = folder / f"{manifest['name']}-{manifest['version']}.mcpb"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as made, ZipFile(bundle, "w") as packed:
        wheel = _wheel(Path(made))
        project = (HERE / "pyproject.toml").read_text().replace("WHEEL", wheel.name).replace('["PINS"]', _pins())
        files = {name: (HERE / name).read_bytes() for name in ("manifest.json", "server.py")}
        for name, data in {**files, "pyproject.toml": project.encode(), wheel.name: wheel.read_bytes()}.items():
            packed.writestr(ZipInfo(name), data, ZIP_DEFLATED)
    return bundle


def _pins() -> str:
    lines = (HERE / "pins.txt").read_text().splitlines()
    return json.dumps([line for line in lines if not line.startswith("#")], indent=2)


def _wheel(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(PROJECT)]
    subprocess.run(pip, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": _BEGINNING_OF_ZIP})
    [wheel] = folder.glob("*.whl")
    return wheel


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else PROJECT / "dist")))
