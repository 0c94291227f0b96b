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
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

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
        return _parsed(file, _settled(descriptor))
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class HeadFile:
    """A head file while it is open for writing, again and again; what it said the last time is not parsed anew."""

    file: Path
    _descriptor: int = -1
    _head: Head | None = None
    _last: tuple[bytes, Head] | None = None

    def opened(self) -> Self:
        """Open it until the end of a `with`. Raises: OSError."""
        self._descriptor, self._head = _open(self.file, os.O_RDWR), None
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)  # which ends the turn as well

    def known(self) -> Head:
        """The last published head, read once as long as it is open. Raises: LedgerCorruptError, OSError."""
        if self._head is None:
            text = _settled(self._descriptor)
            if self._last is None or text != self._last[0]:
                self._last = (text, _parsed(self.file, text))
            self._head = self._last[1]
        return self._head

    def publish(self, head: Head) -> None:
        """Put `head` on record unless a later one is.

        Raises:
            LedgerCorruptError: the file is not a head.
            OSError: it cannot be written.
        """
        if self.known().size < head.size:
            text = _text(head)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, text)
            self._head, self._last = head, (text, head)

    def take(self, *, within: float) -> None:
        """Be the one process that writes to this ledger, until the file is closed. Raises: TimeoutError.

        SQLite alone lets who comes back at once go before who waits.
        """
        end = time.monotonic() + within
        while not _taken(self._descriptor):
            if time.monotonic() > end:
                raise TimeoutError(f"other processes have been writing to it for {within:g} s")
            time.sleep(_PAUSE)


def put_in(file: Path, head: Head) -> None:
    """Put `head` into a file unless a later one is there. Raises: as `HeadFile.publish`."""
    with HeadFile(file).opened() as there:
        there.publish(head)


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


def _parsed(file: Path, text: bytes) -> Head:
    try:
        return _parse(text)
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
    return f'{{"size": {head.size}, "root": "{head.root}"}}'.ljust(_LENGTH).encode() + b"\n"


@lru_cache(maxsize=8)
def _parse(text: bytes) -> Head:
    match json.loads(text):
        case {"size": int(size), "root": str(root)} if size >= 0 and len(bytes.fromhex(root)) == HASH_SIZE:
            return Head(size, root)
        case _:
            raise ValueError("it is not an object with a size and a root")
