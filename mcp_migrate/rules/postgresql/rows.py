"""What do INSERT, UPDATE, DELETE and TRUNCATE do, also inside a WITH, and what does a SELECT?"""

from __future__ import annotations

from collections.abc import Callable

from mcp_migrate.model import Effect
from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, Rule, effects_of, found, rule, unknown
from mcp_migrate.rules.postgresql import triggers
from mcp_migrate.rules.postgresql.names import full, is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.privileges import SYSTEM_CATALOG
from mcp_migrate.rules.postgresql.reading import Reading

_Own = Callable[[Tree, Context], list[Finding]]

READ = rule(
    "read",
    "Rows read",
    "read",
    "Only reads {object}.",
    rationale="Reading changes nothing; what is read may still be a secret, so scopes count the table.",
    source="https://www.postgresql.org/docs/current/sql-select.html",
    flags=("SELECT id FROM users", "WITH a AS (SELECT id FROM orders) SELECT count(*) FROM a"),
    passes=("WITH a AS (DELETE FROM orders RETURNING id) SELECT id FROM a", "SELECT id INTO copied FROM users"),
)
LOCKING_READ = rule(
    "read-for-update",
    "Rows read and locked",
    "read blocking",
    "Reads {object} and keeps writers of these rows waiting.",
    "ROW SHARE",
    rationale="The locks stay until the transaction ends.",
    source="https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS",
    flags=("SELECT id FROM users FOR UPDATE",),
    passes=("SELECT id FROM users",),
)
INSERT = rule(
    "insert-rows",
    "New rows",
    "data",
    "Adds rows to {object}.",
    "ROW EXCLUSIVE",
    rationale="Rows that were not there before change what code finds.",
    source="https://www.postgresql.org/docs/current/sql-insert.html",
    flags=("INSERT INTO users (id) VALUES (1)", "INSERT INTO orders (id) VALUES (1) ON CONFLICT DO NOTHING"),
    passes=("SELECT 'INSERT INTO users'", "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2"),
)
UPSERT = rule(
    "overwrite-rows",
    "New rows that overwrite old ones",
    "data destructive",
    "Adds rows to {object} and overwrites those that are already there.",
    "ROW EXCLUSIVE",
    rationale="Where the key is taken the old values are gone, and nothing tells how often that was.",
    source="https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT",
    flags=("INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = 'a'",),
    passes=("INSERT INTO users (id, name) VALUES (1, 'a') ON CONFLICT DO NOTHING",),
)
UPDATE = rule(
    "update-rows",
    "Rows overwritten",
    "data destructive",
    "Overwrites values in {object}{all}; the old ones are lost.",
    "ROW EXCLUSIVE",
    rationale="The values that were there are gone; rows that others want to write wait until it commits.",
    source="https://www.postgresql.org/docs/current/sql-update.html",
    flags=("UPDATE users SET name = 'x'", "WITH a AS (UPDATE orders SET total = 0 RETURNING id) SELECT id FROM a"),
    passes=("SELECT id FROM users FOR UPDATE", "CREATE TABLE t (a integer);\nUPDATE t SET a = 1"),
)
DELETE = rule(
    "delete-rows",
    "Rows deleted",
    "destructive",
    "Deletes rows of {object}{all}.",
    "ROW EXCLUSIVE",
    rationale="The rows are gone, and so may be rows of other tables that refer to them.",
    source="https://www.postgresql.org/docs/current/sql-delete.html",
    flags=("DELETE FROM orders", "WITH a AS (DELETE FROM orders RETURNING id) SELECT id FROM a"),
    passes=("SELECT 'DELETE FROM orders'", "CREATE TABLE t (a integer);\nDELETE FROM t"),
)
TRUNCATE = rule(
    "truncate",
    "A table emptied",
    "destructive blocking",
    "Deletes every row of {object}{cascade}.",
    "ACCESS EXCLUSIVE",
    rationale="Every row is gone, and nobody can use the table meanwhile.",
    source="https://www.postgresql.org/docs/current/sql-truncate.html",
    flags=("TRUNCATE users",),
    passes=("DELETE FROM users",),
)
LOOKS = rule(
    "looks-at-rows",
    "Rows looked at on the way",
    "",
    "Looks at {object}.",
    rationale="What is read beside a change is told, so that a narrow scope covers it as well.",
    source="https://www.postgresql.org/docs/current/sql-insert.html",
    flags=("INSERT INTO orders (id) SELECT id FROM users",),
    passes=("INSERT INTO orders (id) VALUES (1)",),
)
FILL_NEW = rule(
    "change-new-rows",
    "Rows of a table this plan made",
    "data",
    "Changes rows of {object}, which this plan made.",
    rationale="Nobody's rows can be in it yet but those the plan put there.",
    source="https://www.postgresql.org/docs/current/sql-insert.html",
    flags=("CREATE TABLE t (a integer);\nDELETE FROM t", "CREATE TABLE t (a integer);\nUPDATE t SET a = 1"),
    passes=("DELETE FROM orders",),
)


