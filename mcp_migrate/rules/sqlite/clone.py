"""What would SQLite do? Asked of SQLite itself, on an empty copy of the schema in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mcp_migrate.schema.model import Index, Schema

_REFUSED = frozenset({sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_OWN_CHECK = "quick_check"
"""The pragma that SQLite itself runs when a column comes with a CHECK; it only reads."""
_STEPS_BETWEEN_LOOKS = 1_000
_LONGEST = 20_000_000
"""Bytes of one value or text: nothing that is asked of the copy may fill the memory."""
_LOOKS = 1_000


@dataclass(frozen=True, slots=True)
class Action:
    """One thing SQLite asked leave for: a code of its authorizer, two words, the database, the trigger or view."""

    code: int
    first: str
    second: str
    database: str
    inside: str


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    required: bool


Shape = dict[str, tuple[Column, ...]]
"""Tables by lower-case name, and their columns."""


class CloneError(Exception):
    """SQLite refuses the statement on the copy; the text says why, `actions` what it asked leave for before."""

    def __init__(self, why: str, actions: list[Action]) -> None:
        super().__init__(why)
        self.actions = actions


class Clone:
    """The copy. `complete` is False when it is not known to be like the target."""

    def __init__(self, schema: Schema | None) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        self._connection.execute("PRAGMA foreign_keys = ON")  # so that what a foreign key does is told as well
        self._seen: list[Action] = []
        self._looks = 0
        self._connection.set_authorizer(self._authorize)
        self._connection.set_progress_handler(self._look, _STEPS_BETWEEN_LOOKS)
        self.complete = schema is not None and all(self._copied(*text) for text in _texts(schema))
        for index in (index for table in (schema.tables if schema else ()) for index in table.indexes):
            self._copy_index(index)

    def close(self) -> None:
        self._connection.close()

    def ask(self, sql: str, values: int = 0) -> list[Action]:
        """What one statement asks leave for, without running it.

        Raises:
            CloneError: it is not one statement that SQLite can run on this schema.
        """
        with self._translated():
            self._connection.execute(f"EXPLAIN {sql}", (None,) * values).close()
        return list(dict.fromkeys(self._seen))

    def ask_of_new_row(self, table: str) -> list[Action]:
        """What the defaults, checks and generated columns of a new row ask leave for; not what it refers to.

        Raises:
            CloneError: no row without values can be made.
        """
        self._rows("PRAGMA foreign_keys = OFF")
        try:
            return self.ask(f"INSERT INTO {quoted(table)} DEFAULT VALUES")
        finally:
            self._rows("PRAGMA foreign_keys = ON")

    def apply(self, sql: str) -> None:
        """Run a statement that changes the schema. Raises: CloneError."""
        with self._translated():
            self._connection.execute(sql).close()

    def shape(self) -> Shape:
        """The tables as they are now."""
        rows = self._rows(
            "SELECT m.name, c.name, c.[notnull] AND (c.dflt_value IS NULL OR upper(c.dflt_value) = 'NULL')"
            " FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c WHERE m.type = 'table' ORDER BY m.name, c.cid"
        )
        tables: Shape = {}
        for table, column, required in rows:
            tables[table.lower()] = (*tables.get(table.lower(), ()), Column(column, bool(required)))
        return tables

    def is_unique(self, index: str) -> bool:
        """Whether an index of the copy lets each value in once. An index that is not there is taken for one."""
        rows = self._rows(
            "SELECT i.[unique] FROM sqlite_schema AS m, pragma_index_list(m.name) AS i"
            " WHERE m.type = 'table' AND lower(i.name) = lower(?)",
            index,
        )
        return not rows or bool(rows[0][0])

    def is_computed(self, index: str) -> bool:
        """Whether an index of the copy holds an expression or leaves rows out. One that is not there does."""
        rows = self._rows(
            "SELECT i.partial OR min(x.cid) < -1 FROM sqlite_schema AS m, pragma_index_list(m.name) AS i,"
            " pragma_index_xinfo(i.name) AS x WHERE m.type = 'table' AND lower(i.name) = lower(?) GROUP BY i.name",
            index,
        )
        return not rows or bool(rows[0][0])

    def text(self, name: str) -> str:
        """The text that made a table, view or trigger; empty when there is none of that name."""
        rows = self._rows("SELECT sql FROM sqlite_schema WHERE type <> 'index' AND lower(name) = lower(?)", name)
        return "\n".join(str(row[0]) for row in rows)

    def _rows(self, sql: str, *values: str) -> list[tuple[str, ...]]:
        self._connection.set_authorizer(None)
        try:
            return self._connection.execute(sql, values).fetchall()
        finally:
            self._connection.set_authorizer(self._authorize)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._seen, self._looks = [], 0
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise CloneError(str(error), self._seen) from error

    def _authorize(self, *said: int | str | None) -> int:
        code, *words = said
        self._seen.append(Action(int(code or 0), *(str(word or "") for word in words)))
        refused = code in _REFUSED and words[0] != _OWN_CHECK
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    def _look(self) -> int:
        """End what runs on and on: nothing in an empty database takes long."""
        self._looks += 1
        return int(self._looks > _LOOKS)

    def _copied(self, kind: str, name: str, text: str) -> bool:
        try:
            self.apply(text)
        except CloneError:
            # A virtual table has made its own tables; without a view whatever names it is refused.
            return kind == "view" or bool(self.text(name))
        return True

    def _copy_index(self, index: Index) -> None:
        """Without the text that made it, it is not there, and nothing looks safer for that."""
        try:
            self.apply(index.text or "")
        except CloneError:
            return


def _texts(schema: Schema) -> Iterator[tuple[str, str, str]]:
    for table in schema.tables:
        yield "table", table.name, table.definition or ""
    for kind in ("view", "trigger"):
        for other in schema.others:
            if other.kind == kind:
                yield kind, other.name, other.text or other.definition


def quoted(name: str) -> str:
    """`name` as an identifier."""
    return '"' + name.replace('"', '""') + '"'
