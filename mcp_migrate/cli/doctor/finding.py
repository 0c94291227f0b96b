"""What was found, and what is to be done about it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mcp_migrate.errors import MigrateError

State = Literal["ok", "note", "fails"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix` is what to do where it is not well."""

    about: str
    state: State
    said: str
    fix: str = ""


def tried(about: str, look: Callable[[], str]) -> Finding:
    """What `look` says, or the error that it ends with."""
    try:
        return Finding(about, "ok", look())
    except MigrateError as error:
        return failed(about, error)


def failed(about: str, error: MigrateError) -> Finding:
    """What kept us from looking, which is itself found."""
    return Finding(about, "fails", f"{error.code}: {error.sentence}", error.hint)
