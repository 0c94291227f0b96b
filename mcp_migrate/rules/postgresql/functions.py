"""What do statements do that make, change, drop or run code: functions, procedures, aggregates and DO blocks?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import code
from mcp_migrate.rules.postgresql.builtins import COUNTERS, FRESH_FUNCTIONS, STEADY_FUNCTIONS
from mcp_migrate.rules.postgresql.later import later
from mcp_migrate.rules.postgresql.names import doubts, is_system, qualified, split, words
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.session import set_in_code

_MANUAL = "https://www.postgresql.org/docs/current/sql-createfunction.html"
_ALTER = "https://www.postgresql.org/docs/current/sql-alterfunction.html"

CREATE_ROUTINE = rule(
    "create-function",
    "New code in the database",
    "additive",
    "Makes the {kind} {object}; nobody calls it yet.",
    of="function",
    rationale="Code that nobody calls does nothing; what it would do is judged as if it ran.",
    source=_MANUAL,
    flags=("CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'",),
    passes=("CREATE OR REPLACE FUNCTION evil() RETURNS integer LANGUAGE sql AS 'SELECT 1'",),
)
REPLACE_ROUTINE = rule(
    "replace-function",
    "Other code under a name in use",
    "breaking",
    "Replaces the {kind} {object}, or makes another of that name: whoever calls it gets other code.",
    of="function",
    rationale="Views, triggers, defaults and clients that call it change what they do at that moment.",
    source=_MANUAL,
    flags=("CREATE OR REPLACE FUNCTION evil() RETURNS integer LANGUAGE sql AS 'SELECT 1'",),
    passes=("CREATE OR REPLACE FUNCTION twice() RETURNS integer LANGUAGE sql AS 'SELECT 1'",),
)
DEFINER = rule(
    "security-definer",
    "Code that runs as its owner",
    "privilege",
    "{object} runs with the rights of its owner, whoever calls it{path}.",
    of="function",
    rationale="Callers act with rights they lack; without a search_path of its own they can also choose what it calls.",
    source="https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY",
    flags=("CREATE FUNCTION f() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",),
    passes=("CREATE FUNCTION f() RETURNS integer LANGUAGE sql SECURITY INVOKER AS 'SELECT 1'",),
)
ALTER_ROUTINE = rule(
    "alter-function",
    "Code that is run in another way",
    "breaking",
    "Changes how {object} runs: how it is planned, or what it does with nulls.",
    of="function",
    rationale="Volatility, strictness and the like change results of those who call it.",
    source=_ALTER,
    flags=("ALTER FUNCTION evil() STRICT",),
    passes=("ALTER FUNCTION evil() SECURITY DEFINER",),
)
_PLAIN_OPTIONS = frozenset({"as", "language", "volatility", "strict", "window", "cost", "rows", "parallel"})
_ANY_VALUE = frozenset(
    "void record trigger event_trigger anyelement anyarray anynonarray anyenum anyrange anymultirange anycompatible"
    " anycompatiblearray anycompatiblenonarray anycompatiblerange anycompatiblemultirange any cstring".split()
)


def create(node: Tree, context: Context) -> list[Finding]:
    """CREATE FUNCTION or PROCEDURE: told is what it is, and what it would do."""
    parts = words(node.funcname)
    name, where = split(parts), qualified(split(parts))
    kind = "procedure" if node.is_procedure else "function"
    body = code.of_routine(node, context)
    used = _in_use(name[1], context, replaces=node.replace)
    which = REPLACE_ROUTINE if used else CREATE_ROUTINE
    findings = [found(which, where, *code.reads(body), object=where, kind=kind), *_options(node, where)]
    given = _signature(node, context)
    findings += [*code.told_later([*body, *given]), *_naming(parts, where, context)]
    if used:
        context.made.rewrite(name[1])
    context.made.tell(name[1], [*body, *given])
    return findings


def _in_use(name: str, context: Context, *, replaces: bool) -> bool:
    """Whether somebody may call something of that name already."""
    known = name in context.functions or context.made.named(name)
    return known or (replaces and (context.schema is None or context.made.rewritten(name)))


def _naming(parts: list[str], where: str, context: Context) -> list[Finding]:
    name = split(parts)
    findings = sentences(doubts([name[0] or "public", name[1]], context))
    if is_system(name) or len(parts) > 2:  # noqa: PLR2004  a catalog before the schema
        findings.append(unknown("it names something of the system or of another database", where))
    if name[1] in STEADY_FUNCTIONS | FRESH_FUNCTIONS | COUNTERS:
        findings.append(unknown(f"calls of PostgreSQL's own {name[1]} may find this one instead", where))
    return findings


def _options(node: Tree, where: str) -> list[Finding]:
    options = code.options_of(node.options)
    findings: list[Finding] = []
    for option, values in options.items():
        findings += _option(option, values, where, pinned=_pinned(options))
    return findings


def _option(option: str, values: list[Tree], where: str, *, pinned: bool) -> list[Finding]:
    if option == "security":
        path = "" if pinned else ", and without a search_path of its own whoever calls it chooses what its names mean"
        return [found(DEFINER, where, path=path)] if values[0].boolean.boolval else []
    if option == "set":
        return [finding for value in values for finding in set_in_code(value.variable_set_stmt, where)]
    if option == "leakproof" and not values[0].boolean.boolval:
        return []
    return [] if option in _PLAIN_OPTIONS else [unknown(f"the option {option} of code is not on the list", where)]


def _pinned(options: dict[str, list[Tree]]) -> bool:
    return any(value.variable_set_stmt.name.lower() == "search_path" for value in options.get("set", ()))


def _signature(node: Tree, context: Context) -> list[Finding]:
    """Defaults of its parameters, and types whose values may be looked at on the way."""
    findings = []
    for parameter in (item.function_parameter for item in node.parameters):
        if parameter.HasField("defexpr"):
            findings += code.expression(parameter.defexpr, later(context, runs=False))
        findings += _type(parameter.arg_type, context)
    return findings + (_type(node.return_type, context) if node.HasField("return_type") else [])


def _type(node: Tree, context: Context) -> list[Finding]:
    parts = words(node.names)
    if node.pct_type or (parts and parts[-1] in _ANY_VALUE):
        return []
    domains = [place for place in context.called(parts[-1]) if place.startswith("domain ")] if parts else []
    return [unknown(f"the constraints of the domain {parts[-1]} are not looked into")] if domains else []


def alter(node: Tree, context: Context) -> list[Finding]:
    """ALTER FUNCTION … with other options."""
    parts = words(node.func.objname)
    where = qualified(split(parts))
    context.made.rewrite(parts[-1])
    options, findings = code.options_of(node.actions), []
    for option, values in options.items():
        findings += _option(option, values, where, pinned=_pinned(options))
    if not findings or set(options) - {"security", "set"}:
        findings.append(found(ALTER_ROUTINE, where))
    return [*findings, *_naming(parts, where, context)]


def call(node: Tree, context: Context) -> list[Finding]:
    """CALL: a procedure runs now."""
    findings = code.looked(code.expression(node.funccall, context))
    return findings or [found(code.RUNS_CODE)]


def do(node: Tree, context: Context) -> list[Finding]:
    """DO: its code runs now."""
    findings = code.looked(code.of_block(node, context))
    return findings or [found(code.RUNS_CODE)]


KINDS = {
    "alter_function_stmt": alter,
    "call_stmt": call,
    "create_function_stmt": create,
    "do_stmt": do,
}
