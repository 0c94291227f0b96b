"""What do tables and materialized views made from a query do?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import rows
from mcp_migrate.rules.postgresql.names import full, hides, is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree, copy, parse
from mcp_migrate.rules.postgresql.reading import Reading

CREATE_AS = rule(
    "create-table-as",
    "A new table filled by a query",
    "additive",
    "Creates {object} from a query; nothing uses it yet.",
    rationale="Rows are only read; where the name is taken the statement fails, or IF NOT EXISTS does nothing.",
    source="https://www.postgresql.org/docs/current/sql-createtableas.html",
    flags=("CREATE TABLE copy AS SELECT * FROM users",),
    passes=("CREATE TABLE copy (id integer)",),
)
CREATE_MATERIALIZED = rule(
    "create-materialized-view",
    "A new materialized view",
    "additive",
    "Creates {object} from a query; nothing uses it yet.",
    of="materialized view",
    rationale="Rows are only read and kept a second time.",
    source="https://www.postgresql.org/docs/current/sql-creatematerializedview.html",
    flags=("CREATE MATERIALIZED VIEW m AS SELECT id FROM users",),
    passes=("CREATE VIEW m AS SELECT id FROM users",),
)
REFRESH = rule(
    "refresh-materialized-view",
    "A materialized view filled anew",
    "blocking",
    "Fills {object} anew while nobody can read it.",
    "ACCESS EXCLUSIVE",
    of="materialized view",
    scans=True,
    rewrites=True,
    rationale="Readers wait until the query is done.",
    source="https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html",
    flags=("REFRESH MATERIALIZED VIEW totals",),
    passes=("REFRESH MATERIALIZED VIEW CONCURRENTLY totals",),
)
REFRESH_CONCURRENTLY = rule(
    "refresh-materialized-view-concurrently",
    "A materialized view brought up to date while others read it",
    "data",
    "Brings {object} up to date; readers go on, others that refresh it wait.",
    "EXCLUSIVE",
    of="materialized view",
    scans=True,
    rationale="It needs a unique index and works row by row.",
    source="https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html",
    flags=("REFRESH MATERIALIZED VIEW CONCURRENTLY totals",),
    passes=("REFRESH MATERIALIZED VIEW totals",),
)


def create_as(node: Tree, context: Context) -> list[Finding]:
    relation = node.into.rel
    reading = Reading.of(node, context)
    materialized = member("ObjectType", node.objtype) == "OBJECT_MATVIEW"
    which = CREATE_MATERIALIZED if materialized else CREATE_AS
    findings = [found(which, full(relation), *reading.relations, object=full(relation)), *reading.findings()]
    findings += sentences(hides(relation, context))
    if is_system(name_of(relation)) or reading.writes:
        findings.append(unknown("it changes rows or names something of the system", full(relation)))
    plain = relation.relpersistence != "t" and member("OnCommitAction", node.into.on_commit) == "ONCOMMIT_NOOP"
    if plain and not node.if_not_exists and not context.called(relation.relname):
        context.made.add("materialized view" if materialized else "table", name_of(relation))
    return findings


def select(node: Tree, context: Context) -> list[Finding]:
    """SELECT, which with INTO makes a table."""
    if not node.HasField("into_clause"):
        return rows.select(node, context)
    query = copy(node)
    query.ClearField("into_clause")
    statement = _as(node.into_clause, query)
    return create_as(statement, context)


def _as(into: Tree, query: Tree) -> Tree:
    parsed = parse("CREATE TABLE t AS SELECT 1")
    if isinstance(parsed, str):
        raise TypeError(parsed)
    parsed.node.into.CopyFrom(into)
    parsed.node.query.select_stmt.CopyFrom(query)
    return parsed.node


def refresh(node: Tree, context: Context) -> list[Finding]:
    where = full(node.relation)
    if context.made.has("materialized view", name_of(node.relation)):
        return [found(REFRESH_CONCURRENTLY if node.concurrent else REFRESH, where)]
    which = REFRESH_CONCURRENTLY if node.concurrent else REFRESH
    return [found(which, where), *_query(where, context)]


def _query(where: str, context: Context) -> list[Finding]:
    """What its query does, where the schema tells it."""
    others = context.schema.others if context.schema else ()
    texts = [o.definition for o in others if o.qualified == where and o.kind.startswith("materialized")]
    parsed = parse(texts[0]) if texts and not context.made.changed(where.rpartition(".")[2]) else "not known"
    if isinstance(parsed, str) or parsed.kind != "select_stmt":
        return [unknown("the query of the materialized view is not known", where)]
    return Reading.of(parsed.node, context).findings()
