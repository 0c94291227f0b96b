"""Does this statement only read, and which tables? PostgreSQL's own grammar tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_SHOWABLE = frozenset(
    {
        "standard_conforming_strings",
        "transaction_isolation",
        "server_version",
        "search_path",
        "timezone",
        "server_version_num",
    }
)
_FUNCTIONS = frozenset(
    # what SQLAlchemy's and Alembic's reflection calls
    {"format_type", "pg_table_is_visible", "pg_type_is_visible", "pg_get_expr", "pg_get_constraintdef"}
    | {"pg_get_indexdef", "pg_get_viewdef", "pg_get_serial_sequence", "pg_get_userbyid", "pg_get_partkeydef"}
    | {"obj_description", "col_description", "array_agg", "json_build_object", "json_agg", "unnest"}
    | {"generate_subscripts", "generate_series", "array_position", "array_length", "pg_get_function_identity_arguments"}
    | {"to_regclass", "current_setting", "current_schemas", "pg_encoding_to_char", "pg_index_column_has_property"}
    # pure built-ins
    | {"count", "min", "max", "sum", "avg", "lower", "upper", "length", "now", "version", "current_database"}
    | {"current_schema", "substring", "replace", "trim", "btrim", "abs", "round", "string_agg", "bool_and", "bool_or"}
    | {"jsonb_array_elements", "json_array_elements", "jsonb_typeof", "concat", "date_trunc", "extract"}
)
_NODES_THAT_ACT = frozenset(
    {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "into_clause", "locking_clause", "call_stmt"}
)


def reads(sql: str) -> tuple[str, ...] | None:
    """The tables a plain SELECT reads, () for catalogs alone, None for what may do anything else."""
    import postgast

    try:
        statements = postgast.parse(sql).stmts
    except (postgast.PgQueryError, ValueError, RecursionError):
        return None
    if len(statements) != 1:
        return None
    node = statements[0].stmt
    kind = node.WhichOneof("node")
    if kind == "variable_show_stmt":
        return () if node.variable_show_stmt.name.lower() in _SHOWABLE else None
    return _select(node.select_stmt) if kind == "select_stmt" else None


def _select(select: Any) -> tuple[str, ...] | None:
    nodes = list(_walk(select))
    if select.HasField("into_clause") or any(kind in _NODES_THAT_ACT for kind, _ in nodes):
        return None
    if any(node.HasField("into_clause") for kind, node in nodes if kind == "select_stmt"):
        return None
    if not all(_harmless(node) for kind, node in nodes if kind == "func_call"):
        return None
    common = {node.ctename for kind, node in nodes if kind == "common_table_expr"}
    tables = {_table(node) for kind, node in nodes if kind == "range_var"}
    return tuple(
        sorted(f"{schema}.{name}" if schema else name for schema, name in tables if _ours(schema, name, common))
    )


def _harmless(call: Any) -> bool:
    path = [part.string.sval for part in call.funcname]
    return path[-1] in _FUNCTIONS and path[:-1] in ([], ["pg_catalog"])


def _table(node: Any) -> tuple[str, str]:
    return node.schemaname, node.relname


def _ours(schema: str, name: str, common: set[str]) -> bool:
    """Whether this is a user's table: no catalog, and no name the query itself gave."""
    if schema:
        return schema not in {"pg_catalog", "information_schema"}
    return name not in common and not name.startswith("pg_")


def _walk(message: Any) -> Iterator[tuple[str, Any]]:
    if message.DESCRIPTOR.name == "Node":
        kind = message.WhichOneof("node")
        if kind is not None:
            yield kind, getattr(message, kind)
            yield from _walk(getattr(message, kind))
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for child in value if descriptor.is_repeated else [value]:
                if child.DESCRIPTOR.name != "Node":
                    yield _snake(child.DESCRIPTOR.name), child
                yield from _walk(child)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
