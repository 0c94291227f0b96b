"""What do CREATE TABLE, CREATE INDEX and CREATE VIEW do?"""

from __future__ import annotations

from collections.abc import Sequence

from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.mysql import change_rules, row_rules, safer, table
from mcp_migrate.rules.mysql.allowed import ENGINES
from mcp_migrate.rules.mysql.columns import definition, expression, names, reference
from mcp_migrate.rules.mysql.cursor import Cursor, Name, separated, shown
from mcp_migrate.rules.mysql.lexer import Refused
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.partitions import partitioned
from mcp_migrate.rules.mysql.queries import query

INDEXES = ("INDEX", "KEY")
_OPTIONS = ("ENGINE", "AUTO_INCREMENT", "DEFAULT CHARACTER SET", "DEFAULT CHARSET", "CHARACTER SET", "CHARSET")
_MORE_OPTIONS = ("DEFAULT COLLATE", "COLLATE", "COMMENT", "ROW_FORMAT", "KEY_BLOCK_SIZE", "STATS_PERSISTENT")


def create_table(cursor: Cursor, place: Place) -> list[Finding]:
    replaced = bool(cursor.take("OR REPLACE"))
    temporary = bool(cursor.take("TEMPORARY"))
    cursor.want("TABLE")
    perhaps = bool(cursor.take("IF NOT EXISTS"))
    name = cursor.qualified()
    if temporary and place.hidden(name):
        return [unknown(f"a temporary {name[1]} may hide one in use", place.full(name))]
    filled: list[Finding] = []
    if cursor.take("LIKE"):
        looked = [cursor.qualified()]
        cursor.end()
    else:
        looked, filled = _body(cursor, place)
    results = [found(table.CREATE_TABLE, place.full(name)), *place.odd(name)]
    if cursor.queries:
        results += [found(change_rules.COPY_ROWS, place.full(name)), *filled]
        results += place.surprises(name) if perhaps else []
    if replaced and not place.made(name):
        results.append(found(table.DROP_TABLE, place.full(name)))
    if not perhaps and not replaced:
        place.make(name)
    targets = dict.fromkeys(place.full(target) for target in looked if target != name)
    return [*results, *([found(row_rules.LOOKS, *targets)] if targets else [])]


def _body(cursor: Cursor, place: Place) -> tuple[list[Name], list[Finding]]:
    looked: list[Name] = []
    defined = _defines(cursor)
    for part in separated(cursor.group()) if defined else []:
        inner = cursor.inner(part)
        looked += _element(inner)
        inner.end()
    while not (cursor.ended or _fills(cursor) or cursor.sees("PARTITION BY")):
        cursor.take(",")
        _option(cursor)
    if cursor.take("PARTITION BY"):
        partitioned(cursor)
    filled = _filled(cursor, place) if _fills(cursor) else []
    cursor.end()
    if not defined and not cursor.queries:
        raise Refused("it has no columns")
    return looked, filled


def _defines(cursor: Cursor) -> bool:
    return cursor.sees("(") and not any(map(cursor.sees, ("( SELECT", "( (", "( WITH")))


def _fills(cursor: Cursor) -> bool:
    return any(map(cursor.sees, ("AS", "SELECT", "WITH", "IGNORE", "REPLACE", "( SELECT")))


def _filled(cursor: Cursor, place: Place) -> list[Finding]:
    """The findings of the query that fills it, which other readers must understand too."""
    cursor.take("IGNORE", "REPLACE")
    cursor.take("AS")
    return query(cursor, place)


def _element(inner: Cursor) -> list[Name]:
    if inner.take("CONSTRAINT") and not (inner.sees("PRIMARY") or inner.sees("CHECK") or inner.sees("UNIQUE")):
        inner.name() if not inner.sees("FOREIGN") else ""
    elif inner.is_name() and not inner.sees("CHECK"):
        return [target for target, _ in definition(inner).references]
    if inner.take("PRIMARY KEY"):
        index_type(inner)
        names(inner)
    elif inner.take("FOREIGN KEY"):
        if inner.is_name():
            inner.name()
        names(inner)
        inner.want("REFERENCES")
        return [reference(inner)[0]]
    elif inner.take("CHECK"):
        expression(inner.group())
        inner.take("NOT ENFORCED", "ENFORCED")
    elif inner.take("UNIQUE", "FULLTEXT", "SPATIAL", *INDEXES):
        inner.take(*INDEXES)
        index_name(inner)
        index_type(inner)
        names(inner)
    index_options(inner)
    return []


def index_name(cursor: Cursor) -> str:
    return cursor.name() if cursor.is_name() else ""


def index_type(cursor: Cursor) -> None:
    if cursor.take("USING"):
        cursor.want("BTREE", "HASH")


def index_options(cursor: Cursor) -> None:
    while word := cursor.take("USING", "COMMENT", "KEY_BLOCK_SIZE", "WITH PARSER NGRAM", "VISIBLE", "INVISIBLE"):
        if word == "USING":
            cursor.want("BTREE", "HASH")
        elif word in {"COMMENT", "KEY_BLOCK_SIZE"}:
            cursor.take("=")
            cursor.word()


def _option(cursor: Cursor) -> None:
    option = cursor.want(*_OPTIONS, *_MORE_OPTIONS)
    cursor.take("=")
    value = cursor.word()
    if option == "ENGINE" and value.upper() not in ENGINES:
        raise Refused(f"the engine {value} is not on the list")


def create_index(cursor: Cursor, place: Place) -> list[Finding]:
    kind = cursor.take("UNIQUE", "FULLTEXT", "SPATIAL")
    cursor.want("INDEX")
    cursor.take("IF NOT EXISTS")
    cursor.name()
    index_type(cursor)
    cursor.want("ON")
    name = cursor.qualified()
    columns = names(cursor)
    index_options(cursor)
    online = shown(cursor.tokens[: cursor.at]) + " ALGORITHM=INPLACE LOCK=NONE"
    slow = algorithm(cursor)
    cursor.end()
    return [*index_findings(kind, name, place, columns, online=online if slow else None), *place.odd(name)]


def index_findings(
    kind: str, name: Name, place: Place, columns: Sequence[str], *, online: str | None = None
) -> list[Finding]:
    where = place.full(name)
    if place.made(name):
        return [found(table.NEW_CONSTRAINT, where)]
    which = table.UNIQUE_INDEX if kind == "UNIQUE" else table.CREATE_INDEX
    waits = [found(table.SLOW_INDEX, where, safer=online)] if online or kind in {"FULLTEXT", "SPATIAL"} else []
    instead = safer.duplicates(name, columns) if kind == "UNIQUE" else None
    return [*waits, found(which, where, safer=instead)]


def algorithm(cursor: Cursor) -> bool:
    """Read ``ALGORITHM = …`` and ``LOCK = …``; whether writes are told to wait."""
    waits = False
    while word := cursor.take("ALGORITHM", "LOCK"):
        cursor.take("=")
        choices = ("INSTANT", "INPLACE", "NOCOPY", "COPY") if word == "ALGORITHM" else ("NONE", "SHARED", "EXCLUSIVE")
        waits |= cursor.want("DEFAULT", *choices) in {"COPY", "SHARED", "EXCLUSIVE"}
        cursor.take(",")
    return waits
