"""What do we say of the statements that we ourselves put into a plan to keep what it loses, and to put it back?

The planner wrote them; here their shape is checked, so that nothing else can pass under their name.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mcp_migrate.rules.interface import rule

KEEP = rule(
    "keep-undo-data",
    "What is lost next is kept",
    "read",
    "Keeps what a later statement takes from {object}, so that a rollback can put it back.",
    scans=True,
    rationale="Of what is the user's it only reads: no scope and no `expects` has to allow for it. Nobody writes to "
    "the table between the copy and the loss.",
    source="https://www.postgresql.org/docs/current/sql-createtableas.html",
)
PUT_BACK = rule(
    "put-back-undo-data",
    "What was lost is put back",
    "data",
    "Puts what an apply kept of {object} back, where nobody wrote since.",
    undo="yes",
    rationale="Rows and values that were written since the apply stay as they are.",
    source="https://www.postgresql.org/docs/current/sql-update.html",
)
NOTED = rule(
    "note-undo-data",
    "Bookkeeping of undo data",
    "",
    "Opens, notes or removes undo data, or only looks at it.",
    of="",
    rationale="It changes nothing but what is ours, and removes only what was put back.",
    source="https://www.postgresql.org/docs/current/sql-droptable.html",
)
PARK = rule(
    "park-dropped",
    "What is dropped next is moved aside",
    "breaking",
    "Takes {object} out of the way instead of destroying it: its space is not free until its time is over.",
    undo="yes",
    rationale="Only what the next statement drops is moved, to where nobody but the role that applies can look.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
)
FETCH = rule(
    "bring-back-parked",
    "What was moved aside comes back",
    "additive",
    "Brings {object} back to where it was, with all it held.",
    rationale="It is moved, not copied, so it takes a moment whatever its size.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
)
SILENCE = rule(
    "silence-triggers",
    "Triggers do not hear of what is put back",
    "data",
    "While what an apply kept of {object} is put back, its triggers do not act; then each is what it was.",
    rationale="What they did when the values were first written is in the rows already.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
)


def plain(tree: Any, known: Collection[str]) -> bool:
    """Whether nothing in what sqlglot read writes beside the statement itself, or calls what is not `known`."""
    from sqlglot import exp

    writes = list(tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Command, exp.Into))
    called = (_name(function) for function in tree.find_all(exp.Func))
    return all(write is tree for write in writes) and all(name in known for name in called)


def _name(function: Any) -> str:
    from sqlglot import exp

    if isinstance(function, exp.Connector | exp.Binary):
        return "and"
    return str(function.name if isinstance(function, exp.Anonymous) else function.sql_name()).lower()


def written(tree: Any) -> Any:
    """The table that the statement makes, changes or drops."""
    from sqlglot import exp

    if isinstance(tree, exp.Create | exp.Drop) and tree.args.get("kind") != "TABLE":
        return None
    if isinstance(tree, exp.Drop) and tree.args.get("tables"):  # newer versions of sqlglot read a list
        return tree.args["tables"][0] if len(tree.args["tables"]) == 1 else None
    if isinstance(tree, exp.Create | exp.Drop | exp.Insert | exp.Update | exp.Delete):
        return tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return None
