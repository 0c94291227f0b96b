"""By which Python is a project recorded, and which folders are that Python's?

Nothing here runs the project's interpreter: its files may be an agent's, and it is first started behind the walls. So
the folders are told from where it lies. What a file of the project says (`pyvenv.cfg`, a link) opens no folder that is
not open anyway: the system's, our own Python's, and what the configuration names under `cage.readable`.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mcp_migrate.errors import Action, RenderFailedError

SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/opt", "/sys/devices/system/cpu"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone"),
    *("/etc/nsswitch.conf", "/etc/hosts", "/etc/passwd", "/etc/group", "/etc/ssl", "/etc/pki", "/etc/mime.types"),
    *("/dev/zero", "/dev/urandom", "/dev/random", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
)
"""Programs, libraries and what names, times and certificates need: nothing that belongs to anyone."""

_BIN = frozenset({"bin", "Scripts"})


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`python` is the project's own; None for ours. `prefix` is its folder, of which hidden files stay closed."""

    python: Path | None = None
    prefix: Path | None = None


def interpreter_of(python: Path | None, project: Path, readable: Iterable[Path]) -> Interpreter:
    """The interpreter that the configuration names for the project in this folder, or ours.

    Raises:
        RenderFailedError: it is none, or lies where the cage would have to be opened for it.
    """
    if python is None:
        return Interpreter()
    if problem := not_an_interpreter(python):
        raise _refused(python, problem)
    prefix = python.parent.parent
    if python.is_relative_to(project) and not prefix.resolve().is_relative_to(project.resolve()):
        raise _refused(python, f"a link leads out of the project, to {prefix.resolve()}")
    if project.is_relative_to(prefix):
        raise _refused(python, f"its folder {prefix} holds the whole project")
    known = [prefix, *map(Path, SYSTEM), *our_python(), *readable]
    for base in _bases(python, prefix):
        if not any(base.is_relative_to(each.resolve()) for each in known):
            raise _refused(python, f"it is made from the Python in {base}, which the cage does not open")
    return Interpreter(python, prefix)


def not_an_interpreter(python: Path) -> str | None:
    """What is wrong with the file itself."""
    if not python.is_file():
        return "there is no such file"
    if not os.access(python, os.X_OK):
        return "it cannot be run"
    return None if python.parent.name in _BIN else "it is not in the folder `bin` of a Python or an environment"


def our_python() -> Iterator[Path]:
    """The interpreter that runs this, and what is installed for it."""
    yield from map(Path, (sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.realpath(sys.executable)))
    yield from map(Path, site.getsitepackages())
    yield from (Path(entry) for entry in sys.path if "site-packages" in entry or "dist-packages" in entry)


def _bases(python: Path, prefix: Path) -> Iterator[Path]:
    """Where the Python lies that an environment was made from."""
    yield python.resolve().parent.parent
    settings = prefix / "pyvenv.cfg"
    for line in settings.read_text(encoding="utf-8", errors="replace").splitlines() if settings.is_file() else ():
        key, _, value = line.partition("=")
        if key.strip().lower() == "home":
            yield Path(value.strip()).resolve().parent


def _refused(python: Path, why: str) -> RenderFailedError:
    return RenderFailedError(
        f"The project cannot be recorded by {python}: {why}.",
        hint="Correct `python` of the target, or name the folder of that Python under `cage.readable`.",
    ).then(Action.ASK_ADMIN)
