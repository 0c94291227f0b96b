"""Does this statement only read, and which tables?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcp_migrate.dialects.mysql.words import words
from mcp_migrate.dialects.readable import may_read

_OPENINGS = frozenset({"SELECT", "WITH"})
_SHOWN = frozenset(
    "TABLES COLUMNS COLLATION VARIABLES INDEX INDEXES KEYS WARNINGS ENGINES STATUS CHARACTER PLUGINS DATABASES".split()
)
_SHOWN_WITH = frozenset({"FULL", "CREATE", "GLOBAL", "SESSION"})
_CATALOGS = frozenset({"information_schema"})
_FUNCTIONS = frozenset(
    # by sqlglot's names for them: some built-ins have the name of another product
    "abs avg case cast coalesce concat concat_ws count current_date current_timestamp current_schema database date"
    " datediff exists group_concat hex if ifnull is_null json_extract json_valid lcase left length like lower ltrim max"
    " min mod now nullif replace right round rtrim schema str_position substr substring sum trim ucase upper user"
    " current_version version year month day greatest least ceil floor char_length in".split()
)  # fmt: skip


def reads(sql: str) -> tuple[str, ...] | None:
    """The tables a plain SELECT reads, () for catalogs alone, None for what may do anything else."""
    first = words(sql, 3)
    if first[:1] == ["SHOW"]:
        shown = first[2:3] if first[1:2] and first[1] in _SHOWN_WITH else first[1:2]
        known = _SHOWN | {"TABLE", "VIEW"} if first[1:2] == ["CREATE"] else _SHOWN
        return () if shown and shown[0] in known and ";" not in sql.rstrip(" ;\n") else None
    if first[:1] in (["DESCRIBE"], ["DESC"]):
        return () if len(sql.split()) == len("DESCRIBE t".split()) and ";" not in sql.rstrip(";") else None
    return _select(sql) if may_read(sql, _OPENINGS) else None


def _select(sql: str) -> tuple[str, ...] | None:
    import sqlglot
    from sqlglot import exp

    if "/*!" in sql or "/*M!" in sql:
        return None
    try:
        parsed = sqlglot.parse(sql, dialect="mysql")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    if len(parsed) != 1 or not isinstance(parsed[0], (exp.Select, exp.SetOperation)):
        return None
    acts = (exp.Insert, exp.Update, exp.Delete, exp.Command, exp.Into, exp.Lock, exp.PropertyEQ)
    if any(parsed[0].find_all(*acts)):
        return None
    if not all(_harmless(function) for function in parsed[0].find_all(exp.Func)):
        return None
    tables = {(table.db, table.name) for table in parsed[0].find_all(exp.Table) if not _named_by_query(table)}
    return tuple(sorted(f"{db}.{name}" if db else name for db, name in tables if db.lower() not in _CATALOGS))


def _harmless(function: Any) -> bool:
    from sqlglot import exp

    if isinstance(function, (exp.Connector, exp.Binary)):
        return True
    if isinstance(function, exp.Anonymous):
        return function.name.lower() in _FUNCTIONS
    return function.sql_name().lower() in _FUNCTIONS


def _named_by_query(table: Any) -> bool:
    """Whether a WITH around it gave the query this name; a name of another part of the query hides nothing."""
    return not table.db and any(table.name.lower() in names for names in _common_names(table))


def _common_names(node: Any) -> Iterator[set[str]]:
    while (node := node.parent) is not None:
        yield {common.alias.lower() for common in getattr(node, "ctes", ())}
