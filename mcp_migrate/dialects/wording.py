"""How does each database spell what keeping rows takes: its names, its comparisons, its copies, its locks?

A place of ours holds, of each row, what tells it apart (``k1 …``) and what is lost (``o1 …``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.model import Statement
from mcp_migrate.schema.model import Column, Schema, Table


class Wording:
    """What each product says in its own way, and the pieces of SQL that are made of it."""

    overriding = ""
    """What an INSERT says to write values that the database would make itself."""

    def place(self, key: str, n: int) -> str:
        """The quoted name of the place for loss number `n`."""
        raise NotImplementedError

    def beside(self, place: str) -> str:
        """The quoted name of the second place."""
        raise NotImplementedError

    def quote(self, *names: str) -> str:
        """Quoted identifiers with dots between them."""
        return ".".join('"' + name.replace('"', '""') + '"' for name in names)

    def keys(self, table: Table) -> tuple[Column, ...]:
        """The columns that tell rows apart for certain: none may be empty."""
        primary = next((c.columns for c in table.constraints if c.kind == "primary_key"), ())
        found = tuple(column for name in primary for column in table.columns if column.name == name)
        return found if len(found) == len(primary) and not any(c.nullable for c in found) else ()

    def fixed(self, column: Column) -> bool:  # noqa: ARG002  nothing is, unless a product says so
        """Whether an UPDATE may not write it."""
        return False

    def copied(self, alias: str, column: Column) -> str:
        """The expression that is kept of a column."""
        return f"{alias}.{self.quote(column.name)}"

    def compared(self, alias: str, column: Column) -> str:
        """The expression of a value in whatever type it has now."""
        return f"{alias}.{self.quote(column.name)}"

    def thawed(self, kept: str, column: Column) -> str:  # noqa: ARG002  as it was kept
        """The expression that gives a kept value back."""
        return kept

    def folded(self, name: str) -> str:
        """Names are exact, as the grammar told them."""
        return name

    def finds(self, table: Table) -> str:
        """How a row of a table ``t`` is found again within one statement."""
        raise NotImplementedError

    def equal(self, one: str, other: str) -> str:
        """Whether two keys are equal."""
        return f"{one} = {other}"

    def same(self, one: str, other: str, column: Column | None = None) -> str:
        """Whether two values are the same, also when both are missing; of a `column`, or of a type nobody knows."""
        raise NotImplementedError

    def whole(self, alias: str, columns: Sequence[Column]) -> str:
        """The text of a row."""
        raise NotImplementedError

    def lock(self, table: Table) -> tuple[str, ...]:  # noqa: ARG002  where an apply holds a lock on everything
        """What keeps others from writing to it until the transaction ends."""
        return ()

    def index(self, place: str, keys: Sequence[Column]) -> tuple[str, ...]:  # noqa: ARG002  joins read all of it
        """What makes rows of a place quick to find, where the database does not join by hashing."""
        return ()

    def source(self, loss: Loss) -> str:
        """The table as it is read for a copy, under the name ``t``."""
        return f"{self.named(loss.table)} AS t"

    def made(self, place: str, what: Mapping[str, str], source: str, keys: Sequence[Column] = ()) -> tuple[str, ...]:
        """What makes a place of these expressions, by the names they get there; `keys` of them tell rows apart."""
        listed = ", ".join(f"{sql} AS {name}" for name, sql in what.items())
        return (f"CREATE TABLE {place} AS SELECT {listed} FROM {source}", *(self.index(place, keys) if keys else ()))  # noqa: S608  quoted

    def changed(self, table: Table, given: Mapping[str, str], source: str, where: str) -> str:
        """What writes values, by quoted column, into the rows ``t`` of a table that `where` pairs with the source."""
        listed = ", ".join(f"{name} = {value}" for name, value in given.items())
        return f"UPDATE {self.named(table)} AS t SET {listed} FROM {source} WHERE {where}"  # noqa: S608  quoted

    def without(self, place: str, alias: str, where: str) -> str:
        """What takes rows out of a place of ours."""
        return f"DELETE FROM {place} AS {alias} WHERE {where}"  # noqa: S608  quoted

    def around(self, texts: Sequence[Texts]) -> tuple[tuple[str, ...], tuple[str, ...]]:  # noqa: ARG002  where one transaction holds all
        """Nothing more."""
        return (), ()

    def commits(self, sql: str) -> bool:  # noqa: ARG002  where one transaction holds all
        """It does not."""
        return False

    def again(self, ran: Sequence[Statement]) -> tuple[Statement, ...]:  # noqa: ARG002  where one transaction holds all
        """Nothing."""
        return ()

    def silenced(self, table: Table, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]] | str:
        """Nothing silences a trigger, unless a product says how; one whose text knows no UPDATE does not hear of it."""
        named = self.folded(table.qualified)  # SQLite spells a trigger's table as the trigger did
        acting = [o for o in schema.others if o.kind == "trigger" and self.folded(o.table or "") == named]
        if acting and (not self.keys(table) or any("UPDATE" in other.definition.upper() for other in acting)):
            return f"a trigger of {table.qualified} would act when its values are put back"
        return (), ()

    def along(self, schema: Schema, tables: Sequence[str], namespace: str | None) -> str | None:  # noqa: ARG002
        """Nothing: the word means nothing, unless a product says what."""
        return None

    def counter(self, loss: Loss, place: str) -> Texts | str:  # noqa: ARG002  nothing is, unless a product says how
        """How far a sequence of no column has counted."""
        return f"how far {loss.table.qualified} has counted is not kept"

    def parked(self, loss: Loss, *, key: str, n: int, schema: Schema) -> tuple[Texts, ...] | str:  # noqa: ARG002
        """Nothing is, unless a product says how."""
        return "nothing is parked on this database"

    def remade(self, statements: Sequence[str], loss: Loss) -> tuple[int, ...]:  # noqa: ARG002  nothing is parked
        """Nothing."""
        return ()

    def unique(self, table: Table) -> Iterator[tuple[str, ...]]:
        """The columns of each key of which no two rows have the same values."""
        yield from (c.columns for c in table.constraints if c.kind in {"primary_key", "unique"})

    def inserted(self, loss: Loss, place: str) -> str:
        """What inserts the rows that were kept."""
        names = ", ".join(self.quote(column.name) for column in loss.columns)
        given = ", ".join(self.thawed(f"u.o{i}", column) for i, column in enumerate(loss.columns, 1))
        table = self.named(loss.table)
        return f"INSERT INTO {table} ({names}){self.overriding} SELECT {given} FROM {place} AS u"  # noqa: S608  quoted

    def _copy(self, loss: Loss, keys: Sequence[Column], place: str) -> tuple[str, ...]:
        return self.made(place, {**self._keys(keys), **self.lost(loss)}, self.source(loss), keys)

    def _keys(self, keys: Sequence[Column]) -> dict[str, str]:
        return {f"k{i}": self.copied("t", column) for i, column in enumerate(keys, 1)}

    def lost(self, loss: Loss) -> dict[str, str]:
        """What is kept of each column of a row, by the name it gets in the place."""
        return {f"o{i}": self.copied("t", column) for i, column in enumerate(loss.columns, 1)}

    def given(self, loss: Loss, alias: str) -> dict[str, str]:
        """What was kept of each column, as it is put back."""
        return {self.quote(c.name): self.thawed(f"{alias}.o{i}", c) for i, c in enumerate(loss.columns, 1)}

    def _match(self, alias: str, keys: Sequence[Column]) -> str:
        """Whether a row of the place is about this row of the table ``t``."""
        return " AND ".join(self.equal(f"{alias}.k{i}", self.copied("t", column)) for i, column in enumerate(keys, 1))

    def _paired(self, one: str, other: str, keys: Sequence[Column]) -> str:
        return " AND ".join(f"{one}.k{i} = {other}.k{i}" for i in range(1, len(keys) + 1))

    def _one(self, place: str, alias: str, keys: Sequence[Column]) -> str:
        return f"SELECT 1 FROM {place} AS {alias} WHERE {self._match(alias, keys)}"  # noqa: S608  quoted

    def named(self, table: Table) -> str:
        """The quoted name of a table of the user's."""
        return self.quote(table.schema, table.name)


def numbered(wording: Wording, key: str, place: str) -> bool:
    """Whether a place of the manifest is one that we would name so: the manifest is no leave to drop anything else."""
    digits = "".join(c for c in place.rpartition("_")[2] if c in "0123456789")
    return key.isalnum() and key.isascii() and bool(digits) and place == wording.place(key, int(digits))
