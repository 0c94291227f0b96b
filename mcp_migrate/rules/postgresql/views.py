"""What do statements on views do, and what does reading a view run?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context, Name, bounded
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql import code
from mcp_migrate.rules.postgresql.later import later, too_deep
from mcp_migrate.rules.postgresql.names import full, hides, is_system, name_of, qualified
from mcp_migrate.rules.postgresql.parser import Tree, copy, parse

_MANUAL = "https://www.postgresql.org/docs/current/sql-createview.html"

CREATE_VIEW = rule(
    "create-view",
    "A new view",
    "additive",
    "Makes the view {object}; nothing uses it yet.",
    of="view",
    rationale="A view keeps a query, not rows.",
    source=_MANUAL,
    flags=(
        "CREATE VIEW names AS SELECT id, upper(name) AS name FROM users",
        "CREATE VIEW names WITH (security_invoker = true) AS SELECT name FROM users",
    ),
    passes=("CREATE OR REPLACE VIEW active_users AS SELECT id FROM users",),
)
REPLACE_VIEW = rule(
    "replace-view",
    "Another query under a name in use",
    "breaking",
    "Replaces the query of the view {object}: whoever reads it gets other rows, and other rights may be needed.",
    "ACCESS EXCLUSIVE",
    of="view",
    rationale="Columns keep their names and types, but what they hold may be anything.",
    source=_MANUAL,
    flags=("CREATE OR REPLACE VIEW active_users AS SELECT id FROM users",),
    passes=("CREATE OR REPLACE VIEW names AS SELECT id FROM users",),
)
_OPTIONS = frozenset({"security_invoker", "security_barrier", "check_option"})
_READABLE = ("materialized view", "materialized_view", "sequence")


def create_view(node: Tree, context: Context) -> list[Finding]:
    from mcp_migrate.rules.postgresql.reading import Reading  # it asks this module what reading a view does

    query, where, name = copy(node), full(node.view), name_of(node.view)
    query.ClearField("options")
    reading = Reading.of(query, later(context, runs=False))
    used = node.replace and (context.schema is None or bool(context.called(name[1])) or context.made.moved(name[1]))
    findings = [found(REPLACE_VIEW if used else CREATE_VIEW, where, *reading.relations, object=where)]
    findings += [*code.told_later(reading.findings()), *sentences([*hides(node.view, context), *_odd(node)])]
    if reading.writes or is_system(name):
        findings.append(unknown("it changes rows or names something of the system", where))
    _remember(node, reading.findings(), context, used=used)
    return findings


def _odd(node: Tree) -> list[str]:
    return [
        f"the option {o.def_elem.defname} is not on the list"
        for o in node.options
        if o.def_elem.defname not in _OPTIONS
    ]


def _remember(node: Tree, runs: list[Finding], context: Context, *, used: bool) -> None:
    name = name_of(node.view)
    if used or context.made.told(_key(name)) is not None:
        context.made.change(name[1], moved=True)
    elif not node.replace and node.view.relpersistence != "t" and not context.called(name[1]):
        context.made.add("view", name)
    context.made.tell(_key(name), runs)


def _key(name: Name) -> str:
    return f"view {qualified(name)}"


def read(name: Name, context: Context) -> list[Finding] | None:
    """What reading it runs, where it is a view whose query is known or something that only keeps rows; else None."""
    where = qualified(name)
    told = context.made.told(_key(name))
    if told is not None:
        return list(told)
    if context.made.named(_key(name)):
        return [unknown(f"what reading {where} runs may have been changed by this plan")]
    if context.made.moved(name[1]) or context.made.rewritten(name[1]) or where in context.active:
        return None
    if any(f"{kind} {where.partition('.')[0]}" in context.called(name[1]) for kind in _READABLE):
        return []
    view = context.views.get(where)
    return None if view is None or too_deep(context) else list(_query(where, view.definition, context))


def _query(where: str, text: str, context: Context) -> tuple[Finding, ...]:
    judged = context.made.judged
    key = f"view {where}"
    if key not in judged:
        judged[key] = (unknown(f"the view {where} reads itself"),)
        parsed = parse(text)
        if isinstance(parsed, str) or parsed.kind != "select_stmt":
            judged[key] = (unknown(f"the query of the view {where} is not known"),)
        else:
            judged[key] = bounded(code.expression(parsed.node, later(context, runs=False)))
    return judged[key]


KINDS = {"view_stmt": create_view}
