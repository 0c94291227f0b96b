"""What do attaching, detaching and inheriting do to the tables at both ends?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule
from mcp_migrate.rules.postgresql.names import full, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree

_MANUAL = "https://www.postgresql.org/docs/current/ddl-partitioning.html"

ATTACH_NEW = rule(
    "attach-new-partition",
    "A new table made part of another",
    "additive blocking",
    "Makes {object}, made by this plan, part of a table in use; a default partition is scanned meanwhile.",
    "ACCESS EXCLUSIVE",
    scans=True,
    rationale="The table itself is new; only the rows of a default partition are looked through, under its lock.",
    source=_MANUAL,
    flags=("CREATE TABLE p (id integer);\nALTER TABLE users ATTACH PARTITION p FOR VALUES IN (1)",),
    passes=("ALTER TABLE users ATTACH PARTITION orders FOR VALUES IN (1)",),
)
ATTACH = rule(
    "attach-partition",
    "A table made part of another",
    "breaking blocking",
    "The rows of {object} show up in the partitioned table; they, and those of a default partition, are scanned while"
    " nobody can use them, unless a check already proves that they fit.",
    "ACCESS EXCLUSIVE",
    scans=True,
    rationale="Queries on the parent change; the scan holds the strongest lock on the child and the default partition.",
    source=_MANUAL,
    flags=("ALTER TABLE users ATTACH PARTITION orders FOR VALUES IN (1)",),
    passes=("ALTER TABLE users DETACH PARTITION orders",),
)
DETACH = rule(
    "detach-partition",
    "A partition taken out",
    "breaking",
    "Hides the rows of {object} from the partitioned table; they stay in a table of their own.",
    "ACCESS EXCLUSIVE",
    rationale="Queries on the parent no longer see the rows; no row is lost.",
    source=_MANUAL,
    flags=("ALTER TABLE users DETACH PARTITION orders",),
    passes=("ALTER TABLE users DETACH PARTITION orders CONCURRENTLY",),
)
DETACH_CONCURRENTLY = rule(
    "detach-partition-concurrently",
    "A partition taken out while others go on",
    "breaking",
    "Hides the rows of {object} from the partitioned table while others go on; it cannot run in a transaction.",
    "SHARE UPDATE EXCLUSIVE",
    transactional=False,
    rationale="Two transactions with a wait between them; if it is broken off, DETACH … FINALIZE ends it.",
    source=_MANUAL,
    flags=("ALTER TABLE users DETACH PARTITION orders CONCURRENTLY",),
    passes=("ALTER TABLE users DETACH PARTITION orders",),
)
INHERIT = rule(
    "change-inheritance",
    "A table made or no longer a child of another",
    "breaking",
    "Queries on the parent of {object} come to see its rows, or no longer see them.",
    "ACCESS EXCLUSIVE",
    rationale="What a parent shows includes all of its children.",
    source="https://www.postgresql.org/docs/current/ddl-inherit.html",
    flags=("ALTER TABLE users INHERIT orders",),
    passes=("ALTER TABLE users NOT OF",),
)
CHILD = rule(
    "create-child-table",
    "A new child of a table in use",
    "additive blocking",
    "Makes it part of {object}, which is locked for a moment; a default partition is scanned.",
    "ACCESS EXCLUSIVE",
    scans=True,
    rationale="A new partition locks its parent, and its default partition is searched for rows that belong there.",
    source=_MANUAL,
    flags=("CREATE TABLE items PARTITION OF users DEFAULT", "CREATE TABLE items () INHERITS (users)"),
    passes=("CREATE TABLE items (id integer)",),
)


def attach(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    child = getattr(command, "def").partition_cmd.name
    new = context.made.has("table", name_of(child))
    _mixed(child, table, context)
    return [found(ATTACH_NEW if new else ATTACH, full(child), where, object=full(child))]


def detach(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    child = getattr(command, "def").partition_cmd
    final = member("AlterTableType", command.subtype) == "AT_DetachPartitionFinalize"
    _mixed(child.name, table, context)
    which = DETACH_CONCURRENTLY if child.concurrent else DETACH
    return [found(which, full(child.name), where, object=full(child.name) + (", the rest of it" if final else ""))]


def inherit(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    parent = getattr(command, "def").range_var
    _mixed(parent, table, context)
    return [found(INHERIT, where, full(parent), object=where)]


def _mixed(one: Tree, other: Tree, context: Context) -> None:
    """Rows of one are now rows of the other: neither is only the plan's any more."""
    for relation in (one, other):
        context.made.forget("table", relation.relname)
        context.made.change(relation.relname)