def select(node: Tree, context: Context) -> list[Finding]:
    reading = Reading.of(node, context)
    nested, names = _nested(reading, context), dict.fromkeys(reading.relations)
    if effects_of(reading.called) - {Effect.READ, Effect.UNKNOWN}:  # a function that it calls changes something
        nested += [found(LOOKS, *names)] if names else []
    elif not nested:
        which = LOCKING_READ if reading.locks else READ
        nested.append(found(which, *names, object=", ".join(names) or "no table"))
    return [*nested, *reading.findings()]


def insert(node: Tree, context: Context) -> list[Finding]:
    return _top(node, context, _insert)


def update(node: Tree, context: Context) -> list[Finding]:
    return _top(node, context, _update)


def delete(node: Tree, context: Context) -> list[Finding]:
    return _top(node, context, _delete)


def merge(node: Tree, context: Context) -> list[Finding]:
    return _top(node, context, _merge)


def truncate(node: Tree, context: Context) -> list[Finding]:
    cascade = member("DropBehavior", node.behavior) == "DROP_CASCADE"
    relations = [relation.range_var for relation in node.relations]
    plain = not cascade and not node.restart_seqs and not context.made.acting
    if plain and all(context.made.has("table", name_of(r)) for r in relations):
        return [found(FILL_NEW, *map(full, relations))]
    reached = [name for relation in relations if cascade for name in context.referrers(full(relation))]
    findings = [
        found(TRUNCATE, *map(full, relations), *reached, cascade=", and by CASCADE of all that refer to it" * cascade),
    ]
    for relation in relations:
        findings += _surprises(relation, context)
    return [*findings, *Reading.of(node, context).findings()]


def _top(node: Tree, context: Context, own: _Own) -> list[Finding]:
    reading = Reading.of(node, context)
    looked = [found(LOOKS, *dict.fromkeys(reading.relations))] if reading.relations else []
    return [*own(node, context), *_nested(reading, context), *looked, *reading.findings()]


def _nested(reading: Reading, context: Context) -> list[Finding]:
    """What is changed inside a WITH; the walk has already looked into it."""
    return [f for kind, node in reading.writes for f in _NESTED.get(kind, _not_known)(node, context)]


def _insert(node: Tree, context: Context) -> list[Finding]:
    action = member("OnConflictAction", node.on_conflict_clause.action)
    ours = context.made.has("table", name_of(node.relation))
    which = UPSERT if action == "ONCONFLICT_UPDATE" and not ours else INSERT
    return [found(which, full(node.relation)), *_surprises(node.relation, context)]


def _merge(node: Tree, context: Context) -> list[Finding]:
    """What each WHEN may do."""
    where, acts = full(node.relation), {c.merge_when_clause.command_type for c in node.merge_when_clauses}
    ours = context.made.has("table", name_of(node.relation))
    findings = []
    for act, which in zip(sorted(acts), (_MERGED.get(member("CmdType", act)) for act in sorted(acts)), strict=True):
        if which is None:
            findings += [] if member("CmdType", act) == "CMD_NOTHING" else [unknown("this WHEN is not on the list")]
        elif ours:
            findings.append(found(FILL_NEW, where))
        else:
            reached = context.referrers(where, acting=True) if which is DELETE else ()
            findings.append(found(which, where, *reached, object=where, all=" that it matches"))
    return [*(findings or [found(LOOKS, where)]), *_surprises(node.relation, context)]


def _update(node: Tree, context: Context) -> list[Finding]:
    return _changed(node, UPDATE, context)


def _delete(node: Tree, context: Context) -> list[Finding]:
    return _changed(node, DELETE, context)


def _changed(node: Tree, which: Rule, context: Context) -> list[Finding]:
    where = full(node.relation)
    if context.made.has("table", name_of(node.relation)):
        return [found(FILL_NEW, where)]
    everything = "" if node.HasField("where_clause") else ", every row"
    reached = context.referrers(where, acting=True) if which is DELETE else ()
    return [found(which, where, *reached, all=everything), *_surprises(node.relation, context)]


def _surprises(relation: Tree, context: Context) -> list[Finding]:
    """What else may happen when rows of this table change."""
    name, where = name_of(relation), full(relation)
    if is_system(name):
        return [found(SYSTEM_CATALOG, where)]
    if context.made.has("table", name) or context.schema is None:
        return []
    if where in context.active:
        return triggers.fired(where, context)
    if not context.plain(where):
        return [unknown(f"{where} is not a plain table of the schema", where)]
    return []


def _not_known(_node: Tree, _context: Context) -> list[Finding]:
    return [unknown("this kind of change is not looked into")]


_MERGED = {"CMD_INSERT": INSERT, "CMD_UPDATE": UPDATE, "CMD_DELETE": DELETE}
_NESTED = {"merge_stmt": _merge, "insert_stmt": _insert, "update_stmt": _update, "delete_stmt": _delete}
