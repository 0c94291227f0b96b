"""What stays reachable for a child: which paths, and which one port?

Everything is named by what it may reach, never by what it may not: a path that nobody thought of is closed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path

from mcp_migrate.migrations.cage.interpreter import SYSTEM, our_python

VARIABLE = "MCP_MIGRATE_ROOM"
"""Under this name the child finds its room; it is gone before the project looks."""


@dataclass(frozen=True, slots=True)
class Room:
    """The paths that may be read, listed and written with all below them, and the one TCP port on loopback."""

    read: tuple[str, ...]
    listed: tuple[str, ...]
    write: tuple[str, ...]
    port: int | None = None

    def to_json(self) -> str:
        return json.dumps({"read": self.read, "listed": self.listed, "write": self.write, "port": self.port})

    @classmethod
    def from_json(cls, text: str) -> Room:
        """The inverse of `to_json`."""
        value = json.loads(text)
        return cls(tuple(value["read"]), tuple(value["listed"]), tuple(value["write"]), value["port"])


def room_for(
    ini: Path | None, *, write: Iterable[Path], hidden: Iterable[Path], more: Iterable[Path], port: int | None
) -> Room:
    """The room of a project; without one, there is only what every room has.

    Its own folders are open but for hidden files in them and for `hidden`: the ledger, the target's file, keys. What a
    file of the project names (a link, the ini file) opens nothing beyond them: whoever writes revisions writes those.
    """
    given = [*([ini.parent] if ini else []), *more]
    always = [*map(Path, SYSTEM), *our_python(), Path(__file__).parents[2]]
    limits = _Limits(tuple(path.resolve() for path in (*given, *always)), tuple(_real(hidden)))
    folders = [*given, *filter(limits.within, _named(ini) if ini else ())]
    read = [*always, *(part for folder in folders for part in _open(folder, limits))]
    return Room(
        read=_present(read),
        listed=_present(filter(Path.is_dir, folders)),
        write=_present(write),
        port=port,
    )


@dataclass(frozen=True, slots=True)
class _Limits:
    """The folders that nothing opened leads out of, and the files in them that stay closed."""

    known: tuple[Path, ...]
    closed: tuple[Path, ...]

    def within(self, path: Path) -> bool:
        where = path.resolve()
        return where not in self.closed and any(where.is_relative_to(folder) for folder in self.known)


def _named(ini: Path) -> Iterator[Path]:
    """What the ini file says the project's Python and revisions are in."""
    here = ini.parent
    parser = ConfigParser({"here": str(here)})
    try:
        parser.read(ini, encoding="utf-8")
        options = dict(parser["alembic"]) if parser.has_section("alembic") else {}
    except (Error, UnicodeError):
        return  # Alembic will say what is wrong with it
    for name in ("script_location", "prepend_sys_path", "version_locations"):
        for part in options.get(name, "").replace(os.pathsep, " ").replace(",", " ").split():
            if ":" not in part:  # else it names a package, which is installed or below one of these
                yield (here / part).resolve()


def _open(folder: Path, limits: _Limits) -> Iterator[Path]:
    """The parts of `folder` that hold nothing closed and are not hidden; a file is open as it is."""
    if folder.is_file() and limits.within(folder):
        yield folder
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or not limits.within(entry):
            continue
        if entry.is_dir() and any(entry.resolve() in path.parents for path in limits.closed):
            yield from _open(entry, limits)
        else:
            yield entry


def _real(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path, and the files that SQLite keeps beside one."""
    for path in paths:
        for suffix in ("", "-wal", "-shm", "-journal"):
            yield path.with_name(path.name + suffix).resolve()


def _present(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.abspath(path) for path in paths if os.path.exists(path)))  # noqa: PTH100,PTH110  links stay links
