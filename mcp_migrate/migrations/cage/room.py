"""What stays reachable for a child: which paths, and which one port?

Everything is named by what it may reach, never by what it may not: a path that nobody thought of is closed.
"""

from __future__ import annotations

import json
import os
import site
import sys
from collections.abc import Iterable, Iterator
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "MCP_MIGRATE_ROOM"
"""Under this name the child finds its room; it is gone before the project looks."""

_SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/opt", "/sys/devices/system/cpu"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone"),
    *("/etc/nsswitch.conf", "/etc/hosts", "/etc/passwd", "/etc/group", "/etc/ssl", "/etc/pki", "/etc/mime.types"),
    *("/dev/zero", "/dev/urandom", "/dev/random", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
)
"""Programs, libraries and what names, times and certificates need: nothing that belongs to anyone."""


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
    ini: Path, *, write: Iterable[Path], hidden: Iterable[Path], more: Iterable[Path], port: int | None
) -> Room:
    """The room of a project.

    Its own folders are open but for hidden files in them and for `hidden`: the ledger, the target's file, keys.
    """
    package = Path(__file__).parents[2]
    closed = tuple(_real(hidden))
    folders = [*_folders(ini), *more]
    read = [*map(Path, _SYSTEM), *_python(), package, *(part for folder in folders for part in _open(folder, closed))]
    return Room(
        read=_present(read),
        listed=_present([package.parent, *folders]),
        write=_present(write),
        port=port,
    )


def _python() -> Iterator[Path]:
    """The interpreter and what is installed for it."""
    yield from map(Path, (sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.realpath(sys.executable)))
    yield from map(Path, site.getsitepackages())
    yield from (Path(entry) for entry in sys.path if "site-packages" in entry or "dist-packages" in entry)


def _folders(ini: Path) -> Iterator[Path]:
    """The folder of the ini file and what it says the project's Python and revisions are in."""
    here = ini.parent
    yield here
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


def _open(folder: Path, closed: tuple[Path, ...]) -> Iterator[Path]:
    """`folder`, or the parts of it that hold nothing closed and are not hidden."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        where = entry.resolve()
        if entry.name.startswith(".") or where in closed:
            continue
        if entry.is_dir() and any(where in path.parents for path in closed):
            yield from _open(entry, closed)
        else:
            yield entry


def _real(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path, and the files that SQLite keeps beside one."""
    for path in paths:
        for suffix in ("", "-wal", "-shm", "-journal"):
            yield path.with_name(path.name + suffix).resolve()


def _present(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.abspath(path) for path in paths if os.path.exists(path)))  # noqa: PTH100,PTH110  links stay links
