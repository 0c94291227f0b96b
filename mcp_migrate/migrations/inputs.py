"""What did a child's answer depend on, and is all of it as it was?

A file is unchanged when its size, times and number are, or else its content; a folder when it has the same names.
Files outside of the project (the interpreter, installed packages) go by their stamp alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_migrate.migrations.child.witness import MOST, RACY, Stamp, stamp

BUDGET = 64 * 2**20
"""Bytes of all files that are read; what is more goes by its stamp."""
_INSTALLED = re.compile(r"[\\/]((site|dist)-packages|python3\.\d+)([\\/]|$)")
"""Packages, and the library of an interpreter."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file or folder as it was; `digest` is that of its content, and empty where only the stamp counts."""

    path: str
    stamp: Stamp | None
    digest: str = ""

    def unchanged(self) -> bool:
        """Whether it still is as it was."""
        if stamp(self.path) == self.stamp:
            return True
        return bool(self.digest) and digest(self.path) == self.digest


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that an answer depends on. Nothing at all is never unchanged: it was not to be found out."""

    entries: tuple[Input, ...] = ()

    def unchanged(self) -> bool:
        """Whether the same question has the same answer."""
        return bool(self.entries) and all(entry.unchanged() for entry in self.entries)

    def apart(self, own: Sequence[Path]) -> tuple[Inputs, Inputs]:
        """What people edit, and what they install, which is nearly all of it; `own` folders are edited anyhow."""
        mine = _within(own)
        installed = {e for e in self.entries if _INSTALLED.search(e.path) and not f"{e.path}{os.sep}".startswith(mine)}
        return Inputs(tuple(e for e in self.entries if e not in installed)), Inputs(tuple(installed))


def inputs_of(seen: object, folders: Sequence[Path], *, since: int) -> Inputs:
    """From what a child that started at `since` says that it saw; nothing, if one of these is another thing by now.

    Content is read of files in `folders`, the project's own; the child may say anything at all.
    """
    try:
        return Inputs(tuple(_entries(seen, _within(folders), since - RACY)))
    except (TypeError, ValueError, OverflowError):
        return Inputs()


def digest(path: str) -> str:
    """That of a file's content or of a folder's names; empty for what is neither, too large or not to be read."""
    try:
        if os.path.isdir(path):  # noqa: PTH112  a string
            return _digested("\0".join(sorted(os.listdir(path))).encode(errors="surrogateescape"))  # noqa: PTH208
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as file:
        kind = os.fstat(handle)
        return _digested(file.read()) if stat.S_ISREG(kind.st_mode) and kind.st_size <= BUDGET else ""


def _within(folders: Sequence[Path]) -> tuple[str, ...]:
    """How what is in these folders begins."""
    return tuple(os.path.join(folder, "") for folder in folders)  # noqa: PTH118  strings, as below


def _entries(seen: object, folders: tuple[str, ...], since: int) -> Iterator[Input]:
    if not isinstance(seen, list) or len(seen) > MOST:
        raise ValueError("not to be remembered")
    budget = BUDGET
    for name, then in seen:
        path = str(name)
        now = _same(path, None if then is None else _stamp(then), since)
        own = now is not None and f"{path}{os.sep}".startswith(folders) and "site-packages" not in path
        budget -= now[0] if own and now else 0
        yield Input(path, now, digest(path) if own and budget >= 0 else "")


def _same(path: str, then: Stamp | None, since: int) -> Stamp | None:
    """Its stamp now. A cage shows a folder of its own in place of one that it hides things of."""
    now = stamp(path)
    if now != then and not (now and now[2] < since and os.path.isdir(path)):  # noqa: PTH112  a string
        raise ValueError(f"{path} is another by now")
    return now


def _stamp(answer: Sequence[int]) -> Stamp:
    size, modified, changed, number = map(int, answer)
    return size, modified, changed, number


def _digested(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
