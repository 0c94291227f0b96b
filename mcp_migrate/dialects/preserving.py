"""Which SQL keeps rows and puts them back, in the words that databases share?

A place of ours holds, of each row, what tells it apart (``k1 …``) and what is lost (``o1 …``). Where a statement
changes rows, a second place (``_new``) holds what it made of them (``n1 …``), so that what was written since can be
told from what it wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.model import Statement
from mcp_migrate.schema.model import Column, Schema, Table

_SINCE = "rows that were written since the apply"


class SqlKeeper:
    """What products have in common; each adds how it quotes, compares, locks and finds rows."""

    overriding = ""
    """What an INSERT says to write values that the database would make itself."""

    def texts(self, loss: Loss, *, key: str, n: int, later: bool) -> Texts | str:
        """The texts for a loss, or why it cannot be kept."""
        texts = self._texts(loss, key=key, n=n, later=later)
        if isinstance(texts, str) or not texts.back:
            return texts
        silent, loud = loss.silence
        return replace(texts, back=(*silent, *texts.back, *loud))

    def _texts(self, loss: Loss, *, key: str, n: int, later: bool) -> Texts | str:
        if loss.kind in {"columns", "values"} and any(map(self.fixed, loss.columns)):
            return f"the database itself makes the values of an identity column of {loss.table.qualified}"
        place = self.place(key, n)
        if loss.kind in {"table", "emptied"}:
            return self._all_rows(loss, place, later=later)
        keys = self.keys(loss.table)
        if not keys:
            return self._without_key(loss, place, later=later)
        if loss.kind != "rows" and set(keys) & set(loss.columns):
            return f"{loss.table.qualified} loses what tells its rows apart"
        ways = {"columns": self._columns, "values": self._values, "rows": self._rows}
        return ways[loss.kind](loss, keys, place, later=later)

    def silenced(self, table: Table, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]] | str:
        """Nothing silences a trigger, unless a product says how; one whose text knows no UPDATE does not hear of it."""
        named = self.folded(table.qualified)  # SQLite spells a trigger's table as the trigger did
        acting = [o for o in schema.others if o.kind == "trigger" and self.folded(o.table or "") == named]
        if acting and (not self.keys(table) or any("UPDATE" in other.definition.upper() for other in acting)):
            return f"a trigger of {table.qualified} would act when its values are put back"
        return (), ()

    def parked(self, loss: Loss, *, key: str, n: int, schema: Schema) -> tuple[Texts, ...] | str:  # noqa: ARG002
        """Nothing is, unless a product says how."""
        return "nothing is parked on this database"

    def remade(self, statements: Sequence[str], loss: Loss) -> tuple[int, ...]:  # noqa: ARG002  nothing is parked
        """Nothing."""
        return ()

    # What each product says in its own way.

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
        return f"{self._name(loss.table)} AS t"

    def made(self, place: str, what: Mapping[str, str], source: str, keys: Sequence[Column] = ()) -> tuple[str, ...]:
        """What makes a place of these expressions, by the names they get there; `keys` of them tell rows apart."""
        listed = ", ".join(f"{sql} AS {name}" for name, sql in what.items())
        return (f"CREATE TABLE {place} AS SELECT {listed} FROM {source}", *(self.index(place, keys) if keys else ()))  # noqa: S608  quoted

    def changed(self, table: Table, given: Mapping[str, str], source: str, where: str) -> str:
        """What writes values, by quoted column, into the rows ``t`` of a table that `where` pairs with the source."""
        listed = ", ".join(f"{name} = {value}" for name, value in given.items())
        return f"UPDATE {self._name(table)} AS t SET {listed} FROM {source} WHERE {where}"  # noqa: S608  quoted

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

    # What they share.

    def _all_rows(self, loss: Loss, place: str, *, later: bool) -> Texts:
        back = self._inserted(loss, place)
        guards = (
            *(() if later or loss.kind == "table" else self._taken(loss, place)),
            *self._orphaned(loss, place),
        )
        method = "all rows"
        return Texts(place, method, (*self.lock(loss.table), *self._copy(loss, (), place)), back=(back,), guards=guards)

    def _columns(self, loss: Loss, keys: tuple[Column, ...], place: str, *, later: bool) -> Texts:
        table = self._name(loss.table)
        back = self.changed(loss.table, self._given(loss, "u"), f"{place} AS u", self._match("u", keys))
        needed = [c.name for c in loss.columns if not c.nullable and c.default is None and not c.identity]
        guards = []
        if needed and not later:
            sql = f"SELECT 1 FROM {table} AS t WHERE NOT EXISTS ({self._one(place, 'u', keys)})"  # noqa: S608  quoted
            guards.append(
                (sql, f"{_SINCE} have no value for {loss.table.qualified}.{needed[0]}, which may not be empty")
            )
        if not later:
            guards += self._orphaned(loss, place, f"EXISTS (SELECT 1 FROM {table} AS t WHERE {self._match('u', keys)})")  # noqa: S608  quoted
        before = (*self.lock(loss.table), *self._copy(loss, keys, place))
        return Texts(place, "primary key", before, back=(back,), guards=tuple(guards))

    def _values(self, loss: Loss, keys: tuple[Column, ...], place: str, *, later: bool) -> Texts:
        table, new, (column,) = self._name(loss.table), self.beside(place), loss.columns
        now = self.compared("t", column)
        after = self.made(new, {**self._keys(keys), "n1": now}, f"{table} AS t", keys)
        stays = f"SELECT 1 FROM {table} AS t WHERE {self._match('a', keys)} AND {self.same(now, 'a.n1')}"  # noqa: S608  quoted
        first = () if later else (self.without(new, "a", f"NOT EXISTS ({stays})"),)
        ours = f"SELECT 1 FROM {new} AS a WHERE {self._match('a', keys)}"  # noqa: S608  quoted
        match = f"{self._match('u', keys)} AND EXISTS ({ours})"
        back = self.changed(loss.table, self._given(loss, "u"), f"{place} AS u", match)
        before = (*self.lock(loss.table), *self._copy(loss, keys, place))
        return Texts(place, "primary key", before, after, first, (back,))

    def _rows(self, loss: Loss, keys: tuple[Column, ...], place: str, *, later: bool) -> Texts:
        table, new, lost = self._name(loss.table), self.beside(place), loss.columns
        unchanged = " AND ".join(self.same(self.copied("t", c), f"u.o{i}", c) for i, c in enumerate(lost, 1))
        still = f"SELECT 1 FROM {table} AS t WHERE {self._match('u', keys)} AND {unchanged}"  # noqa: S608  quoted
        values = {f"n{i}": self.copied("t", column) for i, column in enumerate(lost, 1)}
        kept = {f"k{i}": f"u.k{i}" for i in range(1, len(keys) + 1)}
        pair = f"{place} AS u JOIN {table} AS t ON {self._match('u', keys)}"
        after = (
            self.without(place, "u", f"EXISTS ({still})"),
            *self.made(new, {**kept, **values}, pair, keys),
        )
        gone = f"NOT EXISTS (SELECT 1 FROM {new} AS a WHERE {self._paired('a', 'u', keys)})"  # noqa: S608  quoted
        goes = set(keys) <= set(lost)  # an UPDATE is kept without the keys, which it does not write: no row goes
        taken = f"SELECT 1 FROM {pair} WHERE {gone}"  # noqa: S608  quoted
        why = f"{_SINCE} have the keys of rows of {loss.table.qualified} that were deleted"
        guards = [(taken, why)] if goes and not later else []
        guards += self._orphaned(loss, place, gone) if goes else ()
        back = [self._merged(loss, keys, place)]
        if goes:
            back.insert(0, f"{self._inserted(loss, place)} WHERE {gone}")
        before = (*self.lock(loss.table), *self._copy(loss, keys, place))
        return Texts(place, "primary key", before, after, (), tuple(filter(None, back)), tuple(guards))

    def _inserted(self, loss: Loss, place: str) -> str:
        names = ", ".join(self.quote(column.name) for column in loss.columns)
        given = ", ".join(self.thawed(f"u.o{i}", column) for i, column in enumerate(loss.columns, 1))
        table = self._name(loss.table)
        return f"INSERT INTO {table} ({names}){self.overriding} SELECT {given} FROM {place} AS u"  # noqa: S608  quoted

    def _merged(self, loss: Loss, keys: tuple[Column, ...], place: str) -> str:
        """Of rows that stayed, each value that nobody wrote since."""
        merged = {
            self.quote(c.name): f"CASE WHEN {self.same(self.copied('t', c), f'a.n{i}', c)} "
            f"THEN {self.thawed(f'u.o{i}', c)} ELSE t.{self.quote(c.name)} END"
            for i, c in enumerate(loss.columns, 1)
            if c not in keys and not self.fixed(c)
        }
        pair = f"{place} AS u JOIN {self.beside(place)} AS a ON {self._paired('a', 'u', keys)}"
        return self.changed(loss.table, merged, pair, self._match("u", keys)) if merged else ""

    def _without_key(self, loss: Loss, place: str, *, later: bool) -> Texts | str:
        """Rows are told apart by all that stays of them; those that are alike can be exchanged without a difference."""
        named = loss.table.qualified
        if loss.kind != "columns" or later:
            return f"nothing tells the rows of {named} apart: it has no primary key"
        rest = [c for c in loss.table.columns if c not in loss.columns and not c.generated]
        table, row = self._name(loss.table), self.whole("t", rest)
        counted = f"SELECT {row} AS r, count(*) AS n FROM {table} AS t GROUP BY 1"  # noqa: S608  quoted
        ours = f"SELECT p.r, count(*) AS n FROM {place} AS p GROUP BY 1"  # noqa: S608  quoted
        missing = f"SELECT 1 FROM ({ours}) AS u LEFT JOIN ({counted}) AS s ON s.r = u.r WHERE s.n IS NULL OR s.n < u.n"  # noqa: S608  quoted
        return Texts(
            place,
            "whole rows",
            (*self.lock(loss.table), *self.made(place, {"r": row, **self._lost(loss)}, self.source(loss))),
            back=self._by_row(loss, place, row),
            guards=((missing, f"rows of {named}, which has no key, are not what the apply left"),),
        )

    def _by_row(self, loss: Loss, place: str, row: str) -> tuple[str, ...]:
        """Give each row the values of the one that was like it, the first to the first."""
        table, finds = self._name(loss.table), self.finds(loss.table)
        kept = ", ".join(f"u.o{i}" for i in range(1, len(loss.columns) + 1))
        first = f"row_number() OVER (PARTITION BY {row}) AS i"
        there = f"SELECT {finds} AS place, {row} AS r, {first} FROM {table} AS t"  # noqa: S608  quoted
        ours = f"SELECT p.*, row_number() OVER (PARTITION BY p.r) AS i FROM {place} AS p"  # noqa: S608  quoted
        pairs = f"SELECT s.place, {kept} FROM ({there}) AS s JOIN ({ours}) AS u ON u.r = s.r AND u.i = s.i"  # noqa: S608  quoted
        return (self.changed(loss.table, self._given(loss, "x"), f"({pairs}) AS x", f"{finds} = x.place"),)

    def _orphaned(self, loss: Loss, place: str, only: str = "") -> Iterator[tuple[str, str]]:
        """For each foreign key: whether what would come back refers to rows that went in the meantime."""
        numbers = {column.name: f"u.o{i}" for i, column in enumerate(loss.columns, 1)}
        for reference in loss.refers:
            ours = [numbers[name] for name in reference.columns if name in numbers]
            if len(ours) == len(reference.columns):
                pairs = zip(ours, reference.to, strict=True)
                match = " AND ".join(self.equal(one, self.copied("t", column)) for one, column in pairs)
                there = f"NOT EXISTS (SELECT 1 FROM {self._name(reference.parent)} AS t WHERE {match})"  # noqa: S608  quoted
                where = " AND ".join([*(f"{one} IS NOT NULL" for one in ours), *([only] if only else []), there])
                why = f"what would come back into {loss.table.qualified} refers to rows of {reference.parent.qualified}"
                yield f"SELECT 1 FROM {place} AS u WHERE {where}", f"{why} that are gone"  # noqa: S608  quoted

    def _taken(self, loss: Loss, place: str) -> Iterator[tuple[str, str]]:
        """For each key of a table that was emptied: whether rows written since have values of rows that were kept."""
        numbers = {column.name: (i, column) for i, column in enumerate(loss.columns, 1)}
        for columns in self._unique(loss.table):
            named = [numbers[name] for name in columns if name in numbers]
            if len(named) == len(columns):
                match = " AND ".join(self.equal(f"u.o{i}", self.copied("t", column)) for i, column in named)
                sql = f"SELECT 1 FROM {place} AS u JOIN {self._name(loss.table)} AS t ON {match}"  # noqa: S608  quoted
                yield sql, f"{_SINCE} have the keys of rows of {loss.table.qualified} that were deleted"

    def _unique(self, table: Table) -> Iterator[tuple[str, ...]]:
        """The columns of each key of which no two rows have the same values."""
        yield from (c.columns for c in table.constraints if c.kind in {"primary_key", "unique"})

    def _copy(self, loss: Loss, keys: Sequence[Column], place: str) -> tuple[str, ...]:
        return self.made(place, {**self._keys(keys), **self._lost(loss)}, self.source(loss), keys)

    def _keys(self, keys: Sequence[Column]) -> dict[str, str]:
        return {f"k{i}": self.copied("t", column) for i, column in enumerate(keys, 1)}

    def _lost(self, loss: Loss) -> dict[str, str]:
        return {f"o{i}": self.copied("t", column) for i, column in enumerate(loss.columns, 1)}

    def _given(self, loss: Loss, alias: str) -> dict[str, str]:
        """What was kept of each column, as it is put back."""
        return {self.quote(c.name): self.thawed(f"{alias}.o{i}", c) for i, c in enumerate(loss.columns, 1)}

    def _match(self, alias: str, keys: Sequence[Column]) -> str:
        """Whether a row of the place is about this row of the table ``t``."""
        return " AND ".join(self.equal(f"{alias}.k{i}", self.copied("t", column)) for i, column in enumerate(keys, 1))

    def _paired(self, one: str, other: str, keys: Sequence[Column]) -> str:
        return " AND ".join(f"{one}.k{i} = {other}.k{i}" for i in range(1, len(keys) + 1))

    def _one(self, place: str, alias: str, keys: Sequence[Column]) -> str:
        return f"SELECT 1 FROM {place} AS {alias} WHERE {self._match(alias, keys)}"  # noqa: S608  quoted

    def _name(self, table: Table) -> str:
        return self.quote(table.schema, table.name)


def numbered(keeper: SqlKeeper, key: str, place: str) -> bool:
    """Whether a place of the manifest is one that we would name so: the manifest is no leave to drop anything else."""
    digits = "".join(c for c in place.rpartition("_")[2] if c in "0123456789")
    return key.isalnum() and key.isascii() and bool(digits) and place == keeper.place(key, int(digits))
