"""What do policies, rewrite rules and event triggers do: things that act whenever somebody else's statement runs?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import code, routines, views
from mcp_migrate.rules.postgresql.names import doubts, full, member, name_of, words
from mcp_migrate.rules.postgresql.parser import Tree, parsed
from mcp_migrate.rules.postgresql.privileges import SYSTEM_CATALOG

_POLICY = "https://www.postgresql.org/docs/current/sql-createpolicy.html"

CREATE_POLICY = rule(
    "create-policy",
    "A new policy on rows",
    "privilege",
    "{kind} on {object}: who sees or writes which rows changes once row security is on.",
    "ACCESS EXCLUSIVE",
    rationale="A permissive policy opens rows to its roles; where row security is off, it waits until it is on.",
    source=_POLICY,
    flags=("CREATE POLICY own ON users USING (id = 1)",),
    passes=("ALTER TABLE users ENABLE ROW LEVEL SECURITY",),
)
ALTER_POLICY = rule(
    "alter-policy",
    "A policy on rows changed or narrowed",
    "privilege breaking",
    "{kind} on {object}: rows that were seen or written may no longer be, or the reverse.",
    "ACCESS EXCLUSIVE",
    rationale="A restrictive or changed policy takes rows away from those who rely on them, or opens them.",
    source=_POLICY,
    flags=("ALTER POLICY own ON users USING (true)", "CREATE POLICY r ON users AS RESTRICTIVE USING (id = 1)"),
    passes=("CREATE POLICY own ON users USING (id = 1)",),
)
CREATE_RULE = rule(
    "create-rule",
    "A statement rewritten into others",
    "breaking",
    "From now on, {event} on {object} also means what this rule says.",
    "ACCESS EXCLUSIVE",
    rationale="Whoever writes to the table runs the rule's statements without seeing them.",
    source="https://www.postgresql.org/docs/current/sql-createrule.html",
    flags=("CREATE RULE r AS ON INSERT TO users DO ALSO INSERT INTO orders (id) VALUES (1)",),
    passes=("CREATE VIEW v AS SELECT id FROM users",),
)
INSTEAD_RULE = rule(
    "create-instead-rule",
    "A statement that no longer does what it says",
    "breaking destructive",
    "From now on, {event} on {object} does what this rule says and nothing else: what was to be written is lost.",
    "ACCESS EXCLUSIVE",
    rationale="DO INSTEAD NOTHING silently throws writes away.",
    source="https://www.postgresql.org/docs/current/sql-createrule.html",
    flags=("CREATE RULE r AS ON INSERT TO users DO INSTEAD NOTHING",),
    passes=("CREATE RULE r AS ON INSERT TO users DO ALSO INSERT INTO orders (id) VALUES (1)",),
)
EVENT_TRIGGER = rule(
    "event-trigger",
    "Code that runs at each change of the schema",
    "privilege unknown",
    "Changes which code runs at each {event} in this database, whoever makes it.",
    of="",
    rationale="It runs with the rights of whoever changes the schema next, this plan and every later one included.",
    source="https://www.postgresql.org/docs/current/sql-createeventtrigger.html",
    flags=("CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION evil()", "ALTER EVENT TRIGGER t DISABLE"),
    passes=("CREATE TRIGGER t AFTER INSERT ON users EXECUTE FUNCTION evil()",),
)


def create_policy(node: Tree, context: Context) -> list[Finding]:
    permissive = node.permissive
    which = CREATE_POLICY if permissive else ALTER_POLICY
    kind = f"Makes the {'permissive' if permissive else 'restrictive'} policy {node.policy_name}"
    return [found(which, full(node.table), kind=kind), *_conditions(node, context)]


def alter_policy(node: Tree, context: Context) -> list[Finding]:
    kind = f"Changes the policy {node.policy_name}"
    return [found(ALTER_POLICY, full(node.table), kind=kind), *_conditions(node, context)]


def _conditions(node: Tree, context: Context) -> list[Finding]:
    """They are evaluated for each row that somebody reads or writes from now on."""
    findings = []
    for condition in (node.qual, node.with_check):
        findings += code.told_later(code.expression(condition, context))
    name = name_of(node.table)
    views.runs_when_read(name, findings, context)
    context.made.act(name[1], findings)
    context.made.act("*", findings)
    return [*findings, *sentences(doubts(name_of(node.table), context))]


def create_rule(node: Tree, context: Context) -> list[Finding]:
    event = member("CmdType", node.event).removeprefix("CMD_")
    if event == "SELECT":
        return [unknown("a rule on SELECT makes the table a view", full(node.relation))]
    inside = [one for action in node.actions for one in code.inside(parsed(action), context)]
    if node.HasField("where_clause"):
        inside += code.expression(node.where_clause, context)
    name = name_of(node.relation)
    system = [found(SYSTEM_CATALOG, full(node.relation))] if full(node.relation).startswith("pg_") else []
    which = INSTEAD_RULE if node.instead else CREATE_RULE
    acting = [one for one in inside if not code.only_reads(one)]
    context.made.act(name[1], acting)
    context.made.act("*", acting)
    told = [found(which, full(node.relation), event=event), *code.told_later(inside)]
    return [*told, *system, *sentences(doubts(name, context))]


def event_trigger(node: Tree, context: Context) -> list[Finding]:
    findings = routines.called(words(node.funcname)[-1], 0, context) or ()
    return [found(EVENT_TRIGGER, event=node.eventname), *code.told_later(findings)]


def alter_event_trigger(_node: Tree, _context: Context) -> list[Finding]:
    return [found(EVENT_TRIGGER, event="change of the schema")]


KINDS = {
    "alter_event_trig_stmt": alter_event_trigger,
    "alter_policy_stmt": alter_policy,
    "create_event_trig_stmt": event_trigger,
    "create_policy_stmt": create_policy,
    "rule_stmt": create_rule,
}
