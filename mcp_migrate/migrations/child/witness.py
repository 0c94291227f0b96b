"""Which files did the project's Python look at, and what were they like when it did?

Python tells an audit hook of each file it opens and each folder it lists, also of those that are not there. What a
child says here decides only whether the server remembers what the same child recorded: a lie gains nothing.
"""

from __future__ import annotations

import os
import sys
import time
from importlib.util import source_from_cache
from typing import Any

MOST = 50_000
"""Files and folders; a project that looks at more is not remembered."""
RACY = 50_000_000
"""Nanoseconds in which a file can change twice and look the same (the clock of a file system is coarse)."""

Stamp = tuple[int, int, int, int]
UNSURE: Stamp = (-1, -1, -1, -1)
"""In place of the stamp of what is too new to be told from what comes after: no file has it.

A cage shows fresh folders of its own in place of others; the server, which sees the others, knows better.
"""
_now = time.time_ns  # before the clock is set
_OPENS = frozenset({"open", "os.listdir", "os.scandir"})
_NOBODYS = ("/proc/", "/dev/", "/sys/")


def stamp(path: str) -> Stamp | None:
    """Size, times and number of a file; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  thousands of files
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


class Witness:
    """Notes each file and folder that is looked at outside of its child's home, unless it `rests`."""

    def __init__(self) -> None:
        self.rests = False
        self._left_out: tuple[str, ...] = _NOBODYS
        self._seen: dict[str, Stamp | None] = {}

    def watch(self) -> None:
        """Begin; what was imported before is noted as it is."""
        for module in list(sys.modules.values()):
            if path := getattr(module, "__file__", None):
                self._note(path)
        sys.addaudithook(self._hook)

    def at_home(self, home: str) -> None:
        """Leave out what is in the folder `home` from now on."""
        self._left_out = (home + os.sep, *_NOBODYS)

    def holds(self) -> bool:
        """Whether all that was seen is as it was."""
        return all(stamp(path) == then for path, then in self._seen.items())

    def answer(self) -> list[tuple[str, Stamp | None]] | None:
        """What was seen, as JSON; None when it is too much."""
        return None if len(self._seen) > MOST else list(self._seen.items())

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.rests:
            return
        if event in _OPENS:
            self._note(arguments[0])
        elif event == "import" and arguments[1]:
            self._note(arguments[1])

    def _note(self, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike) or len(self._seen) > MOST:
            return
        found = _absolute(path)
        if found in self._seen or found.startswith(self._left_out):
            return
        self._keep(found)
        if found.endswith(".pyc"):
            self._source(found)

    def _source(self, compiled: str) -> None:
        """The source of a compiled module is asked for its time, and not opened."""
        try:
            self._keep(source_from_cache(compiled))
        except ValueError:
            return

    def _keep(self, path: str) -> None:
        seen = stamp(path)
        self._seen[path] = UNSURE if seen is not None and abs(_now() - seen[2]) < RACY else seen


def _absolute(path: str | bytes | os.PathLike[str]) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100  as above
