"""What do the clauses that name partitions do, and is a partitioning understood to its last word?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.mysql import change_rules as rules
from mcp_migrate.rules.mysql import column_rules, row_rules
from mcp_migrate.rules.mysql.allowed import ENGINES
from mcp_migrate.rules.mysql.columns import expression
from mcp_migrate.rules.mysql.cursor import Cursor, Name, separated
from mcp_migrate.rules.mysql.lexer import Refused
from mcp_migrate.rules.mysql.names import Place

_KINDS = ("LINEAR HASH", "HASH", "LINEAR KEY", "KEY", "RANGE COLUMNS", "RANGE", "LIST COLUMNS", "LIST")
_BY_COLUMNS = frozenset({"LINEAR KEY", "KEY", "RANGE COLUMNS", "LIST COLUMNS"})


def partitioned(cursor: Cursor) -> None:
    """Read what stands behind PARTITION BY."""
    kind = cursor.want(*_KINDS)
    if cursor.take("ALGORITHM"):
        cursor.want("=")
        cursor.number()
    inner = cursor.inner(cursor.group())
    if kind in _BY_COLUMNS:
        while not inner.ended:
            inner.name()
            inner.comma()
    else:
        expression(inner.tokens)
    if cursor.take("PARTITIONS"):
        cursor.number()
    if cursor.sees("("):
        definitions(cursor)


def definitions(cursor: Cursor) -> bool:
    """Read ``(PARTITION name …, …)``; whether each says which rows it takes."""
    ranged = True
    for part in separated(cursor.group()):
        inner = cursor.inner(part)
        inner.want("PARTITION")
        inner.name()
        ranged &= _values(inner)
        while option := inner.take("STORAGE ENGINE", "ENGINE", "COMMENT"):
            inner.take("=")
            if option == "COMMENT":
                inner.text()
            elif inner.word().upper() not in ENGINES:
                raise Refused("the engine of a partition is not on the list")
        inner.end()
    return ranged


def _values(inner: Cursor) -> bool:
    kind = inner.take("VALUES LESS THAN", "VALUES IN")
    if not kind:
        return False
    if not (kind == "VALUES LESS THAN" and inner.take("MAXVALUE")):
        expression(inner.group())
    return True


def _some(cursor: Cursor) -> None:
    """``name, …`` or ALL."""
    if cursor.take("ALL"):
        return
    cursor.name()
    while cursor.take(","):
        cursor.name()


def partition_clause(cursor: Cursor, name: Name, place: Place) -> list[Finding] | None:
    """The findings of a clause that stands alone in its ALTER TABLE; None where another one comes next."""
    where = place.full(name)
    if cursor.take("ADD PARTITION"):
        return [_added(cursor, where)]
    if words := cursor.take("DROP PARTITION", "TRUNCATE PARTITION"):
        cursor.take("IF EXISTS")
        _some(cursor)
        return [found(column_rules.DROP_PARTITION, where, what=words.capitalize())]
    if cursor.take("EXCHANGE PARTITION"):
        return _exchanged(cursor, where, place)
    return _moved(cursor, where)


def _added(cursor: Cursor, where: str) -> Finding:
    cursor.take("IF NOT EXISTS")
    if cursor.take("PARTITIONS"):
        cursor.number()
        return found(rules.MOVE_PARTITIONS, where, what="ADD PARTITION of a hash")
    if definitions(cursor):
        return found(rules.ADD_PARTITION, where)
    return found(rules.MOVE_PARTITIONS, where, what="ADD PARTITION of a hash")


def _exchanged(cursor: Cursor, where: str, place: Place) -> list[Finding]:
    cursor.name()
    cursor.want("WITH TABLE")
    other = cursor.qualified()
    cursor.take("WITH VALIDATION", "WITHOUT VALIDATION")
    lost = found(column_rules.DROP_PARTITION, where, place.full(other), what="Exchange partition")
    return [lost, *place.odd(other), found(row_rules.LOOKS, place.full(other))]


def _moved(cursor: Cursor, where: str) -> list[Finding] | None:
    words = cursor.take(
        "COALESCE PARTITION", "REORGANIZE PARTITION", "REBUILD PARTITION", "REMOVE PARTITIONING", "PARTITION BY"
    )
    if words == "COALESCE PARTITION":
        cursor.number()
    elif words == "REBUILD PARTITION":
        _some(cursor)
    elif words == "REORGANIZE PARTITION":
        _some(cursor)
        cursor.want("INTO")
        definitions(cursor)
    elif words == "PARTITION BY":
        partitioned(cursor)
    return [found(rules.MOVE_PARTITIONS, where, what=words)] if words else None
