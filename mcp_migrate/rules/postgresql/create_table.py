"""What does CREATE TABLE do?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql.columns import foreign_keys, kind_of
from mcp_migrate.rules.postgresql.names import full, hides, is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.reading import Reading

CREATE_TABLE = rule("create-table", "A new table", "additive", "Creates the table {object}; nothing uses it yet.")


def create_table(node: Tree, context: Context) -> list[Finding]:
    relation, name = node.relation, name_of(node.relation)
    reading = Reading.of(node, context)
    findings = [found(CREATE_TABLE, full(relation)), *reading.findings()]
    findings += [*_parents(node, context), *sentences(hides(relation, context))]
    constraints = [element.constraint for element in node.table_elts if element.HasField("constraint")]
    for element in node.table_elts:
        constraints += [c.constraint for c in element.column_def.constraints]
    if any(kind_of(c) == "CONSTR_EXCLUSION" for c in constraints) or is_system(name):
        findings.append(unknown("exclusion constraints and system schemas are not looked into", full(relation)))
    findings += foreign_keys([c for c in constraints if c.HasField("pktable")], name, context)
    if _is_new(node, context):
        context.made.add("table", name)
    return findings


def _parents(node: Tree, context: Context) -> list[Finding]:
    """A child of a table in use takes part in its queries and rows."""
    parents = [parent.range_var for parent in node.inh_relations]
    old = [full(p) for p in parents if not context.made.has("table", name_of(p))]
    return [unknown("it becomes part of a table in use", *old)] if old else []


def _is_new(node: Tree, context: Context) -> bool:
    """Only a table that surely is not there yet, and is not a temporary one that hides another."""
    permanent = node.relation.relpersistence != "t" and member("OnCommitAction", node.oncommit) == "ONCOMMIT_NOOP"
    return permanent and not node.if_not_exists and not context.called(node.relation.relname)
