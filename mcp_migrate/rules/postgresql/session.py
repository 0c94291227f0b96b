"""What do statements do that only concern the session: settings, transactions, locks, cursors, prepared statements?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, unknown
from mcp_migrate.rules.locks import BLOCKS
from mcp_migrate.rules.postgresql import code
from mcp_migrate.rules.postgresql.later import later
from mcp_migrate.rules.postgresql.names import full, member
from mcp_migrate.rules.postgresql.parser import Tree, parsed
from mcp_migrate.rules.postgresql.settings import HARMLESS, RIGHTS, SESSION, lifts_limit

_SET = "https://www.postgresql.org/docs/current/sql-set.html"

SETTING = rule(
    "session-setting",
    "A setting that changes no meaning",
    "read",
    "Sets {what} for this session; no later statement means anything else for it.",
    of="",
    rationale="Timeouts that end a wait early, memory and messages are the session's own affair.",
    source=_SET,
    flags=("SET lock_timeout = '5s'", "SET LOCAL statement_timeout = '10min'", "SET standard_conforming_strings = on"),
    passes=("SET lock_timeout = 0", "SET search_path = app", "SET standard_conforming_strings = off"),
)
LIFTS_LIMIT = rule(
    "lift-limit",
    "A limit on waiting taken away",
    "blocking",
    "Sets {what} so that a statement may wait or run without an end, and others behind it.",
    of="",
    rationale="A statement that waits for a strong lock keeps everybody waiting who comes after it.",
    source="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT",
    flags=("SET lock_timeout = 0", "RESET statement_timeout"),
    passes=("SET lock_timeout = '5s'",),
)
_CONSTRAINTS = rule(
    "set-constraints",
    "When constraints are checked",
    "read",
    "Chooses when deferrable constraints are checked in this transaction.",
    of="",
    rationale="They are checked in any case, at the end of the transaction at the latest.",
    source="https://www.postgresql.org/docs/current/sql-set-constraints.html",
    flags=("SET CONSTRAINTS ALL DEFERRED",),
    passes=("ALTER TABLE users DISABLE TRIGGER ALL",),
)
_LOCKS = {
    mode: rule(
        "lock-table",
        "A lock taken by hand",
        "blocking" if "writes" in BLOCKS[mode] else "read",
        f"Locks {{object}} in {mode} mode until the transaction ends.",
        mode,
        rationale="A lock that stops writers is held until the end of the whole plan.",
        source="https://www.postgresql.org/docs/current/sql-lock.html",
        flags=("LOCK TABLE users", "LOCK users IN SHARE MODE"),
        passes=("SELECT * FROM users",),
    )
    for mode in list(BLOCKS)[:8]
}
_LOOKS = rule(
    "looks-at-session",
    "Only the session is looked at",
    "read",
    "Looks at, opens or closes something of this session only.",
    of="",
    rationale="SHOW, FETCH, CLOSE and DEALLOCATE change nothing that anybody else can see.",
    source="https://www.postgresql.org/docs/current/sql-show.html",
    flags=("SHOW lock_timeout", "DISCARD PLANS"),
    passes=("DISCARD ALL",),
)
_CHECKPOINT = rule(
    "checkpoint",
    "Everything written to disk at once",
    "blocking",
    "Makes the server write all changes to disk now, which slows everybody down.",
    of="",
    rationale="The disks are busy with it; nothing is lost or changed.",
    source="https://www.postgresql.org/docs/current/sql-checkpoint.html",
    flags=("CHECKPOINT",),
    passes=("SHOW lock_timeout",),
)
_OFF = frozenset({"false", "off", "0"})


def set_(node: Tree, _context: Context) -> list[Finding]:
    """SET and RESET."""
    name, kind = node.name.lower(), member("VariableSetKind", node.kind)
    if name in RIGHTS or kind in {"VAR_RESET_ALL", "VAR_SET_MULTI"}:
        return [found(SESSION, what=node.name or "several settings")]
    harmless = HARMLESS.get(name)
    if harmless is None:
        return [unknown(f"the setting {name} may change what later statements mean")]
    resets = kind in {"VAR_RESET", "VAR_SET_DEFAULT"}
    if lifts_limit(name, None if resets else node.args):
        return [found(LIFTS_LIMIT, what=name)]
    if resets or not harmless or _value(node) in harmless:
        return [found(SETTING, what=name)]
    return [unknown(f"the setting {name} is harmless only as {' or '.join(sorted(harmless))}")]


def _value(node: Tree) -> str | None:
    if len(node.args) != 1 or not node.args[0].HasField("a_const"):
        return None
    constant = node.args[0].a_const
    return str(constant.ival.ival) if constant.HasField("ival") else constant.sval.sval.lower()


def transaction(node: Tree, _context: Context) -> list[Finding]:
    what = member("TransactionStmtKind", node.kind).removeprefix("TRANS_STMT_").replace("_", " ")
    return [unknown(f"{what} would begin or end the transaction that belongs to whoever runs the plan")]


def constraints(_node: Tree, _context: Context) -> list[Finding]:
    return [found(_CONSTRAINTS)]


def lock(node: Tree, context: Context) -> list[Finding]:
    mode = list(BLOCKS)[node.mode - 1] if 1 <= node.mode <= len(_LOCKS) else "ACCESS EXCLUSIVE"
    relations = [item.range_var for item in node.relations]
    return [found(_LOCKS[mode], *map(full, relations)), *_reading(relations, context)]


def _reading(nodes: list[Tree], context: Context) -> list[Finding]:
    from mcp_migrate.rules.postgresql.reading import Reading

    return [finding for node in nodes for finding in Reading.of(node, context).findings()]


def discard(node: Tree, _context: Context) -> list[Finding]:
    what = member("DiscardMode", node.target).removeprefix("DISCARD_")
    if what in {"PLANS", "SEQUENCES"}:
        return [found(_LOOKS)]
    return [unknown(f"DISCARD {what} forgets what the session of whoever runs the plan rests on")]


def looks(_node: Tree, _context: Context) -> list[Finding]:
    return [found(_LOOKS)]


def checkpoint(_node: Tree, _context: Context) -> list[Finding]:
    return [found(_CHECKPOINT)]


def prepare(node: Tree, context: Context) -> list[Finding]:
    """PREPARE only keeps a statement, which a later EXECUTE runs: it is judged here and told again there."""
    findings = code.inside(parsed(node.query), context)
    context.made.tell(f"\0prepared {node.name}", findings)
    return code.told_later(findings) or [found(_LOOKS)]


def execute(node: Tree, context: Context) -> list[Finding]:
    kept = context.made.told(f"\0prepared {node.name}")
    if kept is None:
        return [unknown(f"no statement {node.name} was prepared by this plan")]
    return [*kept, *_reading(list(node.params), context)]


def cursor(node: Tree, context: Context) -> list[Finding]:
    """DECLARE: the query runs when rows are fetched."""
    return code.inside(parsed(node.query), context)


def explain(node: Tree, context: Context) -> list[Finding]:
    """EXPLAIN shows a plan; with ANALYZE it runs the statement."""
    given = code.options_of(node.options).get("analyze")
    if given is not None and (not given[0].WhichOneof("node") or given[0].string.sval.lower() not in _OFF):
        return code.inside(parsed(node.query), context)
    # Planning reads no row, but it calls functions that say they always answer the same.
    return [found(_LOOKS), *code.planning(node.query, later(context, runs=True))]


def reaches_out(_node: Tree, _context: Context) -> list[Finding]:
    return [unknown("LISTEN and NOTIFY speak with other sessions, which may act on it")]


KINDS = {
    "check_point_stmt": checkpoint,
    "close_portal_stmt": looks,
    "constraints_set_stmt": constraints,
    "deallocate_stmt": looks,
    "declare_cursor_stmt": cursor,
    "discard_stmt": discard,
    "execute_stmt": execute,
    "explain_stmt": explain,
    "fetch_stmt": looks,
    "listen_stmt": reaches_out,
    "lock_stmt": lock,
    "notify_stmt": reaches_out,
    "prepare_stmt": prepare,
    "transaction_stmt": transaction,
    "unlisten_stmt": reaches_out,
    "variable_set_stmt": set_,
    "variable_show_stmt": looks,
}
