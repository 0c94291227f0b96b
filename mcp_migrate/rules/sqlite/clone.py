"""What would SQLite do? Asked of SQLite itself, on an empty copy of the schema in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from mcp_migrate.schema.model import Index, Schema

_REFUSED = frozenset({sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_OWN_CHECK = "quick_check"
_OWN_ASKED = frozenset({"page_size", "data_version"})
"""What SQLite itself runs, for a column with a CHECK and for a virtual table; without a value they only read."""
_STEPS_BETWEEN_LOOKS = 1_000
_PAGES = 65_536
"""Pages of the copy: a schema is small, and nothing that is tried on it may fill the memory."""
_INNOCUOUS = 0x200000
"""SQLITE_INNOCUOUS: without side effects, and its outcome depends on its arguments and the database alone."""
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
    """A column: whether each row must give it, the text of its default, and whether it is computed."""

    name: str
    type: str
    required: bool
    default: str | None
    hidden: bool


class CloneError(Exception):
    """SQLite refuses the statement on the copy; the text says why, `actions` what it asked leave for before."""

    def __init__(self, why: str, actions: list[Action]) -> None:
        super().__init__(why)
        self.actions = actions


class Clone:
    """The copy. `complete` is False when it is not known to be like the target."""

    def __init__(self, schema: Schema | None) -> None:
        # No statement may be kept: one that is not compiled again asks no leave.
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=0
        )
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        self._connection.execute("PRAGMA foreign_keys = ON")  # so that what a foreign key does is told as well
        self._connection.execute(f"PRAGMA max_page_count = {_PAGES}")
        self._seen: list[Action] = []
        self._harmless: frozenset[str] | None = None
        self._looks = 0
        self._asking = False
        self._connection.set_authorizer(self._authorize)
        self._connection.set_progress_handler(self._look, _STEPS_BETWEEN_LOOKS)
        self.blind = schema is None
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
        with self._translated(asking=True):
            self._connection.execute(f"EXPLAIN {sql}", (None,) * values).close()
        return list(dict.fromkeys(self._seen))

    def ask_of_new_row(self, table: str) -> list[Action]:
        """What the defaults, checks and generated columns of a new row ask leave for; not what it refers to.

        Raises:
            CloneError: no row without values can be made.
        """
        self.rows("PRAGMA foreign_keys = OFF")
        try:
            return self.ask(f"INSERT INTO {quoted(table)} DEFAULT VALUES")
        finally:
            self.rows("PRAGMA foreign_keys = ON")

    def apply(self, sql: str) -> None:
        """Run a statement that changes the schema. Raises: CloneError."""
        with self._translated():
            self._connection.execute(sql).close()

    def program(self, sql: str) -> list[tuple[Any, ...]]:
        """What SQLite compiles a statement to: an operation, its five words. Raises: CloneError."""
        with self._translated(asking=True):
            rows = self._connection.execute(f"EXPLAIN {sql}").fetchall()
        return [row[1:7] for row in rows]

    def columns(self, table: str, database: str = "main") -> tuple[Column, ...]:
        """The columns of a table, virtual table or view as they are now; none where there is none."""
        rows = self.rows(
            "SELECT name, type, [notnull] AND (dflt_value IS NULL OR upper(dflt_value) = 'NULL'), dflt_value, hidden"
            " FROM pragma_table_xinfo(?, ?) ORDER BY cid",
            table,
            database,
        )
        return tuple(
            Column(name, kind, bool(must), default, bool(hidden)) for name, kind, must, default, hidden in rows
        )

    def objects(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Everything in the file: kind and name, to the table it belongs to and the text that made it."""
        rows = self.rows(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        return {(kind, name.lower()): (of.lower(), text or "") for kind, name, of, text in rows}

    def place(self, table: str) -> str:
        """Where the schema keeps a table: a number that stays when it is renamed."""
        rows = self.rows("SELECT rowid FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)", table)
        return str(rows[0][0]) if rows else ""

    def at(self, place: str) -> str:
        """The name of what is kept there."""
        rows = self.rows("SELECT name FROM sqlite_schema WHERE rowid = CAST(? AS INTEGER)", place)
        return str(rows[0][0]) if rows else ""

    def is_unique(self, table: str, index: str) -> bool:
        """Whether an index of the copy lets each value in once. An index that is not there is taken for one."""
        rows = self.rows("SELECT [unique] FROM pragma_index_list(?) WHERE lower(name) = lower(?)", table, index)
        return not rows or bool(rows[0][0])

    def is_computed(self, table: str, index: str) -> bool:
        """Whether an index of the copy holds an expression or leaves rows out. One that is not there does."""
        rows = self.rows(
            "SELECT max(i.partial) OR min(x.cid) < -1 FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS x"
            " WHERE lower(i.name) = lower(?) HAVING count(*)",
            table,
            index,
        )
        return not rows or bool(rows[0][0])

    def table_of(self, index: str) -> str:
        """The table that an index of the copy belongs to; empty when there is none of that name."""
        rows = self.rows("SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND lower(name) = lower(?)", index)
        return str(rows[0][0]) if rows else ""

    def harmless(self) -> frozenset[str]:
        """The functions that SQLite brings itself and calls innocuous in each of their forms."""
        if self._harmless is None:
            rows = self.rows("SELECT lower(name), builtin, flags FROM pragma_function_list")
            refused = {name for name, builtin, flags in rows if not builtin or not flags & _INNOCUOUS}
            self._harmless = frozenset(name for name, *_ in rows) - refused
        return self._harmless

    def is_shadow(self, table: str) -> bool:
        """Whether a table holds what belongs to a virtual one."""
        rows = self.rows("SELECT 1 FROM pragma_table_list(?) WHERE schema = 'main' AND type = 'shadow'", table)
        return bool(rows)

    def is_constant(self, default: str) -> bool:
        """Whether SQLite takes a default for a new column of a table that has rows."""
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as alone:
            alone.set_authorizer(lambda code, *_: sqlite3.SQLITE_DENY if code in _REFUSED else sqlite3.SQLITE_OK)
            try:
                alone.execute("CREATE TABLE t (a)")
                alone.execute("INSERT INTO t VALUES (1)")
                alone.execute(f"ALTER TABLE t ADD COLUMN b DEFAULT ({default})")
            except sqlite3.Error:
                return False
        return True

    def refers(self, table: str, column: str) -> bool:
        """Whether a column has a foreign key."""
        rows = self.rows("SELECT 1 FROM pragma_foreign_key_list(?) WHERE lower([from]) = lower(?)", table, column)
        return bool(rows)

    def set(self, name: str, *, on: bool) -> None:
        """Switch a setting of the copy as the plan switches that of its connection."""
        self.rows(f"PRAGMA {name} = {'ON' if on else 'OFF'}")

    def text(self, name: str) -> str:
        """The text that made a table, view or trigger; empty when there is none of that name."""
        rows = self.rows(
            "SELECT sql FROM sqlite_schema WHERE type <> 'index' AND lower(name) = lower(?1) UNION ALL"
            " SELECT sql FROM sqlite_temp_schema WHERE type <> 'index' AND lower(name) = lower(?1)",
            name,
        )
        return "\n".join(str(row[0]) for row in rows)

    def rows(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        """What a query of ours finds in the copy."""
        self._connection.set_authorizer(None)
        try:
            return self._connection.execute(sql, values).fetchall()
        finally:
            self._connection.set_authorizer(self._authorize)

    @contextmanager
    def _translated(self, *, asking: bool = False) -> Iterator[None]:
        self._seen, self._looks, self._asking = [], 0, asking
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise CloneError(str(error), self._seen) from error

    def _authorize(self, *said: int | str | None) -> int:
        code, *words = said
        self._seen.append(Action(int(code or 0), *(str(word or "") for word in words)))
        own = words[0] == _OWN_CHECK or (words[0] in _OWN_ASKED and words[1] is None)
        if own or code not in _REFUSED:
            return sqlite3.SQLITE_OK
        # Ignored, it is compiled to nothing, and whatever stands behind it is seen as a second statement.
        return sqlite3.SQLITE_IGNORE if self._asking else sqlite3.SQLITE_DENY

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
