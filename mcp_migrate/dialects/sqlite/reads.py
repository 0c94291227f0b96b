"""Does this statement only read, and which tables?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mcp_migrate.dialects.readable import may_read

_OPENINGS = frozenset({"SELECT", "WITH"})
_TAKES_ARGUMENT = frozenset(
    "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list".split()
)
_PRAGMAS = _TAKES_ARGUMENT | frozenset(
    "application_id collation_list compile_options database_list defer_foreign_keys encoding foreign_keys"
    " legacy_alter_table read_uncommitted recursive_triggers user_version".split()
)
_NAME = r"""(?:\w+|"(?:[^"]|"")*"|'(?:[^']|'')*')"""
_PRAGMA = re.compile(rf"\s*PRAGMA\s+(?:{_NAME}\s*\.\s*)?(\w+)\s*(\(\s*{_NAME}\s*\))?\s*;?\s*", re.IGNORECASE)
"""The whole text of a pragma without an assignment. Whatever else stands there does not match, and acts."""

_CATALOGS = frozenset("sqlite_master sqlite_schema sqlite_temp_master sqlite_temp_schema".split())
_FUNCTIONS = frozenset(
    # by sqlglot's names for them: some built-ins have the name of another product
    "abs avg case cast coalesce concat count current_date current_time current_timestamp date datetime exists"
    " group_concat hex if ifnull iif instr json_extract json_type json_valid julianday length like lower ltrim max min"
    " nullif printf quote replace round rtrim strftime str_position substr substring sum time total trim typeof upper"
    .split()
)  # fmt: skip


def reads(sql: str) -> tuple[str, ...] | None:
    """The tables a plain SELECT reads, () for catalogs alone, None for what may do anything else."""
    pragma = _PRAGMA.fullmatch(sql)
    if pragma is not None:
        name = pragma[1].lower()
        harmless = name in _PRAGMAS and (pragma[2] is None or name in _TAKES_ARGUMENT)
        return () if harmless else None
    return _select(sql) if may_read(sql, _OPENINGS) else None


def _select(sql: str) -> tuple[str, ...] | None:
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse(sql, dialect="sqlite")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    if len(parsed) != 1 or not isinstance(parsed[0], (exp.Select, exp.SetOperation)):
        return None
    changing = (exp.Insert, exp.Update, exp.Delete, exp.Command, exp.Into)
    if any(parsed[0].find_all(*changing)):
        return None
    if not all(_harmless(function) for function in parsed[0].find_all(exp.Func)):
        return None
    tables = {_name(table) for table in parsed[0].find_all(exp.Table) if not _named_by_query(table)}
    return tuple(sorted(table for table in tables if not _catalog(table)))


def _harmless(function: Any) -> bool:
    from sqlglot import exp

    if isinstance(function, (exp.Connector, exp.Binary)):
        return True
    if isinstance(function, exp.Anonymous):
        name = function.name.lower()
        return name in _FUNCTIONS or (isinstance(function.parent, exp.Table) and _catalog(name))
    return function.sql_name().lower() in _FUNCTIONS


def _name(table: Any) -> str:
    return str(table.name or table.this.name)  # the second is that of a function used as a table


def _catalog(name: str) -> bool:
    """Whether this tells about the schema alone: SQLite's own tables, and the pragmas that are tables too."""
    lower = name.lower()
    return lower in _CATALOGS or (lower.startswith("pragma_") and lower.removeprefix("pragma_") in _PRAGMAS)


def _named_by_query(table: Any) -> bool:
    """Whether a WITH around it gave the query this name; a name of another part of the query hides nothing."""
    return not table.db and any(table.name.lower() in names for names in _common_names(table))


def _common_names(node: Any) -> Iterator[set[str]]:
    while (node := node.parent) is not None:
        yield {common.alias.lower() for common in getattr(node, "ctes", ())}
