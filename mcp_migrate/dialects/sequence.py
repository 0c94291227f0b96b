"""Is this the next frozen statement? A writing session runs the list it was opened for, in order, and no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcp_migrate.errors import StatementFailedError, UndoConflictError, ValidationFailedError
from mcp_migrate.model import Statement

_MOST_BATCHES = 100_000


def whole(statement: Statement, run: Callable[[Statement], int]) -> int:
    """Run a statement to its end: one in batches until it touches no row. How many rows it touched.

    Raises:
        ValidationFailedError: it does not come to an end.
    """
    touched = run(statement)
    total, sent = touched, 1
    while statement.batches and touched:
        if sent == _MOST_BATCHES:
            raise _endless(statement)
        touched = run(statement)
        total, sent = total + touched, sent + 1
    return total


class FrozenSequence:
    """Hands out statements one after the other, and refuses any that is not next, or the last one in its batches."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = tuple(statements)
        self._done = self._again = 0

    @property
    def total(self) -> int:
        """How many statements there are."""
        return len(self._statements)

    @property
    def ran(self) -> list[int]:
        """The numbers of the statements that were let through so far."""
        return [statement.n for statement in self._statements[: self._done]]

    def over(self, touched: int) -> list[int]:
        """Those of them that are at their end, when the last one touched so many rows just now."""
        last = self._statements[self._done - 1] if self._done else None
        return self.ran[:-1] if last is not None and last.batches and touched else self.ran

    def take(self, statement: Statement) -> Statement:
        """The frozen statement that `statement` has to be. Raises: ValidationFailedError."""
        if statement.batches and self._done and self._statements[self._done - 1] == statement:
            self._again += 1
            if self._again == _MOST_BATCHES:  # whoever asks for them has no end of its own
                raise _endless(statement)
            return self._statements[self._done - 1]
        if self._done == len(self._statements) or self._statements[self._done] != statement:
            raise ValidationFailedError(
                f"Statement {statement.n} is not the next one of the approved plan; it was not sent.",
                hint="Nothing outside the plan runs. Everything was rolled back.",
            )
        self._done, self._again = self._done + 1, 0
        return self._statements[self._done - 1]


def _endless(statement: Statement) -> ValidationFailedError:
    return ValidationFailedError(
        f"Statement {statement.n} still changes rows after {_MOST_BATCHES:,} batches.",
        hint="Its condition has to leave out the rows that it has changed. What the batches changed stands.",
    )


def unread(why: str) -> StatementFailedError:
    """For a frozen read that the database refused."""
    return StatementFailedError(
        f"A read of the plan failed: {why}.",
        hint="Everything was rolled back. Call migration_plan again and apply the new plan.",
    )


def one_row(statement: Statement, touched: int) -> None:
    """Hold a movement of Alembic's version table to exactly one row, and a guard to none.

    Raises:
        ValidationFailedError, UndoConflictError: it is another number.
    """
    if statement.guard is not None and touched and statement.kind == "change":
        raise ValidationFailedError(
            f"Statement {statement.n} found what must not be there: {statement.guard}.",
            hint="Everything that can be was rolled back. Look at what the check found, and call the tool again.",
            statement=statement.n,
        )
    if statement.guard is not None and touched:
        raise UndoConflictError(
            f"Statement {statement.n} found what must not be there: {statement.guard}.",
            hint="Everything was rolled back, nothing was overwritten. Have a person decide about those rows.",
            statement=statement.n,
        )
    moves = statement.kind == "version" and not statement.sql.lstrip().upper().startswith(("CREATE", "DROP"))
    if moves and touched != 1:
        raise ValidationFailedError(
            f"Statement {statement.n} moved {touched} rows of the version table instead of one.",
            hint="Everything was rolled back. Look at the version table: it is not what the plan started from.",
        )
