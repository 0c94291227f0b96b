"""What does it mean for us when SQLite, or the file system under it, refuses?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mcp_migrate.errors import AlreadyUsedError, LedgerUnavailableError

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
_ANY_HINT = "Look at the file, its folder and its disk: nothing runs without a record."


@contextmanager
def translated(path: Path, *, consumes: Sequence[str] = (), recorded: bool = False) -> Iterator[None]:
    """Raise our errors for those of SQLite and the file system.

    `consumes` are the approvals this uses up; `recorded` says that the entries are in the log already.
    """
    from sqlalchemy.exc import DBAPIError, ResourceClosedError

    try:
        yield
    except DBAPIError as error:
        raise _meaning(path, error.orig, consumes, recorded=recorded) from error
    except sqlite3.Error as error:
        raise _meaning(path, error, consumes, recorded=recorded) from error
    except ResourceClosedError as error:
        raise unavailable(path, "it was closed") from error
    except OSError as error:
        raise unavailable(path, str(error), recorded=recorded) from error


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
