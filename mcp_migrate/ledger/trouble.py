"""What does it mean for us when SQLite, or the file system under it, refuses?"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mcp_migrate.errors import AlreadyUsedError, LedgerUnavailableError, MigrateError

_HINTS = {
    "SQLITE_FULL": "The disk is full. Make room: nothing runs without a record.",
    "SQLITE_IOERR": "The disk refused. Look at its space, limits and health: nothing runs without a record.",
    "SQLITE_READONLY": "The file or its folder is read-only for this account. Allow it to write there.",
    "SQLITE_CANTOPEN": "Check that the file exists and that this account may write to its folder.",
    "SQLITE_BUSY": "Another process keeps it locked. Try again; find that process if it stays so.",
    "SQLITE_NOTADB": "Something else is stored there. Point `ledger` at a path of its own.",
    "SQLITE_CORRUPT": "The file is damaged. Keep it as it is and restore a backup.",
}
TAMPERED = "Run `mcp-migrate ledger verify`, keep the ledger as evidence, and restore a backup."
CUT = (
    "Run `mcp-migrate ledger verify`, and keep the ledger as evidence. Where this is an older backup that was put back "
    "knowingly, docs/deploy.md says how servers go on with it."
)
_ANY_HINT = "Look at the file, its folder and its disk: nothing runs without a record."


@dataclass(frozen=True, slots=True)
class translated:  # noqa: N801  it reads as a verb, and each append enters it several times: no generator
    """Raise our errors for those of SQLite and the file system.

    `consumes` are the approvals this uses up; `recorded` says that the entries are in the log already.
    """

    path: Path
    consumes: Sequence[str] = field(default=(), kw_only=True)
    recorded: bool = field(default=False, kw_only=True)

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            ours = self._ours(error)
            if ours is not None:
                raise ours from error

    def _ours(self, error: Exception) -> MigrateError | None:
        from sqlalchemy.exc import DBAPIError, ResourceClosedError

        if isinstance(error, DBAPIError):
            return _meaning(self.path, error.orig, self.consumes, recorded=self.recorded)
        if isinstance(error, sqlite3.Error):
            return _meaning(self.path, error, self.consumes, recorded=self.recorded)
        if isinstance(error, ResourceClosedError):
            return unavailable(self.path, "it was closed")
        return unavailable(self.path, str(error), recorded=self.recorded) if isinstance(error, OSError) else None


def unavailable(path: Path, why: str, *, name: str = "", recorded: bool = False) -> LedgerUnavailableError:
    """The error that stops everything; `name` is SQLite's name for the reason."""
    what = "was written, but not the head beside it" if recorded else "cannot be used"
    hint = _HINTS.get("_".join(name.split("_")[:2]), _ANY_HINT)
    return LedgerUnavailableError(f"The ledger {path} {what}: {why}.", hint=hint, recorded=recorded)


def is_damage(error: BaseException | None) -> bool:
    """Whether the file's content is at fault (the driver refuses broken text itself, without a name)."""
    return str(getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")).startswith("SQLITE_CORRUPT")


def _meaning(
    path: Path, error: BaseException | None, consumes: Sequence[str], *, recorded: bool
) -> AlreadyUsedError | LedgerUnavailableError:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_CONSTRAINT_UNIQUE" and consumes:
        return already_used(consumes)
    return unavailable(path, str(error), name=name, recorded=recorded)


def already_used(approvals: Sequence[str]) -> AlreadyUsedError:
    """One of these approvals was consumed before."""
    return AlreadyUsedError(
        "This approval was already used for another apply.",
        hint="Ask for a new approval: one approval is good for one apply.",
        approvals=list(approvals),
    )
