"""What is said when an apply does not go through? What stands, what may stand, and that the rest does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from mcp_migrate.dialects.holders import Holder, in_the_way, named
from mcp_migrate.errors import (
    LockedError,
    LockTimeoutError,
    MigrateError,
    PartiallyAppliedError,
    StatementFailedError,
)
from mcp_migrate.model import Statement

_LOCK_WAIT, _DEADLOCK = 1205, 1213
_TOO_LONG = frozenset({1969, 3024})
_ROLLED_BACK = "Everything was rolled back, nothing changed."
_LOOK = "The statements named in `ran` stand"


class State(Protocol):
    """What a writer knows of its apply."""

    committed: list[int]
    uncertain: int | None

    @property
    def stands(self) -> bool: ...

    @property
    def lost(self) -> bool: ...


def locked(holders: Sequence[Holder] = ()) -> LockedError:
    """For a database that another apply holds."""
    return LockedError(
        f"Another apply is running on this target.{named(holders)}",
        hint="Nothing ran. Make the same call again in a moment.",
        **in_the_way(holders),
    )


def waited(code: int) -> bool:
    """Whether a statement failed because a lock was not to be had."""
    return code in {_LOCK_WAIT, _DEADLOCK}


def refused(state: State, statement: Statement, code: int, why: str, *, holders: Sequence[Holder] = ()) -> MigrateError:
    """For a statement that the server refused, or that it was never heard of again."""
    what = f"Statement {statement.n} of revision {statement.revision}"
    details = {"statement": statement.n, "failed": statement.n, "revision": statement.revision}
    if state.stands:
        return PartiallyAppliedError(
            f"{what} failed where not everything can be rolled back: {why}.",
            hint=f"{_LOOK}{_doubt(state)}.",
            **details,
            **_what_stands(state),
            **in_the_way(holders),
        )
    if waited(code):
        return LockTimeoutError(
            f"{what} did not get its lock within lock_timeout.{named(holders)}",
            hint="Everything was rolled back. Make the same call again when the table is less busy.",
            **details,
            **in_the_way(holders),
        )
    said = "it took longer than statement_timeout" if code in _TOO_LONG else why
    return StatementFailedError(
        f"{what} failed: {said}.", hint=f"{_ROLLED_BACK} Mend the revision and plan again.", **details
    )


def uncommitted(state: State, why: str) -> MigrateError:
    """For a COMMIT that failed; with a lost connection nobody knows whether it did."""
    if state.lost:
        return PartiallyAppliedError(
            f"The connection broke during the commit, and whether it happened is not known: {why}.",
            hint="Ask migration_status where the target is before anything is tried again.",
            ran=state.committed,
            unknown=True,
        )
    if state.stands:
        return PartiallyAppliedError(
            f"The last statements could not be committed: {why}.", hint=f"{_LOOK}.", **_what_stands(state)
        )
    return StatementFailedError(
        f"The changes could not be committed: {why}.", hint=f"{_ROLLED_BACK} Mend the revision and plan again."
    )


def left_standing(state: State, error: BaseException) -> PartiallyAppliedError:
    """For whatever else ended an apply of which a part cannot be rolled back."""
    why = error.sentence if isinstance(error, MigrateError) else type(error).__name__
    return PartiallyAppliedError(
        f"The apply ended after statements that cannot be rolled back: {why}",
        hint=f"{_LOOK}{_doubt(state)}.",
        **_what_stands(state),
    )


def _what_stands(state: State) -> dict[str, Any]:
    """With a lost connection the server may still be at work: what stands is found out when it answers again."""
    told: dict[str, Any] = {"ran": state.committed}
    if state.uncertain is not None:
        told["uncertain"] = state.uncertain
    return {**told, "unknown": True} if state.lost else told


def _doubt(state: State) -> str:
    return "" if state.uncertain is None else f", and statement {state.uncertain} may"
