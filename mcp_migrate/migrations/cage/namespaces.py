"""How does a process that runs already move into the namespaces that bubblewrap made, for good?

As `namespaces(7)` and `setns(2)` say it: whoever made a user namespace has all capabilities in it, so they can be
joined without a privilege. Afterwards none is left.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Sequence

_KINDS = ("user", "mnt", "pid", "ipc", "uts", "cgroup", "net")
_NEEDED = 3
_OWNER = 0xB701
"""The `ioctl` that gives the user namespace which another one belongs to."""
_CLEAR_AMBIENT, _DROP_BOUND, _AMBIENT = 4, 24, 47
_CAPABILITIES_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def namespaces_of(pid: int) -> list[int]:
    """Descriptors of the namespaces of a process that are not ours: of the user, of files, of processes, and others.

    Raises:
        OSError: it is gone, may not be looked at, or shares one of the first three with us.
    """
    opened = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in _KINDS]
    found = []
    for kind, each in zip(_KINDS, opened, strict=True):
        if os.fstat(each).st_ino == os.stat(f"/proc/self/ns/{kind}").st_ino:  # noqa: PTH116  a link into the kernel
            os.close(each)
            if kind in _KINDS[:_NEEDED]:
                raise OSError(f"process {pid} has no {kind} namespace of its own")
        else:
            found.append(each)
    return found


def join(namespaces: Sequence[int]) -> None:
    """Move this process into them; its next child is the first that is in the one of processes.

    Raises:
        OSError: the kernel refuses.
    """
    user, files, *others = namespaces
    owner = fcntl.ioctl(files, _OWNER)  # bubblewrap may nest a second user namespace, for names alone
    _joined(owner)
    for each in (files, *others):
        _joined(each)
    if os.fstat(owner).st_ino != os.fstat(user).st_ino:
        _joined(user)
    os.close(owner)


def drop_capabilities() -> None:
    """Leave every capability behind. Raises: OSError: the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_AMBIENT, _CLEAR_AMBIENT, 0, 0, 0)
    capability = 0
    while libc.prctl(_DROP_BOUND, capability, 0, 0, 0) == 0:
        capability += 1
    header, none = _Header(_CAPABILITIES_3, 0), (_Sets * 2)()
    _checked(libc.capset(ctypes.byref(header), none))


def _joined(namespace: int) -> None:
    _checked(ctypes.CDLL(None, use_errno=True).setns(namespace, 0))


def _checked(answer: int) -> None:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
