"""Which cages are there on this machine, which is the strongest, and what does each leave open?"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from mcp_migrate.migrations.cage import landlock, seccomp
from mcp_migrate.migrations.cage.room import Room

Name = Literal["sandbox", "landlock", "none"]
_ORDER: tuple[Name, ...] = ("none", "landlock", "sandbox")
_TCP_SINCE = 4
_PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Cage:
    """One way to shut a child in. `missing` says why it is not to be had here, `open` what it leaves open."""

    name: Name
    missing: str | None
    open: tuple[str, ...]

    @property
    def strength(self) -> int:
        return strength(self.name)


@cache
def cages() -> tuple[Cage, ...]:
    """Every cage, the strongest first, as it is on this machine; probed once."""
    walls = _no_walls()
    return (
        Cage("sandbox", walls or _no_bubblewrap(), ()),
        Cage("landlock", walls, ("what processes of the same user are called",)),
        Cage(
            "none",
            None,
            ("every file that the server's user may read or write", "the network", "other processes of that user"),
        ),
    )


def strongest() -> Cage:
    """The strongest cage that is to be had here."""
    return next(cage for cage in cages() if cage.missing is None)


def strength(name: Name) -> int:
    """How strong a cage is, against another one's."""
    return _ORDER.index(name)


def command(cage: Cage, room: Room, words: Sequence[str], folder: str, *, told: int | None = None) -> list[str]:
    """How a command is started in this cage. A sandbox says on the descriptor `told` which process it is."""
    if cage.name != "sandbox":
        return list(words)
    binds = [part for path in room.read for part in ("--ro-bind-try", path, path)]
    # What may only be listed is listed as far as it is there: its other entries do not exist in here.
    writes = [part for path in room.write for part in ("--bind", path, path)]
    network = ["--unshare-net"] if room.port is None else []
    return [
        *("bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *network,
        *("--die-with-parent", "--cap-drop", "ALL", "--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108  a folder of its own
        *binds,
        *writes,
        *(() if told is None else ("--info-fd", str(told))),
        *("--chdir", folder, "--"),
        *words,
    ]


def _no_walls() -> str | None:
    if not seccomp.known():
        return "it needs Linux on x86_64 or aarch64"
    if landlock.version() < _TCP_SINCE:
        return "it needs a kernel with Landlock switched on, 6.7 or newer"
    return None


def _no_bubblewrap() -> str | None:
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (apt-get install bubblewrap, dnf install bubblewrap)"
    try:
        done = subprocess.run(
            ["bwrap", "--ro-bind", "/", "/", "--unshare-user", "--unshare-pid", "--unshare-net", "--", "true"],  # noqa: S607  found above
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run here: {error}"
    said = done.stderr.decode(errors="replace").strip()[:200]
    return None if done.returncode == 0 else f"bubblewrap does not run here: {said}"
