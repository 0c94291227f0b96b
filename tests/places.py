"""Where do the tests' own database servers keep their files?"""

from __future__ import annotations

import shutil
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  a folder with a random name is made in it
_ROOM = 4 * 2**30


def quick_folder() -> str | None:
    """A file system in memory, if it has room: databases come and go by the thousand. None for the usual place."""
    roomy = _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).free > _ROOM
    return str(_SHARED_MEMORY) if roomy else None
