"""How are files and TCP closed with Landlock? Three system calls, which need no privilege.

From the kernel's manual, "Landlock: unprivileged access control"; each version of its interface knows more accesses.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from contextlib import suppress

from mcp_migrate.migrations.cage.room import Room

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_BENEATH, _PORT = 1, 2
_NO_NEW_PRIVILEGES = 38
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_ACCESSES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All accesses to files that a version of the interface knows."""
_OF_FILES = _EXECUTE | 1 << 1 | _READ_FILE | 1 << 14 | 1 << 15
_CONNECT, _TCP = 1 << 1, 0b11
_SCOPED = 0b11
"""Abstract unix sockets, and signals to processes outside."""
_SINCE_TCP, _SINCE_SCOPES = 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Port(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version() -> int:
    """The version of the kernel's interface; 0 where it has none or has it switched off."""
    if sys.platform != "linux":
        return 0
    return max(int(_libc().syscall(_CREATE, None, 0, _VERSION)), 0)


def restrict(room: Room) -> None:
    """Close everything but `room` to this process and all it starts, for good.

    Raises:
        OSError: the kernel refuses.
    """
    known, libc = version(), _libc()
    files = _ACCESSES[max(number for number in _ACCESSES if number <= known)]
    rules = _Ruleset(files, _TCP if known >= _SINCE_TCP else 0, _SCOPED if known >= _SINCE_SCOPES else 0)
    size = 8 if known < _SINCE_TCP else 16 if known < _SINCE_SCOPES else 24
    ruleset = _checked(libc.syscall(_CREATE, ctypes.byref(rules), size, 0))
    for path in (*room.read, f"/proc/{os.getpid()}"):
        _allow(libc, ruleset, path, _EXECUTE | _READ_FILE | _READ_DIR)
    for path in room.listed:
        _allow(libc, ruleset, path, _READ_DIR)
    for path in (*room.write, "/dev/null"):
        _allow(libc, ruleset, path, files & ~_EXECUTE)
    if room.port is not None and known >= _SINCE_TCP:
        port = _Port(_CONNECT, room.port)
        _checked(libc.syscall(_ADD, ruleset, _PORT, ctypes.byref(port), 0))
    _checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(libc.syscall(_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, accesses: int) -> None:
    with suppress(FileNotFoundError):  # what is not there needs no leave
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(place).st_mode):
                accesses &= _OF_FILES
            beneath = _Beneath(accesses, place)
            _checked(libc.syscall(_ADD, ruleset, _BENEATH, ctypes.byref(beneath), 0))
        finally:
            os.close(place)


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
