"""What is said when an apply on PostgreSQL does not go through? What stands, and who was in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from mcp_migrate.dialects.holders import Holder, in_the_way, named
from mcp_migrate.drivers.postgresql import message
from mcp_migrate.errors import LockTimeoutError, MigrateError, PartiallyAppliedError, StatementFailedError
from mcp_migrate.model import Statement

_LOCK_NOT_AVAILABLE, _QUERY_CANCELED = "55P03", "57014"
_ROLLED_BACK = "Everything was rolled back, nothing changed."
_LOOK = "The statements named in `ran` stand"
_NO_PLACE = (
    "It keeps undo data: have an admin run once CREATE SCHEMA mcp_migrate_undo AUTHORIZATION <its role>, see that there"
    " is space, or set limits.undo_rows: 0 and plan again."
)


class State(Protocol):
    """What a writer knows of its apply."""

    committed: list[int]
    stands: bool

    @property
    def lost(self) -> bool: ...

    @property
    def holders(self) -> Sequence[Holder]: ...


def refused(state: State, statement: Statement, error: Any) -> MigrateError:
    """For a statement that the database refused with `error`, a psycopg.Error."""
    what = f"Statement {statement.n} of revision {statement.revision}"
    details = {"statement": statement.n, "failed": statement.n, "revision": statement.revision}
    if state.stands:
        return PartiallyAppliedError(
            f"{what} failed where not everything can be rolled back: {message(error)}.",
            hint=f"{_LOOK}, and what had to run outside a transaction can leave a trace, as an invalid index is one.",
            ran=state.committed,
            **details,
            **({"unknown": True} if state.lost else {}),
            **in_the_way(state.holders if error.sqlstate == _LOCK_NOT_AVAILABLE else ()),
        )
    if error.sqlstate == _LOCK_NOT_AVAILABLE:
        return LockTimeoutError(
            f"{what} did not get its lock within lock_timeout.{named(state.holders)}",
            hint="Everything was rolled back. Make the same call again when the table is less busy.",
            **details,
            **in_the_way(state.holders),
        )
    why = "it took longer than statement_timeout" if error.sqlstate == _QUERY_CANCELED else message(error)
    mend = _NO_PLACE if statement.kind == "preserve" else "Mend the revision and plan again."
    return StatementFailedError(f"{what} failed: {why}.", hint=f"{_ROLLED_BACK} {mend}", **details)


def unlocked(state: State) -> LockTimeoutError:
    """For a table that a plan reads, and that somebody writes to for too long."""
    return LockTimeoutError(
        f"A table that the plan reads was written to for longer than lock_timeout.{named(state.holders)}",
        hint="Everything was rolled back. Make the same call again when the table is less busy.",
        **in_the_way(state.holders),
    )


def uncommitted(state: State, why: str, *, lost: bool) -> MigrateError:
    """For a COMMIT that failed; with a `lost` connection nobody knows whether it did."""
    if lost:
        return PartiallyAppliedError(
            f"The connection broke during the commit, and whether it happened is not known: {why}.",
            hint="Ask migration_status where the target is before anything is tried again.",
            ran=state.committed,
            unknown=True,
        )
    if state.stands:
        return PartiallyAppliedError(
            f"The last statements could not be committed: {why}.", hint=f"{_LOOK}.", ran=state.committed
        )
    return StatementFailedError(
        f"The changes could not be committed: {why}.", hint=f"{_ROLLED_BACK} Mend the revision and plan again."
    )


def left_standing(state: State, error: BaseException) -> PartiallyAppliedError:
    """For whatever else ended an apply of which a part cannot be rolled back."""
    why = error.sentence if isinstance(error, MigrateError) else type(error).__name__
    return PartiallyAppliedError(
        f"The apply ended after statements that cannot be rolled back: {why}", hint=f"{_LOOK}.", ran=state.committed
    )
