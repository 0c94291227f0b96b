"""Our command as tests start it, and what of the person's own machine they read: nothing.

A key that somebody pinned for this machine has staging targets change only by a signed configuration, and one in
``~/.ssh`` makes its owner a reviewer. The environment has no say in where keys are pinned, so that nobody can talk a
server out of it: each process that tests start is told by itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mcp_migrate.__main__ import main
from mcp_migrate.settings import pinned

COMMAND = (sys.executable, "-P", __file__)
"""What stands for ``mcp-migrate`` in tests."""


def live_in(home: Path) -> None:
    """From here on this process, and what it starts, has this home, and nothing is pinned but what is put there."""
    os.environ["HOME"] = str(home)
    pinned.MACHINE = home / "trusted_keys_of_the_machine"
    pinned._home = lambda: home


if __name__ == "__main__":
    live_in(Path.home())
    main()
