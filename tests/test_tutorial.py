"""Can a reader follow the tutorial word for word?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"


@pytest.mark.proves("tutorial")
def test_each_block_of_the_tutorial_runs_and_ends_as_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    there = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MCP_", "GIT_", "PYTEST"))}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path), "PATH": there},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert '"status": "approval_required"' in done.stdout
    assert "40 customers have their fax number again" in done.stdout
    assert re.search(r"approval\.decided +req_\w+ +approve +\w+", done.stdout), "who decided what is seen at a glance"
    assert "The ledger is whole" in done.stdout
