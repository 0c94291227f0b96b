"""Whose signature makes a configuration count on this machine? Never said in the configuration itself.

The machine's file, where there is one, counts alone; otherwise that of the account the server runs as. The account's
home is the system's word for it: the environment may say anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError

MACHINE = Path("/etc/mcp-migrate/trusted_keys")
_OF_A_HOME = Path(".config/mcp-migrate/trusted_keys")


@dataclass(frozen=True, slots=True)
class Pinned:
    """Public keys as in .pub files, and the file they are in; no key where no file is."""

    place: Path
    lines: tuple[str, ...] = ()


def places() -> tuple[Path, ...]:
    """Where keys are pinned, the first that is there alone."""
    return (MACHINE, _home() / _OF_A_HOME)


def pinned(where: Iterable[Path]) -> Pinned:
    """The keys of the first file that is there. Raises: ConfigInvalidError: it cannot be read."""
    found = tuple(where)
    for place in found:
        try:
            lines = (line.strip() for line in place.read_text(encoding="utf-8").splitlines())
            return Pinned(place, tuple(line for line in lines if line and not line.startswith("#")))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigInvalidError(
                f"The pinned keys in {place} cannot be read.",
                hint="They are lines as in .pub files; correct its rights.",
            ) from error
    return Pinned(found[-1])


def is_out_of_reach(file: Path) -> bool:
    """Whether another account owns this file and its folder, and this one may write neither."""
    if os.name != "posix":
        return False
    try:
        return all(p.stat().st_uid != os.geteuid() and not os.access(p, os.W_OK) for p in (file, file.parent))
    except OSError:
        return False


def _home() -> Path:
    if os.name != "posix":
        return Path.home()
    import pwd

    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:  # an account without a name, as in a container, has no home to pin keys in
        return Path("/nonexistent")
