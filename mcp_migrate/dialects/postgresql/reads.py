"""Does this statement only read, and which tables? PostgreSQL's own grammar tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcp_migrate.dialects.readable import may_read

_OPENINGS = frozenset({"SELECT", "WITH", "SHOW", "VALUES", "TABLE"})
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
    "format_type pg_table_is_visible pg_type_is_visible pg_collation_is_visible pg_get_expr pg_get_constraintdef"
    " pg_get_indexdef pg_get_viewdef pg_get_serial_sequence pg_get_userbyid pg_get_partkeydef obj_description"
    " col_description array_agg json_build_object json_agg unnest generate_subscripts generate_series array_position"
    " array_length pg_get_function_identity_arguments to_regclass current_setting current_schemas like_escape"
    " pg_encoding_to_char pg_index_column_has_property"
    # pure built-ins
    " count min max sum avg lower upper length now version current_database current_schema substring replace trim btrim"
    " abs round string_agg bool_and bool_or jsonb_array_elements json_array_elements jsonb_typeof concat date_trunc"
    " extract"
    .split()
)  # fmt: skip
_CATALOGS = frozenset(
    # those that tell about the schema; others (pg_stats, pg_largeobject) tell about rows
    "pg_am pg_attrdef pg_attribute pg_authid pg_auth_members pg_available_extensions pg_cast pg_class pg_collation"
    " pg_constraint pg_conversion pg_database pg_depend pg_description pg_enum pg_event_trigger pg_extension"
    " pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_index pg_indexes pg_inherits pg_language"
    " pg_matviews pg_namespace pg_opclass pg_operator pg_opfamily pg_partitioned_table pg_policies pg_policy pg_proc"
    " pg_range pg_rewrite pg_roles pg_rules pg_sequence pg_settings pg_tables pg_tablespace pg_trigger pg_ts_config"
    " pg_type pg_user pg_views".split()
)
_NODES_THAT_ACT = frozenset(
    {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "into_clause", "locking_clause", "call_stmt"}
)


def reads(sql: str) -> tuple[str, ...] | None:
    """The tables a plain SELECT reads, () for catalogs alone, None for what may do anything else."""
    if not may_read(sql, _OPENINGS):
        return None
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


def listing(sql: str) -> str:
    """The rows of a plain SELECT as the text that the server writes for them."""
    return f"SELECT listed::text FROM (\n{sql.rstrip().rstrip(';')}\n) AS listed"  # noqa: S608  one plain SELECT


def _select(select: Any) -> tuple[str, ...] | None:
    nodes = list(_walk(select))
    if select.HasField("into_clause") or any(kind in _NODES_THAT_ACT for kind, _ in nodes):
        return None
    if any(node.HasField("into_clause") for kind, node in nodes if kind == "select_stmt"):
        return None
    if not all(_harmless(node) for kind, node in nodes if kind == "func_call"):
        return None
    if any(kind == "a_expr" and not _built_in(node.name) for kind, node in nodes):
        return None
    tables = {(node.schemaname, node.relname) for node in _relations(select, frozenset())}
    return tuple(sorted(f"{schema}.{name}" if schema else name for schema, name in tables if _ours(schema, name)))


def _harmless(call: Any) -> bool:
    return call.funcname[-1].string.sval in _FUNCTIONS and _built_in(call.funcname)


def _built_in(path: Any) -> bool:
    return [part.string.sval for part in path[:-1]] in ([], ["pg_catalog"])


def _ours(schema: str, name: str) -> bool:
    """Whether this holds rows: what is neither a known catalog nor a view of the information schema."""
    return schema != "information_schema" and not (schema in {"", "pg_catalog"} and name in _CATALOGS)


def _relations(message: Any, common: frozenset[str]) -> Iterator[Any]:
    """Every relation but those whose name a WITH gave: such a name holds for the rest of that query alone."""
    kind = message.DESCRIPTOR.name
    if kind == "RangeVar":
        if message.schemaname or message.relname not in common:
            yield message
        return
    if kind == "SelectStmt":
        queries = [node.common_table_expr for node in message.with_clause.ctes]
        if message.with_clause.recursive:
            common |= {query.ctename for query in queries}
        for query in queries:
            yield from _relations(query.ctequery, common)
            common |= {query.ctename}
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None and descriptor.name != "with_clause":
            for child in value if descriptor.is_repeated else [value]:
                yield from _relations(child, common)


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
