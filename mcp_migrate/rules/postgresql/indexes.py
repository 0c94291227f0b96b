"""What does CREATE INDEX do?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, unknown
from mcp_migrate.rules.postgresql import allowed
from mcp_migrate.rules.postgresql.names import full, name_of
from mcp_migrate.rules.postgresql.parser import Tree, copy, render
from mcp_migrate.rules.postgresql.reading import Reading

INDEX_NEW = rule(
    "index-new-table",
    "An index on a table this plan made",
    "additive",
    "Indexes {object}, made here.",
    rationale="Nobody can be writing to a table that does not exist for them yet.",
    source="https://www.postgresql.org/docs/current/sql-createindex.html",
    flags=("CREATE TABLE t (a integer);\nCREATE UNIQUE INDEX i ON t (a)",),
    passes=("CREATE INDEX i ON users (name)",),
)
INDEX_CONCURRENTLY = rule(
    "create-index-concurrently",
    "An index made while others go on",
    "additive",
    "Indexes {object} while others go on reading and writing.",
    "SHARE UPDATE EXCLUSIVE",
    scans=True,
    transactional=False,
    rationale="Two scans without stopping anyone; broken off, it leaves an invalid index.",
    source="https://www.postgresql.org/docs/current/sql-createindex.html",
    flags=("CREATE INDEX CONCURRENTLY i ON users (name)",),
    passes=("CREATE INDEX i ON users (name)",),
)
INDEX = rule(
    "create-index",
    "An index on a table in use",
    "additive blocking",
    "Indexes {object}; nobody can write to it until that is done.",
    "SHARE",
    scans=True,
    rationale="Writers wait for as long as it takes.",
    source="https://www.postgresql.org/docs/current/sql-createindex.html",
    flags=("CREATE INDEX i ON users (name)",),
    passes=("CREATE INDEX CONCURRENTLY i ON users (name)",),
)
UNIQUE_INDEX = rule(
    "create-unique-index",
    "A unique index on a table in use",
    "breaking blocking",
    "Allows each value in {object} once: it fails where there are duplicates, may reject what old code writes, and"
    " nobody can write until it is done.",
    "SHARE",
    scans=True,
    rationale="Writers wait, and duplicates fail it.",
    source="https://www.postgresql.org/docs/current/sql-createindex.html",
    flags=("CREATE UNIQUE INDEX i ON users (name)",),
    passes=("CREATE INDEX i ON users (name)",),
)
UNIQUE_CONCURRENTLY = rule(
    "create-unique-index-concurrently",
    "A unique index made while others go on",
    "breaking",
    "Allows each value in {object} once: it fails where there are duplicates, leaving an invalid index, and may"
    " reject what old code writes.",
    "SHARE UPDATE EXCLUSIVE",
    scans=True,
    transactional=False,
    rationale="Duplicates leave an invalid index behind.",
    source="https://www.postgresql.org/docs/current/sql-createindex.html",
    flags=("CREATE UNIQUE INDEX CONCURRENTLY i ON users (name)",),
    passes=("CREATE INDEX CONCURRENTLY i ON users (name)",),
)
COMPUTED = rule(
    "create-computed-index",
    "An index on an expression or a part of a table in use",
    "breaking",
    "Each write to {object} computes it: a row for which that fails is rejected from then on.",
    rationale="What an index computes runs in each write: an error in it is an error in code that never asked for it.",
    source="https://www.postgresql.org/docs/current/indexes-expressional.html",
    flags=("CREATE INDEX i ON users (lower(name))", "CREATE INDEX i ON users (name) WHERE id > 1"),
    passes=("CREATE INDEX i ON users (name DESC)",),
)
_RULES = {
    (False, False): INDEX,
    (False, True): INDEX_CONCURRENTLY,
    (True, False): UNIQUE_INDEX,
    (True, True): UNIQUE_CONCURRENTLY,
}


def create_index(node: Tree, context: Context) -> list[Finding]:
    table, where = name_of(node.relation), full(node.relation)
    findings = Reading.of(node, context).findings()
    if node.access_method not in allowed.ACCESS_METHODS:
        findings.append(unknown(f"the access method {node.access_method} is not on the list", where))
    if context.made.has("table", table):
        if node.idxname and not node.if_not_exists:
            context.made.add("index", (table[0], node.idxname))
        return [found(INDEX_NEW, where), *findings]
    if node.HasField("where_clause") or any(item.index_elem.HasField("expr") for item in node.index_params):
        findings.append(found(COMPUTED, where))
    return [found(_RULES[node.unique, node.concurrent], where, safer=_concurrently(node)), *findings]


def _concurrently(node: Tree) -> str | None:
    if node.concurrent:
        return None
    twin = copy(node)
    twin.concurrent = True
    text = render("index_stmt", twin)
    return f"{text};" if text else None
