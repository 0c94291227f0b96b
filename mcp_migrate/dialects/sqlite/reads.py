"""Does this statement only read, and which tables?"""

from __future__ import annotations

import re

_PRAGMAS = frozenset(
    {
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "database_list",
        "compile_options",
        "encoding",
        "foreign_keys",
        "user_version",
        "collation_list",
    }
)
_TAKES_ARGUMENT = frozenset(
    {"table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list", "table_list"}
)
_CATALOGS = frozenset({"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"})
_FUNCTIONS = frozenset(
    "abs coalesce count date datetime ifnull instr iif julianday length like lower ltrim max min nullif printf"
    " quote replace round rtrim strftime substr substring sum time total trim typeof upper avg cast".split()
)
_PRAGMA = re.compile(r"""\s*PRAGMA\s+(?:\w+\.)?(\w+)\s*(\(\s*[\w"'.$]+\s*\))?\s*;?\s*""", flags=re.IGNORECASE)


def reads(sql: str) -> tuple[str, ...] | None:
    """The tables a plain SELECT reads, () for catalogs alone, None for what may do anything else."""
    pragma = _PRAGMA.fullmatch(sql)
    if pragma is not None:
        name = pragma[1].lower()
        harmless = name in _PRAGMAS and (pragma[2] is None or name in _TAKES_ARGUMENT)
        return () if harmless else None
    return _select(sql)


def _select(sql: str) -> tuple[str, ...] | None:
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse(sql, dialect="sqlite")
    except sqlglot.errors.SqlglotError:
        return None
    if len(parsed) != 1 or not isinstance(parsed[0], (exp.Select, exp.SetOperation)):
        return None
    changing = (exp.Insert, exp.Update, exp.Delete, exp.Command, exp.Into)
    if any(parsed[0].find_all(*changing)):
        return None
    for function in parsed[0].find_all(exp.Func):
        name = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
        if name.lower() not in _FUNCTIONS and not isinstance(function, (exp.Connector, exp.Binary, exp.Case)):
            return None
    common = {expression.alias for expression in parsed[0].find_all(exp.CTE)}
    tables = {table.name for table in parsed[0].find_all(exp.Table)} - common
    return tuple(sorted(table for table in tables if not _is_catalog(table.lower())))


def _is_catalog(table: str) -> bool:
    return table in _CATALOGS or (table.startswith("pragma_") and table.removeprefix("pragma_") in _PRAGMAS)
