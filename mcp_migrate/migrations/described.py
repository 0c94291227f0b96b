"""What is known of a project's revisions, and does it still hold?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_migrate.migrations.child.witness import Stamp, stamp
from mcp_migrate.migrations.info import ProjectInfo, Revision
from mcp_migrate.migrations.inputs import Inputs

_Stamps = tuple[tuple[str, Stamp | None], ...]


@dataclass(frozen=True, slots=True)
class Described:
    """A description, with the revision files it is of and everything else that the project's Python looked at.

    `content` differs when one of them does, whatever its time says: a replay depends on it.
    """

    stamps: _Stamps
    watched: tuple[Path, ...]
    inputs: Inputs
    info: ProjectInfo
    content: str

    def holds(self) -> bool:
        """Whether no file changed. Where it is not known what was looked at, revision files and `env.py` count."""
        folders = () if self.inputs.entries else self.info.folders  # what was looked at has all files and the list
        known = self.stamps[: len(self.watched)] if self.inputs.entries else self.stamps
        return known == _stamps(self.watched, folders) and (not self.inputs.entries or self.inputs.unchanged())


def described(ini: Path, answer: Mapping[str, Any], inputs: Inputs) -> Described:
    """From what a child answers."""
    folders = tuple(map(Path, answer["folders"]))
    revisions = tuple(_revision(each) for each in answer["revisions"])
    info = ProjectInfo(tuple(answer["heads"]), revisions, answer["version_table"], folders)
    watched = (ini, ini.parent / "pyproject.toml", Path(answer["env"]))
    stamps = _stamps(watched, folders)
    return Described(stamps, watched, inputs, info, _content([Path(path) for path, _ in stamps], inputs))


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
