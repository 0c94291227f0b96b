"""What does CREATE TABLE do?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql.columns import foreign_keys
from mcp_migrate.rules.postgresql.names import full, hides, is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.partitions import CHILD
from mcp_migrate.rules.postgresql.reading import Reading

CREATE_TABLE = rule(
    "create-table",
    "A new table",
    "additive",
    "Creates the table {object}; nothing uses it yet.",
    rationale="A table that did not exist has no rows and no readers.",
    source="https://www.postgresql.org/docs/current/sql-createtable.html",
    flags=("CREATE TABLE items (id integer PRIMARY KEY)", "CREATE TABLE items (LIKE users INCLUDING ALL)"),
    passes=("CREATE VIEW items AS SELECT id FROM users",),
)
_COMPUTING = 4 | 8 | 16 | 64  # LIKE … INCLUDING CONSTRAINTS, DEFAULTS, GENERATED, INDEXES


def create_table(node: Tree, context: Context) -> list[Finding]:
    relation, name = node.relation, name_of(node.relation)
    reading = Reading.of(node, context)
    findings = [found(CREATE_TABLE, full(relation)), *reading.findings()]
    findings += [*_parents(node, context), *sentences(hides(relation, context))]
    constraints = [element.constraint for element in node.table_elts if element.HasField("constraint")]
    for element in node.table_elts:
        constraints += [c.constraint for c in element.column_def.constraints]
    if is_system(name):
        findings.append(unknown("system schemas are not looked into", full(relation)))
    findings += foreign_keys([c for c in constraints if c.HasField("pktable")], name, context)
    if _is_new(node, context):
        context.made.add("table", name)
    return findings


def _parents(node: Tree, context: Context) -> list[Finding]:
    """A child of a table in use takes part in its queries and rows."""
    parents = [parent.range_var for parent in node.inh_relations]
    old = [full(p) for p in parents if not context.made.has("table", name_of(p))]
    return [found(CHILD, *old)] if old else []


def _is_new(node: Tree, context: Context) -> bool:
    """Only a table that surely is not there yet, and is not a temporary one that hides another."""
    permanent = node.relation.relpersistence != "t" and member("OnCommitAction", node.oncommit) == "ONCOMMIT_NOOP"
    if any(not context.made.has("table", name_of(parent.range_var)) for parent in node.inh_relations):
        return False  # its rows are rows of a table in use
    copies = [element.table_like_clause for element in node.table_elts if element.HasField("table_like_clause")]
    if any(
        copied.options & _COMPUTING and not context.made.has("table", name_of(copied.relation)) for copied in copies
    ):
        return False  # writing to it may call what the defaults, checks and indexes of the other call
    return permanent and not node.if_not_exists and not context.called(node.relation.relname)
