"""What is undo data to the planner: what a statement loses, the SQL around it, and who writes that for a database?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mcp_migrate.model import Kept, Statement
from mcp_migrate.schema.model import Column, Schema, Table

Kind = Literal["columns", "values", "rows", "exchanged", "emptied", "table", "counter"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key of a table that loses rows: its columns, and those of the table they refer to."""

    columns: tuple[str, ...]
    parent: Table
    to: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """What a statement is about to lose of one table, in the shape that the table has then.

    ``columns`` are dropped, ``values`` get another type, of ``rows`` some change or go, and so they do where they are
    ``exchanged``: without a key by which those that changed could be found again. All go where a table is ``emptied``
    or, with the ``table`` itself, dropped. Of a ``counter``, whose name the table has then, it is how far it had come.
    `silence` is sent before and after its rows are written: its
    triggers have nothing to say to that.
    """

    kind: Kind
    table: Table
    columns: tuple[Column, ...]
    refers: tuple[Reference, ...] = ()
    silence: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


@dataclass(frozen=True, slots=True)
class Texts:
    """The SQL around one loss: sent just before and just after it, and by a rollback before all else and at its end.

    `guards` are queries about the target as the plan leaves it: when one returns rows, nothing can be put back, for
    the reason beside it. `method` says how rows are told apart. What is parked comes back `instead` of being made
    again, and is dropped for good by `ends`. `places` are made, and what is in `holds` is locked, before all texts
    around the same statement.
    """

    place: str
    method: str
    before: tuple[str, ...]
    after: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    guards: tuple[tuple[str, str], ...] = ()
    instead: tuple[str, ...] = ()
    ends: str | None = None
    places: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readd:
    """What stands in the place of `length` statements from `at` on: `before` the values are put back, and after."""

    at: int
    length: int
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the manifest of undo data on a target. Times are ISO 8601, in UTC; `over` by the target's clock."""

    key: str
    place: str
    table: str
    columns: str
    method: str
    rows: int
    size: int | None
    kept_at: str
    until: str
    over: bool


class Keeper(Protocol):
    """The SQL that keeps what a statement is about to lose, and puts it back. Texts only: nothing runs here."""

    def texts(self, loss: Loss, *, key: str, n: int, later: bool) -> Texts | str:
        """The texts for the loss number `n` of a plan, or why it cannot be kept.

        `later` says that the plan changes the same table again, so that it cannot be looked at when it is over.
        """
        ...

    def keys(self, table: Table) -> tuple[Column, ...]:
        """The columns that tell rows apart for certain; none where there are none."""
        ...

    def silenced(self, table: Table, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]] | str:
        """What keeps triggers and rules from acting while rows of a table are written, and lets them act again.

        Nothing where none would act; why not, where that cannot be.
        """
        ...

    def along(self, schema: Schema, tables: Sequence[str], namespace: str | None) -> str | None:
        """What CASCADE takes along of rows of others when these tables go, or a whole schema of them; None: nothing.

        What comes back with the schema (views, foreign keys, defaults) is nobody's rows.
        """
        ...

    def quote(self, *names: str) -> str:
        """A name, with the schema before it if there are two."""
        ...

    def beside(self, place: str) -> str:
        """The second place of a loss, where there may be one: the values that the statement left."""
        ...

    def folded(self, name: str) -> str:
        """A name as this database compares it."""
        ...

    def sets(self, sql: str) -> tuple[str, frozenset[str]] | None:
        """``schema.table`` and the columns of it that an UPDATE assigns; None for what writes anything else as well."""
        ...

    def counters(self, loss: Loss, *, key: str, n: int) -> Texts | None:
        """The texts for what the columns of a loss have counted to; None where nothing counts."""
        ...

    def parked(self, loss: Loss, *, key: str, n: int, schema: Schema) -> tuple[Texts, ...] | str:
        """The texts that take what is dropped out of the way instead: for a table, or for each column; or why not."""
        ...

    def remade(self, statements: Sequence[str], loss: Loss) -> tuple[int, ...]:
        """Which statements of a way back make a table, or one column, again: what is parked comes in their place.

        The one that makes it comes first; the others make parts that it has already. None where that is not certain.
        """
        ...

    def opening(self, *, present: bool) -> tuple[str, ...]:
        """What makes the place for undo data; `present`: the part of it is there for which more rights are needed."""
        ...

    def noted(self, kept: Kept, *, key: str, seconds: float, rows: int | None = None) -> str:
        """What writes a line into the manifest; `rows` are told of what is parked, since nobody counts it."""
        ...

    def around(self, texts: Sequence[Texts]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is sent before and after all texts around one statement."""
        ...

    def commits(self, sql: str) -> bool:
        """Whether no transaction takes a text of ours back."""
        ...

    def again(self, ran: Sequence[Statement]) -> tuple[Statement, ...]:
        """What of a plan that stopped after these statements has to run once more before the rest of it."""
        ...

    def spent(self, key: str, places: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
        """What removes undo data that was put back: each place, and whether there is a second one beside it."""
        ...

    def readd(self, statements: Sequence[str], table: Table, column: Column | None) -> Readd | None:
        """How a column that takes no null is added again to a table with rows, or the table itself is made again.

        None where no statement does it.
        """
        ...


def above(schema: Schema, name: str) -> Iterator[str]:
    """The tables of which a table is a partition or child, at any depth: its rows are rows of theirs."""
    table = schema.table(name)
    for option in table.options if table is not None else ():
        if option.startswith("child of "):
            told = f"{option.removeprefix('child of ').replace(chr(34), '')} "  # a word may come after the name
            for parent in schema.tables:
                if told.startswith(f"{parent.qualified.replace(chr(34), '')} "):
                    yield parent.qualified
                    yield from above(schema, parent.qualified)
