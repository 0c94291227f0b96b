"""How long was the log when it was last written? The head beside the file, so that a cut tail is noticed.

It appears whole, before the ledger itself does, and from then on is overwritten in place: the same length each time
and less than a disk sector, so a crash leaves the old head or the new one. A replace each time would need an fsync,
or a power cut could leave an empty file; that costs more than the entry itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.merkle import EMPTY_ROOT, HASH_SIZE

_LENGTH, _BEYOND = 126, 4096
_PAUSE = 0.0005
"""Seconds between two looks whether it is our turn: about what one entry takes."""


def sidecar_path(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + ".head")


def read_sidecar(ledger: Path) -> Head | None:
    """The last published head, or None when there is none.

    Raises:
        LedgerCorruptError: the file is not a head.
        OSError: it cannot be read.
    """
    return head_of(sidecar_path(ledger))


def head_of(file: Path) -> Head | None:
    """The head that a file holds. Raises: as `read_sidecar`."""
    try:
        descriptor = _open(file, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return _known(file, descriptor)
    finally:
        os.close(descriptor)


def publish(ledger: Path, head: Head) -> None:
    """Put `head` on record unless a later one is. Only whoever holds the ledger's write lock may call this.

    Raises:
        LedgerCorruptError: the file is not a head.
        OSError: it cannot be written.
    """
    put_in(sidecar_path(ledger), head)


def put_in(file: Path, head: Head) -> None:
    """Put `head` into a file unless a later one is there. Raises: as `publish`."""
    descriptor = _open(file, os.O_RDWR)
    try:
        if _known(file, descriptor).size < head.size:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, _text(head))
    finally:
        os.close(descriptor)


@contextmanager
def turn(ledger: Path, *, within: float) -> Iterator[None]:
    """Be the one process that writes to this ledger. SQLite alone lets who comes back at once go before who waits.

    Raises:
        OSError: there is no head file, or others do not let go of it.
    """
    descriptor = _open(sidecar_path(ledger), os.O_RDONLY)
    try:
        end = time.monotonic() + within
        while not _taken(descriptor):
            if time.monotonic() > end:
                raise TimeoutError(f"other processes have been writing to it for {within:g} s")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)  # which lets go of it


def _taken(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _BEYOND, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def begin(ledger: Path, new: Path) -> None:
    """Put the head of an empty log in place, by way of the file `new`, unless there is a head already.

    Raises:
        OSError: it cannot be written.
    """
    begin_in(sidecar_path(ledger), new)


def begin_in(file: Path, new: Path) -> None:
    """Have a file hold the head of an empty log, unless it is there. Raises: OSError."""
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, _text(Head(0, EMPTY_ROOT.hex())))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    with suppress(FileExistsError):  # another process was first, and may have recorded something since
        os.link(new, file)


def _open(file: Path, flags: int) -> int:
    return os.open(file, flags | getattr(os, "O_BINARY", 0))


def _known(file: Path, descriptor: int) -> Head:
    try:
        return _parse(_settled(descriptor))
    except ValueError as error:
        raise LedgerCorruptError(
            f"The head file {file} cannot be understood: {error}.",
            hint="It was written by something else. Put it back from a backup, then run `ledger verify`.",
        ) from error


def _settled(descriptor: int) -> bytes:
    """The content, read until two reads agree: a verifier does not hold the lock that writers hold."""
    first, second = _content(descriptor), _content(descriptor)
    while first != second:
        first, second = second, _content(descriptor)
    return second


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 2 * _LENGTH)


def _text(head: Head) -> bytes:
    return json.dumps({"size": head.size, "root": head.root}).ljust(_LENGTH).encode() + b"\n"


@lru_cache(maxsize=8)
def _parse(text: bytes) -> Head:
    match json.loads(text):
        case {"size": int(size), "root": str(root)} if size >= 0 and len(bytes.fromhex(root)) == HASH_SIZE:
            return Head(size, root)
        case _:
            raise ValueError("it is not an object with a size and a root")
