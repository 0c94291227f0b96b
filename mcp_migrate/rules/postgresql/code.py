"""What does code do when it runs: the body of a function or procedure, or a DO block?

Every statement in it is judged by the same family as one that stands alone. What the plan made earlier is not
trusted inside: code may run later, more than once, or in part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from mcp_migrate.model import Effect
from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, Rule, effects_of, found, rule, unknown
from mcp_migrate.rules.postgresql.later import later, too_deep
from mcp_migrate.rules.postgresql.names import member, words
from mcp_migrate.rules.postgresql.parser import Parsed, Tree, parse_all, parsed
from mcp_migrate.rules.postgresql.plpgsql import Block, Heading

RUNS_CODE = rule(
    "run-code",
    "Code that is run",
    "read",
    "Runs code that changes nothing.",
    of="",
    rationale="A DO block or procedure is judged by what its statements do; here none does more than read.",
    source="https://www.postgresql.org/docs/current/sql-do.html",
    flags=("DO $$ BEGIN RAISE NOTICE 'hello'; END $$",),
    passes=("DO $$ BEGIN DELETE FROM users; END $$",),
)
FOREIGN_CODE = rule(
    "untrusted-code",
    "Code that nobody here can read",
    "privilege unknown",
    "Code in {language} can do whatever the server's own account may.",
    of="",
    rationale="C and the untrusted languages reach files, the network and memory of the server.",
    source="https://www.postgresql.org/docs/current/xfunc-c.html",
    flags=("CREATE FUNCTION f() RETURNS integer LANGUAGE c AS 'evil.so', 'f'",),
    passes=("CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",),
)
_TRIGGER_TYPES = frozenset({"trigger", "event_trigger"})
_CATALOGS = frozenset({"pg_catalog", "information_schema"})
_MOVING = frozenset({Effect.BREAKING, Effect.PRIVILEGE, Effect.UNKNOWN})


def options_of(nodes: Iterable[Tree]) -> dict[str, list[Tree]]:
    """The options of a routine or DO, by name; SET may come more than once."""
    options: dict[str, list[Tree]] = {}
    for node in nodes:
        options.setdefault(node.def_elem.defname, []).append(node.def_elem.arg)
    return options


def of_routine(node: Tree, context: Context, *, runs: bool = False) -> list[Finding]:
    """What the body of a CREATE FUNCTION or PROCEDURE does when it is called."""
    inside = later(context, runs=runs)
    if node.HasField("sql_body"):
        return _standard(node.sql_body, inside)
    options = options_of(node.options)
    language = options["language"][0].string.sval.lower() if "language" in options else ""
    texts = [item.string.sval for item in options["as"][0].list.items] if "as" in options else []
    if len(texts) != 1:
        return [found(FOREIGN_CODE, language=language or "a language that is not named")]
    return _text(language, texts[0], _heading(node), inside)


def of_block(node: Tree, context: Context) -> list[Finding]:
    """What a DO block does."""
    options = options_of(node.args)
    language = options["language"][0].string.sval.lower() if "language" in options else "plpgsql"
    return _text(language, options["as"][0].string.sval, Heading(), later(context, runs=True))


def statement(sql: str, context: Context) -> list[Finding]:
    """What a text of one or more statements does inside code."""
    statements = parse_all(sql)
    if isinstance(statements, str):
        return [unknown(f"in code, {statements}")]
    return [found for one in statements for found in _one(one, context)]


def moves(findings: Iterable[Finding]) -> bool:
    """Whether it may rename, drop or switch things: then what was known before no longer holds."""
    return bool(effects_of(findings) & _MOVING)


def told_later(findings: Iterable[Finding]) -> list[Finding]:
    """What code would do when it runs, said of a statement that only writes it down: it takes no lock yet."""
    return [
        Finding(_unlocked(f.rule), f.objects, f"When it runs: {f.why}", later=True)
        for f in findings
        if not only_reads(f)
    ]


def only_reads(finding: Finding) -> bool:
    return finding.rule.effects <= {Effect.READ}


def reads(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What is only looked at."""
    return tuple(dict.fromkeys(name for finding in findings if only_reads(finding) for name in finding.objects))


@cache
def _unlocked(which: Rule) -> Rule:
    return replace(which, lock=None, scans=False, rewrites=False, transactional=True, safer=None)


def _heading(node: Tree) -> Heading:
    names = tuple(p.function_parameter.name for p in node.parameters)
    out = tuple(
        member("FunctionParameterMode", p.function_parameter.mode) in {"FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"}
        for p in node.parameters
    )
    returns = words(node.return_type.names)
    return Heading(names, out, node.return_type.setof, bool(returns) and returns[-1] in _TRIGGER_TYPES)


def _text(language: str, text: str, heading: Heading, context: Context) -> list[Finding]:
    if too_deep(context):
        return [unknown("code stands in code too deeply to be looked into")]
    if language == "sql":
        return statement(text, context)
    if language == "plpgsql":
        return Block(context, statement).findings(text, heading)
    return [found(FOREIGN_CODE, language=language or "a language that is not named")]


def _standard(body: Tree, context: Context) -> list[Finding]:
    """A body written as part of the statement: RETURN, or BEGIN ATOMIC with a list of lists."""
    one = parsed(body)
    if one.kind == "list":
        return [found for item in one.node.items for found in _standard(item, context)]
    if one.kind == "return_stmt":
        return expression(one.node.returnval, context)
    return _one(one, context)


def inside(one: Parsed, context: Context) -> list[Finding]:
    """What a statement does that stands in another one."""
    depth = later(context, runs=True)
    if too_deep(depth):
        return [unknown("statements stand in statements too deeply to be looked into")]
    return _one(one, depth)


def looked(findings: Iterable[Finding]) -> list[Finding]:
    """The findings; where anything changes, what is read is only looked at on the way."""
    from mcp_migrate.rules.postgresql.rows import LOOKS  # it asks this module what functions do

    every = list(findings)
    if all(map(only_reads, every)):
        return every
    looks_at = [name for name in reads(every) if name.partition(".")[0] not in _CATALOGS]
    rest = [finding for finding in every if not only_reads(finding)]
    return [*rest, found(LOOKS, *looks_at)] if looks_at else rest


def expression(node: Tree, context: Context) -> list[Finding]:
    """What evaluating a part of a statement does; what it reads is named."""
    from mcp_migrate.rules.postgresql.reading import Reading  # it asks this module what functions do
    from mcp_migrate.rules.postgresql.rows import READ

    reading = Reading.of(node, context)
    doubt = [unknown("a query inside changes rows")] if reading.writes else []
    looked_at = [found(READ, *dict.fromkeys(reading.relations))] if reading.relations else []
    return [*looked_at, *reading.findings(), *doubt]


def planning(node: Tree, context: Context) -> list[Finding]:
    """What making a plan for a statement may run: the functions in it, not the statement."""
    from mcp_migrate.rules.postgresql.reading import Reading  # it asks this module what functions do

    return [finding for finding in Reading.of(node, context).findings() if not only_reads(finding)]


def _one(one: Parsed, context: Context) -> list[Finding]:
    if not one.kind:
        return []
    from mcp_migrate.rules.postgresql import findings_of  # the family asks this module what its code does

    return findings_of(one.kind, one.node, context)
