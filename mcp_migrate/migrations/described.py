"""What is known of a project's revisions, and does it still hold?"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_migrate.migrations.child.witness import Stamp, stamp
from mcp_migrate.migrations.info import ProjectInfo, Revision
from mcp_migrate.migrations.inputs import Inputs

SECONDS = 5.0
"""How old a look at a thousand installed files may be for a call that plans nothing."""
_Stamps = tuple[tuple[str, Stamp | None], ...]


class Shared:
    """One look for all who ask while another is under way; nobody is answered by one that began before they asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun, self._found = 0, False

    def look(self, look: Callable[[], bool]) -> bool:
        """What `look` finds, or found for somebody else since this was asked."""
        before = self._begun
        with self._lock:
            if self._begun == before:
                self._begun += 1
                self._found = False
                self._found = look()
            return self._found


@dataclass(frozen=True, slots=True)
class Described:
    """A description, with the revision files it is of and everything else that the project's Python looked at.

    `content` differs when one of them does, whatever its time says: a replay depends on it.
    """

    stamps: _Stamps
    watched: tuple[Path, ...]
    edited: Inputs
    installed: Inputs
    info: ProjectInfo
    content: str
    _edited: Shared = field(default_factory=Shared, init=False, repr=False, compare=False)

    def holds(self) -> bool:
        """Whether no file that people edit changed, nor what is installed."""
        return self.holds_as_edited() and (not self.installed.entries or self.installed.unchanged())

    def holds_as_edited(self) -> bool:
        """Whether no file that people edit changed.

        Where it is not known what was looked at, revision files and `env.py` count.
        """
        return self._edited.look(self._same)

    def _same(self) -> bool:
        folders = () if self.edited.entries else self.info.folders  # what was looked at has all files and the list
        known = self.stamps[: len(self.watched)] if self.edited.entries else self.stamps
        return known == _stamps(self.watched, folders) and (not self.edited.entries or self.edited.unchanged())


class Descriptions:
    """What is known of one project, by dialect."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, Described] = {}
        self._looked: dict[str, float] = {}

    def find(self, dialect_name: str, *, closely: bool) -> Described | None:
        """What still holds. Unless it is looked at `closely`, what is installed is looked at every few seconds."""
        known, now = self._known.get(dialect_name), self._clock()
        if known is None:
            return None
        if not closely and now - self._looked[dialect_name] < SECONDS:
            return known if known.holds_as_edited() else None
        self._looked[dialect_name] = now
        return known if known.holds() else None

    def keep(self, dialect_name: str, described: Described) -> Described:
        """Remember what was found out just now."""
        self._looked[dialect_name] = self._clock()
        self._known[dialect_name] = described
        return described


def described(ini: Path, answer: Mapping[str, Any], inputs: Inputs) -> Described:
    """From what a child answers."""
    folders = tuple(map(Path, answer["folders"]))
    revisions = tuple(_revision(each) for each in answer["revisions"])
    info = ProjectInfo(tuple(answer["heads"]), revisions, answer["version_table"], folders)
    watched = (ini, ini.parent / "pyproject.toml", Path(answer["env"]))
    stamps = _stamps(watched, folders)
    content = _content([Path(path) for path, _ in stamps], inputs)
    return Described(stamps, watched, *inputs.apart((Path(answer["env"]).parent, *folders)), info, content)


def _content(paths: Iterable[Path], inputs: Inputs) -> str:
    found = hashlib.sha256()
    for path in paths:
        text = path.read_bytes() if path.is_file() else b""
        found.update(f"{path} {len(text)}\n".encode() + text)
    for entry in inputs.entries:
        found.update(repr((entry.path, entry.digest or entry.stamp)).encode())
    return found.hexdigest()


def _revision(answer: Mapping[str, Any]) -> Revision:
    return Revision(answer["id"], tuple(answer["down"]), answer["message"], Path(answer["path"]))


def _stamps(watched: Sequence[Path], folders: Sequence[Path]) -> _Stamps:
    """What changes when one of these files, or the list of revision files, does."""
    return tuple((path, stamp(path)) for path in [*map(str, watched), *_sources(folders)])


def _sources(folders: Iterable[Path]) -> Iterator[str]:
    """The Python files below, always in the same order."""
    for folder in folders:
        for where, names, files in os.walk(folder):
            names.sort()
            yield from (os.path.join(where, name) for name in sorted(files) if name.endswith(".py"))  # noqa: PTH118
