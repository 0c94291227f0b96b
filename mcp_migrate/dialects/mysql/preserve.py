"""Which SQL keeps rows of a MySQL or MariaDB database and puts them back?

Places are tables beside the user's, with names that readers leave out: a database is a schema here, so a place in
another one could not be tried on a scratch database by the same text. Nothing rolls DDL back, so a place is made empty,
if it is not there; what fills it is part of a transaction with the loss, or comes while nobody else can write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mcp_migrate.dialects.guards import orphaned
from mcp_migrate.dialects.keeper import Loss, Readd, Texts
from mcp_migrate.dialects.mysql import parking
from mcp_migrate.dialects.mysql.adding import assigned, made_again, nulls_taken
from mcp_migrate.dialects.mysql.itself import in_any_order, own_keys
from mcp_migrate.dialects.mysql.reader import UNDO
from mcp_migrate.dialects.mysql.whole_rows import MysqlWholeRows
from mcp_migrate.dialects.mysql.words import stays_inside, words
from mcp_migrate.dialects.preserving import SqlKeeper
from mcp_migrate.drivers.mysql import quote
from mcp_migrate.model import Kept, Statement
from mcp_migrate.schema.model import Column, Schema, Table

MANIFEST = quote(UNDO)
_COLUMNS = (
    "`key` VARCHAR(32) NOT NULL, place VARCHAR(80) PRIMARY KEY, source VARCHAR(200) NOT NULL, `columns` TEXT NOT NULL,"
    " method VARCHAR(32) NOT NULL, `rows` BIGINT NOT NULL, kept_at DATETIME NOT NULL, until DATETIME NOT NULL"
)
_SHAPE = "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
_LONG = ("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob")
IN_PLACE = frozenset({"rows", "exchanged"})
"""What is lost in a transaction, under the locks of its rows, instead of under a lock on the table."""

_SPATIAL = ("geometry", "point", "linestring", "polygon", "multi", "geom")


class MysqlKeeper(MysqlWholeRows, SqlKeeper):
    """The texts for both products."""

    def texts(self, loss: Loss, *, key: str, n: int, later: bool) -> Texts | str:
        """As for others; then sorted into what makes a place, what fills it, and what is locked meanwhile."""
        if why := _unfit(loss):
            return why
        texts = super().texts(loss, key=key, n=n, later=later)
        if isinstance(texts, str):
            return texts
        if own_keys(loss.table):
            texts = in_any_order(loss, texts)
        every = [*texts.before, *texts.after]
        return replace(
            texts,
            places=tuple(sql for sql in every if _makes_place(sql)),
            before=tuple(sql for sql in texts.before if not _makes_place(sql)),
            after=tuple(sql for sql in texts.after if not _makes_place(sql)),
            holds=() if loss.kind in IN_PLACE else (self.named(loss.table), texts.place, MANIFEST),
        )

    def place(self, key: str, n: int) -> str:
        """A table beside the user's."""
        return quote(f"{UNDO}_{key}_{n}")

    def beside(self, place: str) -> str:
        """The second place."""
        return f"{place.removesuffix('`')}_new`"

    def quote(self, *names: str) -> str:
        """In back quotes."""
        return quote(*names)

    def fixed(self, column: Column) -> bool:
        """A counter's values are not written anew: it would not know."""
        return column.identity is not None

    def folded(self, name: str) -> str:
        """Without the database, which a plan does not name, and without case."""
        return name.rpartition(".")[2].lower()

    def same(self, one: str, other: str, column: Column | None = None) -> str:
        """Texts and shapes to the byte, whatever their collation says."""
        exact = f"CAST({one} AS BINARY) <=> CAST({other} AS BINARY)"
        if column is None:
            return f"({one} <=> {other} AND {exact})"
        return exact if _type(column).startswith((*_TEXTS, *_SPATIAL)) else f"{one} <=> {other}"

    def whole(self, alias: str, columns: Sequence[Column]) -> str:
        """A hash: what is sorted by a longer text is sorted by the start of it."""
        values = (self._literal(self.copied(alias, column), column) for column in columns)
        return f"SHA2(CONCAT_WS(',', {', '.join(values) or chr(39) * 2}), 256)"

    def source(self, loss: Loss) -> str:
        """A lock on tables counts for names, and of several tables only one could be called ``t``."""
        name = self.named(loss.table)
        listed = ", ".join(quote(column.name) for column in loss.table.columns)
        return f"{name} AS t" if loss.kind in IN_PLACE else f"(SELECT {listed} FROM {name}) AS t"  # noqa: S608  quoted

    def made(self, place: str, what: Mapping[str, str], source: str, keys: Sequence[Column] = ()) -> tuple[str, ...]:
        """Made empty, emptied if it was there, and filled."""
        listed = ", ".join(f"{sql} AS {name}" for name, sql in what.items())
        key = ", ".join(f"k{i}" for i in range(1, len(keys) + 1))
        key = ", ".join(name for name in ("r", "i") if name in what) or key
        index = f" (KEY ({key}))" if key and not any(_type(each).startswith(_LONG) for each in keys) else ""
        return (
            f"CREATE TABLE IF NOT EXISTS {place}{index} ENGINE=InnoDB AS SELECT {listed} FROM {source} LIMIT 0",  # noqa: S608  quoted
            f"DELETE FROM {place}",  # noqa: S608  quoted
            f"INSERT INTO {place} ({', '.join(what)}) SELECT {', '.join(what.values())} FROM {source}",  # noqa: S608  quoted
        )

    def changed(self, table: Table, given: Mapping[str, str], source: str, where: str) -> str:
        """Columns that follow each change of their row are told to stay as they are."""
        follow = (quote(c.name) for c in table.columns if any(o.startswith("on update") for o in c.options))
        values = {**{name: f"t.{name}" for name in follow}, **given}
        listed = ", ".join(f"t.{name} = {value}" for name, value in values.items())
        return f"UPDATE {self.named(table)} AS t JOIN {source} SET {listed} WHERE {where}"  # noqa: S608  quoted

    def without(self, place: str, alias: str, where: str) -> str:
        """With the name of what rows are taken from, which both products need for an alias."""
        return f"DELETE {alias} FROM {place} AS {alias} WHERE {where}"

    def counters(self, loss: Loss, *, key: str, n: int) -> Texts | None:  # noqa: ARG002  kept with the rows
        """How far a table has counted is kept beside its rows."""
        return None

    def opening(self, *, present: bool) -> tuple[str, ...]:  # noqa: ARG002  the rights to a table are all it takes
        """The manifest."""
        return (f"CREATE TABLE IF NOT EXISTS {MANIFEST} ({_COLUMNS}) {_SHAPE}",)

    def around(self, texts: Sequence[Texts]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Places first: none can be made while tables are locked. The lock outlasts the loss, unlike transactions."""
        places = tuple(sql for each in texts for sql in each.places)
        held = dict.fromkeys(name for each in texts for name in each.holds)
        if not held:
            return places, ()
        return (*places, f"LOCK TABLES {', '.join(f'{name} WRITE' for name in held)}"), ("UNLOCK TABLES",)

    def commits(self, sql: str) -> bool:
        """All that is no plain work on rows."""
        return not stays_inside(sql)

    def again(self, ran: Sequence[Statement]) -> tuple[Statement, ...]:
        """From the lock on, if the loss it was taken for did not run: it is gone, and rows may be newer."""
        ours = [words(s.sql, 1) if s.kind == "preserve" else [] for s in ran]
        locked = max((at for at, first in enumerate(ours) if first == ["LOCK"]), default=len(ran))
        section = tuple(ran[locked:])
        return () if any(s.kind != "preserve" for s in section) or ["UNLOCK"] in ours[locked:] else section

    def parked(self, loss: Loss, *, key: str, n: int, schema: Schema) -> tuple[Texts, ...] | str:
        """Under a name that readers leave out."""
        return parking.parked(loss, place=self.place(key, n), schema=schema, orphans=self._orphans)

    def remade(self, statements: Sequence[str], loss: Loss) -> tuple[int, ...]:
        """By a second reader of SQL."""
        return parking.remade(statements, loss, made_again)

    def _orphans(self, loss: Loss, place: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
        return orphaned(self, loss, place, names=names)

    def noted(self, kept: Kept, *, key: str, seconds: float, rows: int | None = None) -> str:
        """One line of it."""
        texts = [key, kept.place, kept.table, ", ".join(kept.columns), kept.method]
        given = ", ".join(map(_text, texts))
        until = f"utc_timestamp() + INTERVAL {seconds:.0f} SECOND"
        count, source = ("count(*)", f" FROM {kept.place}") if kept.ends is None else (rows or 0, "")
        return f"INSERT INTO {MANIFEST} SELECT {given}, {count}, utc_timestamp(), {until}{source}"

    def spent(self, key: str, places: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
        """The lines, while rows can still be rolled back; then the tables."""
        drops = (f"DROP TABLE IF EXISTS {name}" for place, _second in places for name in (place, self.beside(place)))
        return (f"DELETE FROM {MANIFEST} WHERE `key` = {_text(key)}", *drops)  # noqa: S608  quoted

    def removed(self, key: str, place: str) -> tuple[str, ...]:
        """What removes one place and its line."""
        line = f"DELETE FROM {MANIFEST} WHERE place = {_text(place)} AND `key` = {_text(key)}"  # noqa: S608  quoted
        return (f"DROP TABLE IF EXISTS {place}", f"DROP TABLE IF EXISTS {self.beside(place)}", line)

    def sets(self, sql: str) -> tuple[str, frozenset[str]] | None:
        """By a second reader of SQL; of one table alone, in this database."""
        return assigned(sql)

    def readd(self, statements: Sequence[str], table: Table, column: Column | None) -> Readd | None:
        """A column that takes no null takes it until its values are back: not every type has an empty value."""
        for at, sql in enumerate(statements):
            if column is None and made_again(sql) == table.name:
                return Readd(at, 1, (sql,), ())
            if column is not None and (parts := nulls_taken(sql, table.name, column.name)):
                return Readd(at, 1, (parts[0],), (parts[1],))
        return None

    def _all_rows(self, loss: Loss, place: str, *, later: bool) -> Texts:
        """With how far the table has counted: a row of that number is there for a moment when the rows come back."""
        texts = super()._all_rows(loss, place, later=later)
        counted = next((i for i, column in enumerate(loss.columns, 1) if column.identity), None)
        if counted is None or self.keys(loss.table) != (loss.columns[counted - 1],):
            return texts
        number, name = f"u.o{counted}", quote(loss.columns[counted - 1].name)
        counter = (
            "(SELECT i.auto_increment FROM information_schema.tables AS i WHERE i.table_schema = database()"  # noqa: S608  quoted
            f" AND i.table_name = {_text(loss.table.name)})"
        )
        last = f"{number} = (SELECT max(m.o{counted}) FROM {place} AS m) AND u.c1 - 1 > {number}"  # noqa: S608  quoted
        given = {name: f"CASE WHEN {last} THEN u.c1 - 1 ELSE {number} END"}
        put = self._put(loss, place, {**self.given(loss, "u"), **given})
        back = (put, self.changed(loss.table, {name: number}, f"{place} AS u", f"t.{name} = u.c1 - 1 AND {last}"))
        before = self.made(place, {**self.lost(loss), "c1": counter}, self.source(loss))
        return replace(texts, before=before, back=back)

    def _values(self, loss: Loss, keys: tuple[Column, ...], place: str, *, later: bool) -> Texts:
        """What the change made of a value is what the column, as it is by then, takes it for."""
        table, new, (column,) = self.named(loss.table), self.beside(place), loss.columns
        now = self.copied("t", column)
        stays = f"SELECT 1 FROM {table} AS t WHERE {self._match('a', keys)} AND {self.same(now, 'a.n1')}"  # noqa: S608  quoted
        made, emptied, _filled = self.made(new, {**self._keys(keys), "n1": now}, f"{table} AS t", keys)
        names = ", ".join(self._keys(keys))
        taken = f"INSERT INTO {new} ({names}, n1) SELECT {names}, o1 FROM {place}"  # noqa: S608  quoted
        first = () if later else (made, emptied, taken, self.without(new, "a", f"NOT EXISTS ({stays})"))
        ours = "" if later else f" AND EXISTS (SELECT 1 FROM {new} AS a WHERE {self._match('a', keys)})"  # noqa: S608  quoted
        back = self.changed(loss.table, self.given(loss, "u"), f"{place} AS u", f"{self._match('u', keys)}{ours}")
        return Texts(place, "primary key", self._copy(loss, keys, place), first=first, back=(back,))

    def unique(self, table: Table) -> Iterator[tuple[str, ...]]:
        """A unique constraint is an index here."""
        yield from super().unique(table)
        names = {column.name for column in table.columns}
        for index in table.indexes:
            listed = tuple(index.definition.removeprefix(f"{index.name} (").rpartition(")")[0].split(", "))
            if index.unique and names.issuperset(listed):
                yield listed

    def _put(self, loss: Loss, place: str, given: Mapping[str, str]) -> str:
        listed, values = ", ".join(given), ", ".join(given.values())
        return f"INSERT INTO {self.named(loss.table)} ({listed}) SELECT {values} FROM {place} AS u"  # noqa: S608  quoted

    def _literal(self, value: str, column: Column) -> str:
        """So that no two values look alike: a float in full, a text by its bytes."""
        exact = f"{value} + 0e0" if _type(column).startswith("float") else value
        return f"QUOTE(CAST({exact} AS BINARY))"

    def named(self, table: Table) -> str:
        """Without its database: on a scratch database it is another."""
        return quote(table.name)


def _unfit(loss: Loss) -> str | None:
    """Why nothing of this can be kept."""
    engine = next((o for o in loss.table.options if o.startswith("engine ")), None)
    if "system versioned" in loss.table.options:
        return f"what {loss.table.qualified} was before its rows were changed, which it tells itself, is not kept"
    if engine and (loss.kind in IN_PLACE or not any(c.kind == "primary_key" for c in loss.table.constraints)):
        return f"{loss.table.qualified} has no transactions ({engine}): rows could be written between copy and loss"
    foreign = [c for c in loss.table.constraints if c.kind == "foreign_key"]
    others = len(foreign) - len(own_keys(loss.table))
    if own_keys(loss.table) and loss.kind in {"rows", "exchanged", "emptied"} and others != len(loss.refers):
        return f"{loss.table.qualified} refers to itself and to another table that is changed as well"
    return None


def _makes_place(sql: str) -> bool:
    return sql.startswith("CREATE TABLE ")


def _type(column: Column) -> str:
    return column.type.lower()


def _text(value: str) -> str:
    """A literal. A back slash is no part of any name that the rules let through, nor of what we write."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
