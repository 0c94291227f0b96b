"""Does this INSERT copy every row of one table into another, and which column into which?

The second parser says how it reads the statement. What it read is written again, as the plainest copy there is, and
SQLite compiles both: only where the two programs are the same, word for word, was the reading right. A WHERE, a
DISTINCT, an OR IGNORE or a LIMIT makes another program, and whatever makes the same one means the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcp_migrate.rules.sqlite import second
from mcp_migrate.rules.sqlite.clone import Clone, CloneError, quoted
from mcp_migrate.rules.sqlite.facts import Column


@dataclass(frozen=True, slots=True)
class Filled:
    """What fills one new column: an old one, perhaps by way of a CAST to an affinity, or something computed."""

    column: str | None
    cast: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """All rows of `source` into `target`; `filled` by the new column's name in lower case."""

    source: str
    target: str
    filled: dict[str, Filled]


def copied(sql: str, clone: Clone) -> Copy | None:
    """The copy that this statement is; None for any other statement."""
    read = _read(second.parse(sql), clone)
    if read is None:
        return None
    copy, plain = read
    try:
        same = clone.program(plain) == clone.program(sql)
    except CloneError:
        return None
    return copy if same else None


def _read(tree: Any, clone: Clone) -> tuple[Copy, str] | None:
    from sqlglot import exp

    select = tree.expression if isinstance(tree, exp.Insert) else None
    if not isinstance(select, exp.Select) or not isinstance(select.args.get("from_"), exp.From):
        return None
    into = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    source, target = _name(select.args["from_"].this), _name(into)
    if source is None or target is None:
        return None
    given = [column.name for column in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
    old, names = _columns(clone, source), given or _columns(clone, target)
    stars = [expression.is_star for expression in select.expressions]
    if stars == [True]:
        filled, shown = [Filled(name) for name in old], "*"
    elif any(stars):
        return None
    else:
        values = [expression.unalias() for expression in select.expressions]
        filled = [_filled(value, old) for value in values]
        shown = ", ".join(_shown(value, one, source) for value, one in zip(values, filled, strict=True))
    if len(names) != len(filled):
        return None
    into_words = quoted(target) + (f" ({', '.join(quoted(name) for name in names)})" if given else "")
    copy = Copy(source, target, {name.lower(): one for name, one in zip(names, filled, strict=True)})
    return copy, f"INSERT INTO {into_words} SELECT {shown} FROM {quoted(source)}"  # noqa: S608  quoted


def _name(table: Any) -> str | None:
    from sqlglot import exp

    if not isinstance(table, exp.Table) or table.db not in {"", "main"} or not isinstance(table.this, exp.Identifier):
        return None
    return str(table.name) or None


def _columns(clone: Clone, table: str) -> list[str]:
    rows = clone.rows("SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0", table)
    return [row[0] for row in rows]


def _filled(value: Any, old: list[str]) -> Filled:
    from sqlglot import exp

    cast = _affinity(value) if isinstance(value, exp.Cast) else None
    inner = value.this if cast else value
    if not isinstance(inner, exp.Column):
        return Filled(None)
    return Filled(next((name for name in old if name.lower() == inner.name.lower()), None), cast)


def _affinity(cast: Any) -> str:
    return Column("", cast.to.sql(dialect="sqlite"), required=False, default=None, key=0, hidden=0).affinity


def _shown(value: Any, filled: Filled, source: str) -> str:
    if filled.column is None:
        return str(value.sql(dialect="sqlite"))
    name = f"{quoted(source)}.{quoted(filled.column)}"
    return f"CAST({name} AS {value.to.sql(dialect='sqlite')})" if filled.cast else name
