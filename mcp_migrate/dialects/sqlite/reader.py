"""What is in a SQLite database? Read from its schema table and pragmas."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mcp_migrate.dialects.interface import Mark
from mcp_migrate.errors import ConfigInvalidError, TargetUnreachableError
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table

OURS = "_mcp_migrate"
MARKS = f"{OURS}_applies"


class SqliteReader:
    """Reads through one open connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def schema(self, *, version_table: str) -> Schema:
        """The whole schema but for the version table, SQLite's own tables and ours."""
        version = version_table.rpartition(".")[2]
        rows = self._ask("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")
        kept = [row for row in rows if not _hidden(row[2], version)]
        facts = _Facts(self)
        return Schema(
            dialect="sqlite",
            tables=tuple(facts.table(name, sql) for kind, name, _, sql in kept if kind == "table"),
            others=tuple(
                Other(kind, "main", name, _normal(sql), f"main.{table}" if kind == "trigger" else None, text=sql)
                for kind, name, table, sql in kept
                if kind in {"view", "trigger"}
            ),
        )

    def revisions(self, version_table: str) -> tuple[str, ...]:
        """The rows of Alembic's version table, sorted."""
        name = version_table.rpartition(".")[2]
        if not self._ask("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", name):
            return ()
        return tuple(str(row[0]) for row in self._ask(f"SELECT version_num FROM {quote(name)} ORDER BY 1"))  # noqa: S608  quoted

    def mark(self, apply_id: str) -> Mark | None:
        """What this apply left here."""
        if not self._ask("SELECT 1 FROM main.sqlite_schema WHERE name = ?", MARKS):
            return None
        rows = self._ask(f"SELECT plan, done FROM main.{MARKS} WHERE apply_id = ?", apply_id)  # noqa: S608  a constant
        return Mark(*rows[0]) if rows else None

    def count_rows(self, tables: Iterable[str]) -> Mapping[str, int]:
        """Rows of each ``main.table`` that exists."""
        there = {row[0].casefold() for row in self._ask("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        names = {table: table.partition(".")[2] for table in tables}
        return {
            table: int(self._ask(f"SELECT count(*) FROM {quote(name)}")[0][0])  # noqa: S608  quoted
            for table, name in names.items()
            if name.casefold() in there
        }

    def _ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()


class _Facts:
    """The pragmas of all tables, each asked once."""

    def __init__(self, reader: SqliteReader) -> None:
        of_tables = "FROM sqlite_schema AS s, pragma_{}(s.name) AS p WHERE s.type = 'table'"
        self._columns = _by_table(
            reader._ask("SELECT s.name, p.* " + of_tables.format("table_xinfo") + " ORDER BY s.name, p.cid")  # noqa: SLF001
        )
        self._foreign = _by_table(
            reader._ask("SELECT s.name, p.* " + of_tables.format("foreign_key_list") + " ORDER BY s.name, p.id, p.seq")  # noqa: SLF001
        )
        self._indexes = _by_table(
            reader._ask(  # noqa: SLF001
                "SELECT s.name, i.name, i.[unique], i.origin, i.partial, d.sql, x.name, x.[desc], x.coll "
                "FROM sqlite_schema AS s, pragma_index_list(s.name) AS i, pragma_index_xinfo(i.name) AS x "
                "LEFT JOIN sqlite_schema AS d ON d.type = 'index' AND d.name = i.name "
                "WHERE s.type = 'table' AND x.key ORDER BY s.name, i.name, x.seqno"
            )
        )

    def table(self, name: str, sql: str) -> Table:
        text = sql or ""
        return Table(
            schema="main",
            name=name,
            columns=tuple(_column(row, text) for row in self._columns.get(name, ())),
            constraints=(*self._keys(name), *self._references(name), *checks(text)),
            indexes=tuple(self._plain_indexes(name)),
            options=_options(text),
            definition=sql,
        )

    def _keys(self, name: str) -> Iterator[Constraint]:
        key = [row for row in self._columns.get(name, ()) if row[5]]
        if key:
            columns = tuple(row[1] for row in sorted(key, key=lambda row: row[5]))
            yield Constraint("primary_key", None, columns, f"PRIMARY KEY ({', '.join(columns)})")
        for rows in _grouped(self._indexes.get(name, ()), 0).values():
            if rows[0][2] == "u":  # made by a UNIQUE constraint; its name is generated
                columns = tuple(str(row[5]) for row in rows)
                yield Constraint("unique", None, columns, f"UNIQUE ({', '.join(columns)})")

    def _references(self, name: str) -> Iterator[Constraint]:
        for rows in _grouped(self._foreign.get(name, ()), 0).values():
            columns, there = tuple(row[3] for row in rows), ", ".join(str(row[4] or "") for row in rows)
            table, on_update, on_delete = rows[0][2], rows[0][5], rows[0][6]
            text = f"FOREIGN KEY ({', '.join(columns)}) REFERENCES {table} ({there})"
            for word, action in (("UPDATE", on_update), ("DELETE", on_delete)):
                text += f" ON {word} {action}" if action != "NO ACTION" else ""
            yield Constraint("foreign_key", None, columns, text, refers_to=f"main.{table}({there})")

    def _plain_indexes(self, name: str) -> Iterator[Index]:
        for index, rows in _grouped(self._indexes.get(name, ()), 0).items():
            _name, unique, origin, partial, sql = rows[0][:5]
            if origin != "c":
                continue
            keys = ", ".join(f"{row[5] or '(expression)'}{' DESC' if row[6] else ''} {row[7]}" for row in rows)
            # The text is needed only where the pragma does not tell all: expressions and predicates.
            extra = f" {_normal(sql)}" if partial or any(row[5] is None for row in rows) else ""
            yield Index(index, f"{index} ({keys}){extra}", unique=bool(unique), text=sql)


@contextmanager
def open_reader(url: str) -> Iterator[SqliteReader]:
    """A read-only session; a file that is not there yet is an empty database, as it is for Alembic.

    Raises:
        TargetUnreachableError: it cannot be opened, or is no database.
    """
    path = sqlite_path(url)
    if not path.parent.is_dir():
        raise unreachable(path, "its folder does not exist")
    name = f"{path.absolute().as_uri()}?mode=ro" if path.exists() else ":memory:"
    try:
        with closing(sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema")
            yield SqliteReader(connection)
    except sqlite3.DatabaseError as error:
        raise unreachable(path, str(error)) from error


def sqlite_path(url: str) -> Path:
    """The file of a SQLAlchemy URL. Raises: ConfigInvalidError: it names none."""
    scheme, _, rest = url.partition("://")
    path = unquote(urlsplit(f"x://{rest}").path).removeprefix("/")
    if not scheme.startswith("sqlite") or path in {"", ":memory:"} or "mode=memory" in rest:
        raise ConfigInvalidError("A SQLite target needs a file.", hint="Write its URL as sqlite:///folder/file.db.")
    return Path(path)


def unreachable(path: Path, why: str) -> TargetUnreachableError:
    """The error for a file that is no target."""
    return TargetUnreachableError(
        f"The SQLite database {path.name} cannot be opened: {why}.", hint="Check the target's url and file rights."
    )


def quote(name: str) -> str:
    """`name` as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def checks(sql: str) -> Iterator[Constraint]:
    """The CHECK constraints of a CREATE TABLE text; the pragmas do not tell them."""
    tokens = re.split(r"\bCHECK\s*\(", sql, flags=re.IGNORECASE)
    for before, rest in itertools.pairwise(tokens):
        named = re.search(r"CONSTRAINT\s+(\"[^\"]+\"|\w+)\s*$", before, flags=re.IGNORECASE)
        body = _normal(_until_closed(rest))
        yield Constraint("check", named[1].strip('"') if named else None, (), f"CHECK ({body})")


def _until_closed(text: str) -> str:
    depth, quoted = 1, ""
    for position, character in enumerate(text):
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "'\"":
            quoted = character
        elif character in "()":
            depth += 1 if character == "(" else -1
            if not depth:
                return text[:position]
    return text


def _column(row: tuple[Any, ...], sql: str) -> Column:
    _cid, name, kind, not_null, default, _pk, hidden = row
    generated = {2: "VIRTUAL", 3: "STORED"}.get(hidden)
    if generated:  # the expression stands only in the text
        found = re.search(re.escape(name) + r"\W[^,]*?\bAS\s*\(", sql, flags=re.IGNORECASE)
        generated += f" ({_normal(_until_closed(sql[found.end() :]))})" if found else ""
    return Column(name, kind.upper(), not not_null, default=default, generated=generated)


def _options(sql: str) -> tuple[str, ...]:
    tail = sql[sql.rfind(")") + 1 :].upper()
    words = [word for word in ("WITHOUT ROWID", "STRICT") if word in tail]
    if re.search(r"\bAUTOINCREMENT\b", sql, flags=re.IGNORECASE):
        words.append("AUTOINCREMENT")
    if sql.upper().startswith("CREATE VIRTUAL"):
        words.append(_normal(sql))
    return tuple(words)


def _normal(sql: str | None) -> str:
    """One spelling of the same text: white space folded outside quotes."""
    parts = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")", sql or "")
    return "".join(part if index % 2 else re.sub(r"\s+", " ", part) for index, part in enumerate(parts)).strip()


def _hidden(table: str, version: str) -> bool:
    return table.startswith(("sqlite_", OURS)) or table == version


def _by_table(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    return _grouped([tuple(row) for row in rows], 0, strip=True)


def _grouped(rows: Iterable[tuple[Any, ...]], column: int, *, strip: bool = False) -> dict[Any, list[tuple[Any, ...]]]:
    groups: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row[1:] if strip else row)
    return groups
