"""Which statements make a database like the target? Those that the server itself tells of it, without whose they are.

Not every kind of thing is remade: what came of it is read again, and counts only if it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mcp_migrate.dialects.mysql.objects import without_database
from mcp_migrate.dialects.mysql.reader import OURS, MysqlReader
from mcp_migrate.drivers.mysql import SQL_MODE, connect, driver, quote
from mcp_migrate.schema import shape
from mcp_migrate.schema.model import Schema

_DEFINER = re.compile(r"^(CREATE (?:ALGORITHM=\w+ )?)DEFINER=`(?:[^`]|``)*`@`(?:[^`]|``)*` ")
"""As SHOW CREATE writes it: an account of the target is not there, and nobody may act for another."""
_KEY = re.compile(r"  KEY `((?:[^`]|``)*)` \((.*)\),?")
_FOREIGN = re.compile(r"  CONSTRAINT `((?:[^`]|``)*)` FOREIGN KEY \(((`(?:[^`]|``)*`).*?)\) REFERENCES .*")
_NUMBERED = re.compile(r".*_ibfk_\d+")
_TABLES = frozenset({"BASE TABLE", "SYSTEM VERSIONED"})
_TEXT_AT = {"TABLE": 1, "SEQUENCE": 1, "VIEW": 1, "TRIGGER": 2, "PROCEDURE": 2, "FUNCTION": 2, "EVENT": 3}
_MODE_AT = {"TRIGGER": 1, "PROCEDURE": 1, "FUNCTION": 1, "EVENT": 1}
"""Where in its row SHOW CREATE has the text, and the SQL mode that it was written in."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement, and the SQL mode in which it means what it meant."""

    sql: str
    mode: str = SQL_MODE


def remake(source: str, scratch: str, schema: Schema, *, version_table: str, revisions: Iterable[str] | None) -> bool:
    """Fill an empty database like the one at `source`; `revisions` are the rows of the version table, None without it.

    False where the server refuses any of it, or where what came of it is not `schema`; then it is empty again.
    """
    with connect(source) as reading, connect(scratch) as writing:
        reader, writer = MysqlReader(reading, source), MysqlReader(writing, scratch)
        try:
            told = list(_statements(reader, version_table, present=revisions is not None))
        except driver().Error:
            return False
        implying = [replace(each, sql=_implying(each.sql)) for each in told]
        made = any(_gives(writer, each, schema, version_table) for each in (implying, told))
        for revision in (revisions or ()) if made else ():
            writer.ask(f"INSERT INTO {quote(version_table)} VALUES (%s)", revision)  # noqa: S608  quoted
        return made


def _gives(writer: MysqlReader, statements: Sequence[_Made], schema: Schema, version_table: str) -> bool:
    """Whether these statements make that; if not, nothing of them stays."""
    try:
        _fill(writer, statements)
        if shape(writer.schema(version_table=version_table)) == shape(schema):
            return True
    except driver().Error:
        pass
    _empty(writer)
    return False


def _fill(writer: MysqlReader, statements: Sequence[_Made]) -> None:
    """In the order in which the server takes them: what fails waits for what it needs."""
    writer.ask("SET SESSION foreign_key_checks = 0")
    while statements:
        left: list[_Made] = []
        for each in statements:
            try:
                writer.ask("SET SESSION sql_mode = %s", each.mode)
                writer.ask(each.sql)
            except driver().Error:
                if len(left) + 1 == len(statements):
                    raise
                left.append(each)
        statements = left


def _statements(reader: MysqlReader, version_table: str, *, present: bool) -> Iterator[_Made]:
    if present and not any(name == version_table for name, *_rest in reader.named_block("tables")):
        yield _Made(f"CREATE TABLE {quote(version_table)} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    for name, kind, *_rest in reader.named_block("tables"):
        hidden = str(name).startswith(OURS) or (name == version_table and not present)
        if kind in _TABLES and not hidden:
            yield _shown(reader, "TABLE", name)
        elif kind == "SEQUENCE" and not hidden:
            yield _shown(reader, "SEQUENCE", name)
    for name, kind, *_rest in reader.named_block("routines"):
        yield _shown(reader, kind, name)
    for (name,) in reader.named_block("view names"):
        yield _shown(reader, "VIEW", name)
    triggers = sorted(reader.named_block("triggers"), key=lambda row: row[1:5])  # one by one, as they fire
    for name, *_rest in triggers:
        yield _shown(reader, "TRIGGER", name)
    for name, *_rest in reader.named_block("events"):
        yield _shown(reader, "EVENT", name)


def _shown(reader: MysqlReader, kind: str, name: str) -> _Made:
    """What the server says made it. A view names the tables of its own database in full."""
    [row] = reader.ask(f"SHOW CREATE {kind} {quote(name)}")
    text = _DEFINER.sub(r"\1", str(row[_TEXT_AT[kind]]))
    mode = str(row[_MODE_AT[kind]]) if kind in _MODE_AT else SQL_MODE
    return _Made(without_database(text, frozenset({reader.database})) if kind == "VIEW" else text, mode)


def _implying(text: str) -> str:
    """A table's text without the keys that its foreign keys make by themselves.

    Such a key goes by itself too, once another one serves, and the server does not tell them from others. They are
    called like their foreign key or, where nobody named that one, like its first column.
    """
    lines = text.split("\n")
    keys = {match.groups() for match in map(_KEY.fullmatch, lines) if match}
    left_out: set[tuple[str, ...]] = set()
    for at, line in enumerate(lines):
        if match := _FOREIGN.fullmatch(line):
            numbered = _NUMBERED.fullmatch(match[1])
            key = (match[3][1:-1] if numbered else match[1], match[2].replace(", ", ","))
            if key in keys:
                left_out.add(key)
                lines[at] = f"  FOREIGN KEY{line.partition(' FOREIGN KEY')[2]}" if numbered else line
    return "\n".join(line for line in lines if not ((made := _KEY.fullmatch(line)) and made.groups() in left_out))


def _empty(writer: MysqlReader) -> None:
    """As it was made: with its character set."""
    [(characters, collation)] = writer.named_block("database")
    name = quote(writer.database)
    writer.ask(f"DROP DATABASE {name}")
    writer.ask(f"CREATE DATABASE {name} CHARACTER SET {characters} COLLATE {collation}")
    writer.ask(f"USE {name}")
