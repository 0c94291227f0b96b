"""How are sockets, new processes and the kernel's side doors closed? By a filter on system calls.

A classic BPF program as in the kernel's manual "Seccomp BPF": it looks at the number of each call, and of `socket`
and `clone` at what they are asked for. What it does not let through fails with EPERM (`clone3`: ENOSYS, so that the
C library goes on with `clone`, whose flags can be looked at).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from dataclasses import dataclass

_SET_SECCOMP, _FILTER, _NO_NEW_PRIVILEGES = 22, 2, 38
_LOAD, _EQUAL, _AT_LEAST, _SET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
_INET, _INET6, _STREAM, _KIND = 2, 10, 1, 0xF
_THREAD = 0x10000
_OTHER_ABI = 0x40000000


@dataclass(frozen=True, slots=True)
class _Machine:
    """The numbers of one kind of processor."""

    architecture: int
    socket: int
    clone: int
    clone3: int
    closed: tuple[int, ...]


# socketpair stays: it reaches nobody. Closed besides: fork, vfork, ptrace, process_vm_readv and _writev, mount,
# umount2, unshare, setns, the keyrings, bpf, perf_event_open, userfaultfd, io_uring_setup (sockets by another door),
# open_by_handle_at, pidfd_getfd, kexec_load, init_module and finit_module.
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        41,
        56,
        435,
        (57, 58, 101, 310, 311, 165, 166, 272, 308, 248, 249, 250, 321, 298, 323, 425, 304, 438, 246, 175, 313),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        198,
        220,
        435,
        (117, 270, 271, 40, 39, 97, 268, 217, 218, 219, 280, 241, 282, 425, 265, 438, 104, 105, 273),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def known() -> bool:
    """Whether there is a filter for this machine."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def restrict(*, tcp: bool) -> None:
    """Close them to this process for good. With `tcp` a TCP socket may be made; where to, Landlock says.

    Raises:
        OSError: the kernel refuses.
    """
    code = b"".join(_code(_MACHINES[platform.machine()], tcp=tcp))
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _code(machine: _Machine, *, tcp: bool) -> list[bytes]:
    """The program. Jumps count the steps that are left out when the test holds, and when it does not."""
    refuse = _step(_RETURN, _REFUSE | errno.EPERM)
    allow = _step(_RETURN, _ALLOW)
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, machine.architecture, 1, 0),
        refuse,
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _OTHER_ABI, 0, 1),
        refuse,
        _step(_EQUAL, machine.clone3, 0, 1),
        _step(_RETURN, _REFUSE | errno.ENOSYS),
    ]
    for number in machine.closed:
        code += [_step(_EQUAL, number, 0, 1), refuse]
    threads = [_step(_LOAD, _FIRST), _step(_SET, _THREAD, 0, 1), allow, refuse]
    code += [_step(_EQUAL, machine.clone, 0, len(threads)), *threads]
    sockets = [refuse]
    if tcp:
        sockets = [
            _step(_LOAD, _FIRST),
            _step(_EQUAL, _INET, 2, 0),
            _step(_EQUAL, _INET6, 1, 0),
            refuse,
            _step(_LOAD, _SECOND),
            _step(_AND, _KIND),
            _step(_EQUAL, _STREAM, 1, 0),
            refuse,
            allow,
        ]
    return [*code, _step(_EQUAL, machine.socket, 0, len(sockets)), *sockets, allow]


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, value)
