"""What does a file hold that nobody else can read?"""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError

_LONGEST = 16_384
_ACL, _VERSION = "system.posix_acl_access", 4
"""The list of who may what, as Linux keeps it (acl(5)): a number of four bytes, then an entry for each."""
_ENTRY = struct.Struct("<HHI")
_OWNER, _NAMED, _MASK = 0x01, 0x02, 0x10


def read_private_line(file: Path, what: str) -> str:
    """What a file of ours alone holds.

    Raises:
        ConfigInvalidError: it cannot be read, or others can read it too.
    """
    hint = "Name a file of yours alone: `chmod 600 FILE`."
    try:
        with file.open("rb") as opened:
            mode = open_to_others(opened.fileno())
            text = opened.read(_LONGEST).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalidError(f"The {what} in {file} cannot be read.", hint=hint) from error
    if mode is not None:
        raise ConfigInvalidError(f"The {what} in {file} is open to others (mode {mode:04o}).", hint=hint)
    return text


def open_to_others(file: int) -> int | None:
    """The mode of an opened file that another account may read or write, root's aside; None where none may.

    Credentials that systemd hands to a service are root's, and an entry of their list lets the service's account read
    them. Where there is such a list, the bits of the mode for the group are its mask, and no group has to have them.
    """
    if os.name != "posix":
        return None
    mode = stat.S_IMODE(os.fstat(file).st_mode)
    return mode if mode & 0o007 or (mode & 0o070 and not _ours_by_name(file)) else None


def _ours_by_name(file: int) -> bool:
    """Whether the list of a file names this account alone."""
    try:
        raw = os.getxattr(file, _ACL)[_VERSION:]
    except (OSError, AttributeError):  # there is none, or no such thing here
        return False
    may = [(tag, who) for tag, what, who in _ENTRY.iter_unpack(raw) if what and tag not in {_OWNER, _MASK}]
    return bool(may) and all(entry == (_NAMED, os.geteuid()) for entry in may)
