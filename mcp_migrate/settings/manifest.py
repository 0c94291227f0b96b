"""Which files say who may do what, and what do they hold now?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings.model import Settings

Files = dict[str, str]
"""The digest of each file, by its path from the configuration's folder."""


def manifest(settings: Settings, config: Path) -> Files:
    """Those of a configuration: itself, and the tools of the folders that it names.

    Raises:
        ConfigInvalidError: one of them cannot be read.
    """
    tools = (file for folder in settings.tool_folders for file in tool_files(folder))
    return {os.path.relpath(file, config.parent): _digest(file) for file in (config, *tools)}


def tool_files(folder: Path) -> list[Path]:
    """What the tools of a folder are made of: their specs, and every file of a folder with Python in it.

    Raises:
        ConfigInvalidError: a link leads to one of them.
    """
    files = sorted(_walked(folder))
    if any(file.suffix == ".py" for file in files):
        return files
    return sorted(folder.glob("*.yaml"))


def _walked(folder: Path) -> Iterator[Path]:
    """All but hidden files, tests and what Python compiled: none of that is ever run by a server."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in (*folders, *names):
            path = Path(where, name)
            if path.is_symlink() and not name.startswith("."):
                raise ConfigInvalidError(
                    f"{path} is a link, and what a tool is made of has to lie in its own folder.",
                    hint="Put a copy of the file there.",
                )
        yield from (Path(where, name) for name in names if not name.startswith((".", "test_")))


def digest_of(data: bytes) -> str:
    """What stands for the content of a file."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _digest(file: Path) -> str:
    try:
        return digest_of(file.read_bytes())
    except OSError as error:
        raise ConfigInvalidError(f"{file} cannot be read.", hint="Correct its rights.") from error
