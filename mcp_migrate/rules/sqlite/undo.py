"""Is this really a statement that keeps undo data, or puts it back? By its shape, as a second reader of SQL sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcp_migrate.model import Statement
from mcp_migrate.rules import keeping
from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.sqlite.second import parse

_PREFIX = "_mcp_migrate_undo"
_COUNTERS = "sqlite_sequence"
_CALLED = frozenset(
    # by sqlglot's names for them
    "count max greatest quote row_number strftime time_to_str ts_or_ds_to_timestamp typeof exists and or case if"
    " collate".split()
)

KEEP = replace(
    keeping.KEEP,
    lock="WRITE",
    flags=('CREATE TABLE main."_mcp_migrate_undo_a_1" AS SELECT t.id AS k1, t.name AS o1 FROM main.users AS t',),
    passes=(
        "CREATE TABLE kept AS SELECT id FROM users",
        "CREATE TABLE main._mcp_migrate_undo_a_1 AS SELECT load_extension('x') AS o1",
    ),
)
PUT_BACK = replace(
    keeping.PUT_BACK,
    lock="WRITE",
    flags=("UPDATE main.users AS t SET name = u.o1 FROM main._mcp_migrate_undo_a_1 AS u WHERE u.k1 = t.id",),
    passes=("UPDATE users SET name = 'x'", "DELETE FROM users"),
)
NOTED = replace(
    keeping.NOTED,
    flags=("DROP TABLE IF EXISTS main._mcp_migrate_undo_a_1",),
    passes=("DROP TABLE IF EXISTS users",),
)
PARK = replace(
    keeping.PARK,
    lock="WRITE",
    flags=('ALTER TABLE users RENAME TO "_mcp_migrate_undo_a_1"',),
    passes=("ALTER TABLE users RENAME TO people",),
)
FETCH = replace(
    keeping.FETCH,
    lock="WRITE",
    flags=('ALTER TABLE "_mcp_migrate_undo_a_1" RENAME TO users',),
    passes=("ALTER TABLE users RENAME TO people",),
)


def ours(statement: Statement) -> list[Finding] | None:
    """What is said of a statement that the planner put in; None where it is none of those we write."""
    if statement.kind not in {"preserve", "restore"} or ";" in statement.sql:
        return None
    tree = parse(statement.sql)
    if tree is None or not keeping.plain(tree, _CALLED):
        return None
    if (moved := _moved(tree, away=statement.kind == "preserve")) is not None:
        which, names = PARK if statement.kind == "preserve" else FETCH, [f"main.{name}" for name in moved]
        return [found(which, *names, object=", ".join(names) or "a part of the same")]
    written = _written(tree)
    if written is None:
        return [found(NOTED)] if statement.guard is not None and type(tree).__name__ == "Select" else None
    return _on_rows(statement, tree, written)


def _on_rows(statement: Statement, tree: Any, written: Any) -> list[Finding] | None:
    """It writes to a place of ours, or from one."""
    is_ours = written.name.startswith(_PREFIX)
    if statement.kind == "preserve":
        return _kept(tree) if is_ours else None
    if is_ours:
        return [found(NOTED)] if type(tree).__name__ in {"Drop", "Delete"} else None
    return _put_back(tree, written)


def _moved(tree: Any, *, away: bool) -> tuple[str, ...] | None:
    """The table that is moved aside or comes back; () for an index of it, None where it is no such step."""
    from sqlglot import exp

    actions = tree.args.get("actions") or [] if isinstance(tree, exp.Alter) else []
    if len(actions) == 1 and isinstance(actions[0], exp.AlterRename):
        was, now = tree.this.name, actions[0].this.name
        return (was if away else now,) if (now if away else was).startswith(f"{_PREFIX}_") else None
    if isinstance(tree, exp.Drop) and away and tree.args.get("kind") == "INDEX":
        return ()
    if isinstance(tree, exp.Create) and away and isinstance(tree.this, exp.Schema):
        names = [part.name for part in tree.this.expressions]
        return (str(tree.this.this.name),) if names == [_PREFIX] else None
    return None


def _kept(tree: Any) -> list[Finding]:
    read = tuple(dict.fromkeys(f"main.{name}" for name in _read(tree)))
    return [found(KEEP, *read)] if read else [found(NOTED)]


def _put_back(tree: Any, written: Any) -> list[Finding] | None:
    """It takes what it writes from a place of ours."""
    from sqlglot import exp

    ours_too = any(table.name.startswith(_PREFIX) for table in tree.find_all(exp.Table))
    if not isinstance(tree, exp.Insert | exp.Update | exp.Delete) or not ours_too:
        return None
    name = next(_literals(tree), "?") if written.name == _COUNTERS else written.name
    return [found(PUT_BACK, f"main.{name}")]


def _written(tree: Any) -> Any:
    """The table that the statement makes, changes, drops or indexes."""
    from sqlglot import exp

    if isinstance(tree, exp.Create) and tree.args.get("kind") == "INDEX":
        return tree.this.args.get("table")
    return keeping.written(tree)


def _read(tree: Any) -> list[str]:
    from sqlglot import exp

    names = [table.name for table in tree.find_all(exp.Table)]
    return [name for name in names if not name.startswith(_PREFIX) and name != _COUNTERS]


def _literals(tree: Any) -> Any:
    from sqlglot import exp

    return (literal.this for literal in tree.find_all(exp.Literal) if literal.is_string)
