"""What does a PostgreSQL statement do? Parsed by PostgreSQL's own grammar, then judged by the rule for its kind.

To teach it another statement: list its fields in `allowed.py`, write a function that returns findings, and name it
below. What is not named is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, effects_of, found, unknown
from mcp_migrate.rules.postgresql import (
    alter_table,
    copying,
    create_table,
    derived,
    drops,
    functions,
    guards,
    indexes,
    kinds,
    maintenance,
    objects,
    outside,
    privileges,
    renames,
    rows,
    session,
    triggers,
    undo,
    views,
)
from mcp_migrate.rules.postgresql.own_names import own_names
from mcp_migrate.rules.postgresql.parser import Tree, parse
from mcp_migrate.rules.postgresql.version import ALEMBIC_VERSION, is_version_step
from mcp_migrate.schema.model import Schema

FAMILY: dict[str, Callable[[Tree, Context], list[Finding]]] = {
    "alter_domain_stmt": kinds.alter_domain,
    "alter_enum_stmt": objects.add_enum_value,
    "alter_object_schema_stmt": renames.move,
    "alter_seq_stmt": kinds.alter_sequence,
    "alter_table_stmt": alter_table.alter_table,
    "cluster_stmt": maintenance.cluster,
    "comment_stmt": objects.comment,
    "composite_type_stmt": kinds.composite,
    "create_domain_stmt": objects.create_domain,
    "create_enum_stmt": objects.create_enum,
    "create_range_stmt": kinds.range_type,
    "create_schema_stmt": objects.create_schema,
    "create_seq_stmt": objects.create_sequence,
    "create_stats_stmt": kinds.statistics,
    "create_stmt": create_table.create_table,
    "create_table_as_stmt": derived.create_as,
    "define_stmt": kinds.define,
    "delete_stmt": rows.delete,
    "drop_stmt": drops.drop,
    "index_stmt": indexes.create_index,
    "insert_stmt": rows.insert,
    "merge_stmt": rows.merge,
    "refresh_mat_view_stmt": derived.refresh,
    "reindex_stmt": maintenance.reindex,
    "rename_stmt": renames.rename,
    "select_stmt": derived.select,
    "truncate_stmt": rows.truncate,
    "update_stmt": rows.update,
    "vacuum_stmt": maintenance.vacuum,
    **copying.KINDS,
    **functions.KINDS,
    **guards.KINDS,
    **outside.KINDS,
    **privileges.KINDS,
    **session.KINDS,
    **triggers.KINDS,
    **views.KINDS,
}


def find(statements: Sequence[Statement], schema: Schema | None) -> Iterator[list[Finding]]:
    """What the rules find in each statement, in order."""
    context = Context.of(schema)
    for statement in statements:
        yield _find(statement, context)


def _find(statement: Statement, context: Context) -> list[Finding]:
    parsed = parse(statement.sql)
    if isinstance(parsed, str):
        context.made.clear()
        return [unknown(parsed)]
    if statement.kind == "version" and is_version_step(parsed, context):
        return [found(ALEMBIC_VERSION)]
    if (kept := undo.ours(statement, parsed)) is not None:
        return kept
    findings = findings_of(parsed.kind, parsed.node, context)
    if not findings or Effect.UNKNOWN in effects_of(finding for finding in findings if not finding.later):
        context.made.clear()  # it may have done anything to what was there
    return findings


def findings_of(kind: str, node: Tree, context: Context) -> list[Finding]:
    """What one statement does; also asked for each statement inside code."""
    known = FAMILY.get(kind)
    if known is None:
        return [unknown(f"{kind.removesuffix('_stmt').replace('_', ' ').upper()} is not on the list")]
    findings = known(node, context)
    return [*findings, *own_names(findings)]
