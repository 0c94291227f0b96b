"""What does a file hold that nobody else can read?"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError

_LONGEST = 16_384


def read_private_line(file: Path, what: str) -> str:
    """What a file of ours alone holds.

    Raises:
        ConfigInvalidError: it cannot be read, or others can read it too.
    """
    hint = "Name a file of yours alone: `chmod 600 FILE`."
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read(_LONGEST).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalidError(f"The {what} in {file} cannot be read.", hint=hint) from error
    if os.name == "posix" and mode & 0o077:
        raise ConfigInvalidError(f"The {what} in {file} is open to others (mode {mode:04o}).", hint=hint)
    return text
