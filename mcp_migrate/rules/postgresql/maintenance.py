"""What do VACUUM, ANALYZE, CLUSTER and REINDEX keep waiting?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql.names import doubts, full, is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree

_VACUUM = "https://www.postgresql.org/docs/current/sql-vacuum.html"
_REINDEX = "https://www.postgresql.org/docs/current/sql-reindex.html"

VACUUM = rule(
    "vacuum",
    "A table tidied while others go on",
    "additive",
    "Tidies {object} while others read and write; it cannot run in a transaction.",
    "SHARE UPDATE EXCLUSIVE",
    scans=True,
    transactional=False,
    undo="yes",
    rationale="No row that anyone can see changes.",
    source=_VACUUM,
    flags=("VACUUM users", "VACUUM (ANALYZE) users"),
    passes=("VACUUM FULL users",),
)
VACUUM_FULL = rule(
    "vacuum-full",
    "A table written anew",
    "blocking",
    "Copies every row of {object} while nobody can use it; it cannot run in a transaction.",
    "ACCESS EXCLUSIVE",
    scans=True,
    rewrites=True,
    transactional=False,
    rationale="The table and its indexes are built again under the strongest lock.",
    source=_VACUUM,
    flags=("VACUUM FULL users",),
    passes=("VACUUM users",),
)
CLUSTER = rule(
    "cluster",
    "A table written anew in an index's order",
    "blocking",
    "Copies every row of {object} in order while nobody can use it.",
    "ACCESS EXCLUSIVE",
    scans=True,
    rewrites=True,
    rationale="The table and its indexes are built again under the strongest lock.",
    source="https://www.postgresql.org/docs/current/sql-cluster.html",
    flags=("CLUSTER users USING by_email",),
    passes=("ALTER TABLE users CLUSTER ON by_email",),
)
ANALYZE = rule(
    "analyze",
    "Statistics gathered",
    "additive",
    "Samples rows of {object} for the planner while others go on.",
    "SHARE UPDATE EXCLUSIVE",
    rationale="Only the planner's statistics change.",
    source="https://www.postgresql.org/docs/current/sql-analyze.html",
    flags=("ANALYZE users",),
    passes=("VACUUM users",),
)
REINDEX = rule(
    "reindex",
    "Indexes built again",
    "blocking",
    "Builds indexes of {object} again: nobody can write meanwhile, and queries that would use them wait.",
    "SHARE",
    scans=True,
    rationale="The table takes no writes and the index itself is locked for all.",
    source=_REINDEX,
    flags=("REINDEX TABLE users",),
    passes=("REINDEX TABLE CONCURRENTLY users",),
)
REINDEX_INDEX = rule(
    "reindex-index",
    "An index built again",
    "blocking",
    "Builds the index {object} again: nobody can write to its table, and queries that would use it wait.",
    "ACCESS EXCLUSIVE",
    of="index",
    scans=True,
    rewrites=True,
    rationale="The table takes no writes and the index itself is locked for all.",
    source=_REINDEX,
    flags=("REINDEX INDEX by_email",),
    passes=("REINDEX INDEX CONCURRENTLY by_email",),
)
REINDEX_CONCURRENTLY = rule(
    "reindex-concurrently",
    "Indexes built again while others go on",
    "additive",
    "Builds indexes of {object} again while others go on; it cannot run in a transaction.",
    "SHARE UPDATE EXCLUSIVE",
    scans=True,
    transactional=False,
    rationale="Each index is built beside the old one and takes its place; broken off, it leaves an invalid one.",
    source=_REINDEX,
    flags=("REINDEX TABLE CONCURRENTLY users",),
    passes=("REINDEX TABLE users",),
)
_HOW = frozenset(
    "full analyze verbose freeze disable_page_skipping skip_locked index_cleanup process_toast process_main truncate"
    " parallel skip_database_stats only_database_stats buffer_usage_limit concurrently".split()
)


def vacuum(node: Tree, context: Context) -> list[Finding]:
    options = {option.def_elem.defname for option in node.options}
    tables = [item.vacuum_relation.relation for item in node.rels]
    which = VACUUM if node.is_vacuumcmd else ANALYZE
    if _on("full", node.options):
        which = VACUUM_FULL
    return [found(which, *map(full, tables), object=_named(tables)), *_doubts(tables, options, context)]


def cluster(node: Tree, context: Context) -> list[Finding]:
    tables = [node.relation] if node.HasField("relation") else []
    options = {option.def_elem.defname for option in node.params}
    return [found(CLUSTER, *map(full, tables), object=_named(tables)), *_doubts(tables, options, context)]


def reindex(node: Tree, context: Context) -> list[Finding]:
    options = {option.def_elem.defname for option in node.params}
    tables = [node.relation] if node.HasField("relation") else []
    index = member("ReindexObjectType", node.kind) == "REINDEX_OBJECT_INDEX"
    if "tablespace" in options:
        return [unknown("another table space is not looked into", *map(full, tables))]
    which = REINDEX_INDEX if index else REINDEX
    if _on("concurrently", node.params):
        which = REINDEX_CONCURRENTLY
    safer = f"REINDEX {'INDEX' if index else 'TABLE'} CONCURRENTLY {_quoted(tables[0])};" if tables else None
    safer = None if which is REINDEX_CONCURRENTLY else safer
    return [found(which, *map(full, tables), safer=safer, object=_named(tables)), *_doubts(tables, options, context)]


def _on(name: str, options: Tree) -> bool:
    """Whether an option is given and not plainly switched off."""
    return any(
        o.def_elem.defname == name and o.def_elem.arg.string.sval.lower() not in {"false", "off", "0"} for o in options
    )


def _quoted(relation: Tree) -> str:
    parts = [part for part in name_of(relation) if part]
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def _named(tables: list[Tree]) -> str:
    return ", ".join(map(full, tables)) or "every table"


def _doubts(tables: list[Tree], options: set[str], context: Context) -> list[Finding]:
    strange = [f"the option {name} is not on the list" for name in sorted(options - _HOW)]
    strange += [reason for table in tables for reason in doubts(name_of(table), context)]
    strange += ["it names something of the system" for table in tables if is_system(name_of(table))]
    return sentences(strange)
