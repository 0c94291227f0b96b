"""What do nextval and setval do, and to which sequence?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule
from mcp_migrate.rules.postgresql.names import member, qualified, split
from mcp_migrate.rules.postgresql.parser import Tree

COUNTS = rule(
    "count-up",
    "A number taken from a sequence",
    "data",
    "Counts up {object}; the number is not given again.",
    of="sequence",
    undo="no",
    rationale="Nothing takes a number back, not even a rollback; gaps do no harm.",
    source="https://www.postgresql.org/docs/current/functions-sequence.html",
    flags=("SELECT nextval('counter')",),
    passes=("SELECT setval('counter', 1)",),
)
AFTER_LARGEST = rule(
    "set-sequence-after-largest",
    "A sequence that goes on after the largest number",
    "data",
    "Lets {object} go on after the largest number that a table holds.",
    of="sequence",
    undo="no",
    rationale="The number is computed from the rows, so none of them is given again.",
    source="https://www.postgresql.org/docs/current/functions-sequence.html",
    flags=("SELECT setval('counter', (SELECT max(id) FROM users))",),
    passes=("SELECT setval('counter', 1)",),
)
SETS = rule(
    "set-sequence",
    "A sequence that counts from elsewhere",
    "data breaking",
    "Lets {object} count from another place: numbers may come twice and inserts fail.",
    of="sequence",
    undo="no",
    rationale="A number that is already used is given again.",
    source="https://www.postgresql.org/docs/current/functions-sequence.html",
    flags=("SELECT setval('counter', 1)",),
    passes=("SELECT nextval('counter')", "SELECT setval('counter', (SELECT max(id) FROM users))"),
)


def counts(name: str, call: Tree, context: Context) -> list[Finding]:
    """The sequence it changes; of one that this plan made nothing is told."""
    which = _sequence(call.args[0]) if call.args else None
    if which is not None and context.made.has("sequence", which):
        return []
    where = qualified(which) if which is not None else _of_column(call.args[0]) if call.args else "?"
    if name == "nextval":
        return [found(COUNTS, where)]
    after = len(call.args) > 1 and _largest(call.args[1])
    return [found(AFTER_LARGEST if after else SETS, where)]


def _sequence(argument: Tree) -> tuple[str, str] | None:
    """The sequence, where its name is written out."""
    if argument.WhichOneof("node") == "type_cast":
        argument = argument.type_cast.arg
    text = argument.a_const.sval.sval if argument.HasField("a_const") else ""
    return split(text.lower().split(".")) if text and '"' not in text else None


def _of_column(argument: Tree) -> str:
    """``schema.table.column`` of pg_get_serial_sequence('schema.table', 'column'); whose sequence, if not its name."""
    texts = [item.a_const.sval.sval for item in argument.func_call.args]
    own = [part.string.sval for part in argument.func_call.funcname][-1:] == ["pg_get_serial_sequence"]
    if not own or len(texts) != 2 or not all(texts) or '"' in texts[0]:  # noqa: PLR2004  a table and a column
        return "?"
    return f"{qualified(split(texts[0].lower().split('.')))}.{texts[1]}"


def _largest(value: Tree) -> bool:
    """Whether it is max(…) of a column, at least one where the table is empty, perhaps with some added."""
    kind = value.WhichOneof("node")
    if kind == "func_call":
        call = value.func_call
        return (
            [part.string.sval for part in call.funcname] == ["max"]
            and len(call.args) == 1
            and call.args[0].HasField("column_ref")
        )
    if kind == "sub_link":
        query = value.sub_link.subselect.select_stmt
        whole = len(query.target_list) == 1 and not query.HasField("where_clause")
        return whole and _largest(query.target_list[0].res_target.val)
    if kind == "a_expr":
        sign, added = [part.string.sval for part in value.a_expr.name], value.a_expr.rexpr.a_const
        return sign == ["+"] and added.HasField("ival") and added.ival.ival >= 0 and _largest(value.a_expr.lexpr)
    if kind == "coalesce_expr":
        return _largest(value.coalesce_expr.args[0])
    if kind == "min_max_expr":
        greatest = member("MinMaxOp", value.min_max_expr.op) == "IS_GREATEST"
        return greatest and any(map(_largest, value.min_max_expr.args))
    return False
