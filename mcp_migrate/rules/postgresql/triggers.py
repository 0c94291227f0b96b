"""What does a trigger do, when it is made and whenever it fires?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import code, routines
from mcp_migrate.rules.postgresql.names import doubts, full, is_system, name_of, words
from mcp_migrate.rules.postgresql.parser import Tree, parse

_MANUAL = "https://www.postgresql.org/docs/current/sql-createtrigger.html"

NEW_TRIGGER = rule(
    "add-trigger-to-new-table",
    "A trigger on a table of the plan",
    "additive",
    "Makes a trigger on {object}, which this plan made.",
    rationale="Nobody writes to the table yet; what the trigger's code does is told beside it.",
    source=_MANUAL,
    flags=(
        (
            "CREATE TABLE t (a integer);\n"
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n"
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
        ),
    ),
    passes=("CREATE TRIGGER g BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION evil()",),
)
CREATE_TRIGGER = rule(
    "add-trigger",
    "Writes that do more than they say",
    "additive breaking",
    "From now on each {when} on {object} also runs {function}.",
    "SHARE ROW EXCLUSIVE",
    rationale="Code that writes to the table meets values it did not write, rows that are refused, and longer waits.",
    source=_MANUAL,
    flags=("CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION evil()",),
    passes=("CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",),
)
_HARMLESS = frozenset(
    {"suppress_redundant_updates_trigger", "tsvector_update_trigger", "tsvector_update_trigger_column"}
)
_EVENTS = {4: "INSERT", 8: "DELETE", 16: "UPDATE", 32: "TRUNCATE"}


def create_trigger(node: Tree, context: Context) -> list[Finding]:
    where, name = full(node.relation), name_of(node.relation)
    function = ".".join(words(node.funcname))
    fires = _fires(node, context)
    ours = context.made.has("table", name) and not node.replace
    when = " or ".join(event for bit, event in _EVENTS.items() if node.events & bit)
    findings = [found(NEW_TRIGGER, where) if ours else found(CREATE_TRIGGER, where, when=when, function=function)]
    _remember(where, name[1], fires, context)
    odd = sentences(doubts(name, context) if not ours else [])
    if is_system(name):
        odd.append(unknown("it names something of the system", where))
    return [*findings, *code.told_later(fires), *odd]


def _fires(node: Tree, context: Context) -> list[Finding]:
    """What firing it does: the function, and the condition."""
    *schema, name = words(node.funcname)
    known = routines.called(name, 0, context)
    findings = list(known or ())
    if known is None and not (name in _HARMLESS and schema in ([], ["pg_catalog"])):
        findings.append(unknown(f"what {name} does when the trigger fires is not known"))
    if node.HasField("when_clause"):
        findings += code.expression(node.when_clause, context)
    return findings


def only_on_writes(where: str, context: Context) -> bool:
    """Whether reading the table runs nothing: triggers wait for writes, rules and policies do not."""
    return all(other.kind == "trigger" for other in context.acting.get(where, ()))


def fired(where: str, context: Context) -> list[Finding]:
    """What the triggers do that the schema has on a table, whichever of them a write sets off."""
    findings: list[Finding] = []
    for other in context.acting.get(where, ()):
        parsed = parse(other.definition.rpartition(" ")[0]) if other.kind == "trigger" else "it is no trigger"
        if isinstance(parsed, str) or parsed.kind != "create_trig_stmt":
            findings.append(unknown(f"the {other.kind} {other.name} of {where} is not looked into"))
        else:
            findings += [finding for finding in _fires(parsed.node, context) if not code.only_reads(finding)]
    return list(dict.fromkeys(findings))


def _remember(where: str, bare: str, fires: list[Finding], context: Context) -> None:
    """From now on a write to the table is told with what the trigger does.

    Partitions fire the triggers of their parent: only of a table known to be plain are others left out.
    """
    table = context.tables.get(where)
    plain = table is not None and table.kind == "table" and not context.made.moved(bare)
    acting = [finding for finding in fires if not code.only_reads(finding)]
    context.made.act(bare, acting)
    if not plain:
        context.made.act("*", acting)


KINDS = {"create_trig_stmt": create_trigger}
