"""What does DROP do to code and to what guards tables: functions, triggers, rules, policies, extensions?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, Rule, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql.names import doubts, is_system, qualified, split, words
from mcp_migrate.rules.postgresql.parser import Tree

DROP_ROUTINE = rule(
    "drop-function",
    "Code in the database taken away",
    "breaking",
    "Drops the {kind} {object}: whoever calls it fails.",
    of="function",
    rationale="Clients fail when they call it, and so does code that PostgreSQL does not know to depend on it.",
    source="https://www.postgresql.org/docs/current/sql-dropfunction.html",
    flags=("DROP FUNCTION evil()", "DROP PROCEDURE IF EXISTS app.tidy"),
    passes=("DROP FUNCTION evil() CASCADE",),
)
DROP_NEW_ROUTINE = rule(
    "drop-new-function",
    "Code that this plan made, dropped again",
    "additive",
    "Drops the {kind} {object}, which this plan made.",
    of="function",
    rationale="Nobody called it before the plan.",
    source="https://www.postgresql.org/docs/current/sql-dropfunction.html",
    flags=("CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';\nDROP FUNCTION f()",),
    passes=("DROP FUNCTION evil()",),
)
DROP_CASCADE = rule(
    "drop-code-cascade",
    "Code taken away with all that stands on it",
    "destructive breaking",
    "Drops the {kind} {object}, and by CASCADE all that depends on it: triggers, views, defaults, generated columns.",
    "ACCESS EXCLUSIVE",
    of="function",
    rationale="A generated column goes with its values; views and triggers go without being named.",
    source="https://www.postgresql.org/docs/current/sql-dropfunction.html",
    flags=("DROP FUNCTION evil() CASCADE",),
    passes=("DROP FUNCTION evil()",),
)
DROP_TRIGGER = rule(
    "drop-trigger",
    "What acted on each write taken away",
    "privilege breaking",
    "Drops a {kind} of {object}: what it checked, kept or recorded no longer is.",
    "ACCESS EXCLUSIVE",
    rationale="Triggers and rules guard and audit rows.",
    source="https://www.postgresql.org/docs/current/sql-droptrigger.html",
    flags=("DROP TRIGGER watch ON audited", "DROP RULE keep ON users"),
    passes=("DROP FUNCTION evil()",),
)
DROP_POLICY = rule(
    "drop-policy",
    "A policy on rows taken away",
    "privilege breaking",
    "Drops a policy of {object}: who sees or writes which rows changes.",
    "ACCESS EXCLUSIVE",
    rationale="Without a permissive policy rows can no longer be seen; without a restrictive one they are open.",
    source="https://www.postgresql.org/docs/current/sql-droppolicy.html",
    flags=("DROP POLICY own ON users",),
    passes=("DROP TRIGGER watch ON audited",),
)
DROP_GUARD = rule(
    "drop-guard",
    "A guard of the whole database taken away",
    "privilege breaking",
    "Drops the {kind} {name}: what it stopped, recorded or sent no longer is.",
    of="",
    rationale="Event triggers guard the schema; publications feed other servers.",
    source="https://www.postgresql.org/docs/current/sql-dropeventtrigger.html",
    flags=("DROP EVENT TRIGGER t", "DROP PUBLICATION p"),
    passes=("DROP POLICY own ON users",),
)
DROP_EXTENSION = rule(
    "drop-extension",
    "An extension taken away",
    "privilege destructive breaking",
    "Drops the extension {name}{cascade} and all that it defines.",
    of="",
    rationale="Its types and functions go; with CASCADE every column of such a type goes with its values.",
    source="https://www.postgresql.org/docs/current/sql-dropextension.html",
    flags=("DROP EXTENSION citext CASCADE",),
    passes=("CREATE EXTENSION IF NOT EXISTS citext",),
)
_ROUTINES = frozenset({"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})
_ON_TABLES = {"OBJECT_TRIGGER": DROP_TRIGGER, "OBJECT_RULE": DROP_TRIGGER, "OBJECT_POLICY": DROP_POLICY}
_NAMED = {
    "OBJECT_EVENT_TRIGGER": DROP_GUARD,
    "OBJECT_PUBLICATION": DROP_GUARD,
    "OBJECT_EXTENSION": DROP_EXTENSION,
}
KINDS = _ROUTINES | frozenset(_ON_TABLES) | frozenset(_NAMED)


def drop_code(kind: str, node: Tree, context: Context, *, cascades: bool) -> list[Finding]:
    """One DROP of one or more things of a kind that is in `KINDS`."""
    word = kind.removeprefix("OBJECT_").replace("_", " ").lower()
    if kind in _ROUTINES:
        return [f for item in node.objects for f in _routine(word, item, context, cascades=cascades)]
    context.made.clear()
    if kind in _ON_TABLES:
        return [f for item in node.objects for f in _on_table(_ON_TABLES[kind], word, item, context)]
    tail = ", and by CASCADE all that depends on it," * cascades
    return [found(_NAMED[kind], kind=word, name=item.string.sval, cascade=tail) for item in node.objects]


def _routine(word: str, item: Tree, context: Context, *, cascades: bool) -> list[Finding]:
    parts = words(item.object_with_args.objname)
    name = split(parts)
    new = context.schema is not None and name[1] not in context.functions and context.made.told(name[1]) is not None
    which = DROP_CASCADE if cascades else DROP_NEW_ROUTINE if new else DROP_ROUTINE
    findings = [found(which, qualified(name), kind=word), *sentences(doubts([name[0] or "public", name[1]], context))]
    if is_system(name) or len(parts) > 2:  # noqa: PLR2004  a catalog before the schema
        findings.append(unknown("it names something of the system or of another database", qualified(name)))
    context.made.rewrite(name[1])
    if cascades:
        context.made.clear()
    return findings


def _on_table(which: Rule, word: str, item: Tree, context: Context) -> list[Finding]:
    *table, _ = words(item.list.items)
    name = split(table)
    return [found(which, qualified(name), kind=word), *sentences(doubts(name, context))]
