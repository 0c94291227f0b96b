"""Does the way back bring the rows back? Seen on a scratch database that holds those of the target, as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_migrate.dialects.interface import Writer, quoted
from mcp_migrate.model import Plan, Restored
from mcp_migrate.schema import Schema
from mcp_migrate.schema.model import Table


@dataclass(frozen=True, slots=True)
class Held:
    """How many rows a table holds, and the digest of all of them, in whatever order."""

    rows: int
    digest: str


def losing(plan: Plan, live: Schema) -> tuple[Table, ...]:
    """The tables of which the plan keeps what it loses."""
    names = {kept.table for kept in plan.undo.kept} if plan.undo else set()
    return tuple(table for table in live.tables if table.qualified in names)


def with_parents(tables: Sequence[Table], live: Schema) -> tuple[str, ...]:
    """These and all that their rows refer to, directly or not: without them rows could not come back."""
    known = {table.qualified: table for table in live.tables}
    found, waiting = dict.fromkeys(table.qualified for table in tables), list(tables)
    while waiting:
        refers = (c.refers_to.partition("(")[0] for c in waiting.pop().constraints if c.refers_to)
        for name in [name for name in refers if name in known and name not in found]:
            found[name] = None
            waiting.append(known[name])
    return tuple(found)


def contents(session: Writer, tables: Sequence[Table], *, mark: str, default: str | None) -> Mapping[str, Held]:
    """What each of these tables holds there; one that is not there is left out.

    Names are quoted with `mark`, and those of the schema `default` go without it.
    """
    rows = session.count_rows([table.qualified for table in tables])
    asked = {t.qualified: _all_of(t, mark, default) for t in tables if t.qualified in rows}
    return {name: Held(rows[name], session.look(sql, ())) for name, sql in asked.items()}


def restored(before: Mapping[str, Held], after: Mapping[str, Held]) -> tuple[Restored, ...]:
    """Of each table how many rows it held, and whether it holds the same ones again."""
    return tuple(Restored(name, held.rows, after.get(name) == held) for name, held in before.items())


def _all_of(table: Table, mark: str, default: str | None) -> str:
    """Every column that is stored, by name: one that came back stands elsewhere."""
    stored = sorted(column.name for column in table.columns if column.generated is None)
    columns = ", ".join(quoted(name, mark=mark) for name in stored)
    parts = (table.name,) if table.schema == default else (table.schema, table.name)
    return f"SELECT {columns} FROM {quoted(*parts, mark=mark)}"  # noqa: S608  quoted
