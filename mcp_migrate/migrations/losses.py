"""Which statements of a plan lose data, of which tables, and what of that can be kept?

Asked of the same rules that judge the plan. What they say of a statement that is on no list here cannot be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from mcp_migrate.dialects.keeper import Keeper, Loss, Reference, above
from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules.interface import Finding
from mcp_migrate.schema import Schema
from mcp_migrate.schema.model import Column, Constraint, Table

_LOSING = frozenset({Effect.DESTRUCTIVE, Effect.UNKNOWN})
_KINDS: dict[str, Literal["columns", "values", "rows", "emptied", "table"]] = {
    "drop-column": "columns",
    "change-column-type": "values",
    "delete-rows": "rows",
    "update-rows": "rows",
    "overwrite-rows": "rows",
    "truncate": "emptied",
    "drop-table": "table",
}
_NO_ROWS = frozenset({"drop-view", "drop-type", "drop-domain", "drop-materialized-view", "drop-code-cascade"})
"""What takes something away in which nobody's rows are, unless it takes others with it."""

_FILLS = frozenset({"insert-rows", "overwrite-rows", "copy-in"})
_ASSIGNS = frozenset({"update-rows", "overwrite-rows"})


@dataclass(frozen=True, slots=True)
class Lost:
    """A loss of the statements from `at` to before `end`, which are one change; `number` counts losses of a plan."""

    at: int
    end: int
    number: int
    loss: Loss
    later: bool = False


@dataclass(frozen=True, slots=True)
class Losses:
    """All that a plan loses, and why some of it cannot be kept."""

    lost: tuple[Lost, ...]
    why_not: tuple[str, ...]


@dataclass(slots=True)
class _Look:
    """One walk over a plan, and the shape that each table has by then."""

    keeper: Keeper
    tables: dict[str, Table]
    schema: Schema
    acting: frozenset[str]
    known: frozenset[str]
    lost: list[Lost] = field(default_factory=list)
    why_not: list[str] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    touched: dict[str, list[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def added(self, table: str) -> frozenset[str]:
        """The columns that the plan added to a table."""
        return frozenset(name.removeprefix(f"{table}.") for name in self.made if name.startswith(f"{table}."))


def losses(
    statements: Sequence[Statement], found: Sequence[Sequence[Finding]], schema: Schema, keeper: Keeper
) -> Losses:
    """What `statements` lose on a target with this schema. `found` are the findings on each."""
    tables = {table.qualified: table for table in schema.tables}
    look = _Look(keeper, tables, schema, frozenset(map(keeper.folded, _acting(schema))), frozenset(tables))
    for at, (statement, findings) in enumerate(zip(statements, found, strict=True)):
        if statement.kind == "change":
            for finding in findings:
                _look_at(look, finding, statement, at, _end(found, at))
            for finding in findings:
                _follow(look, finding)
    lost = [replace(each, later=each.loss.table.qualified not in look.tables) for each in look.lost]
    clashes = {name: why for each in lost for name, why in _clash(each, lost, look)}
    kept = tuple(_referring(each, lost, look) for each in lost if each.loss.table.qualified not in clashes)
    return Losses(kept, tuple(dict.fromkeys([*look.why_not, *clashes.values()])))


def _acting(schema: Schema) -> Iterator[str]:
    """The tables with triggers or rules, and those whose partitions or children have some."""
    for other in schema.others:
        if other.kind in {"trigger", "rule"} and other.table:
            yield other.table
            yield from above(schema, other.table)


def _referring(one: Lost, lost: Sequence[Lost], look: _Look) -> Lost:
    """The loss with the foreign keys of its table to those that stay as they are."""
    changed = {each.loss.table.qualified for each in lost if each.loss.kind not in {"columns", "values"}}
    refers = [
        reference
        for constraint in one.loss.table.constraints
        if constraint.kind == "foreign_key" and (reference := _reference(constraint, look.tables)) is not None
    ]
    stays = tuple(r for r in refers if r.parent.qualified not in changed | look.moved | {one.loss.table.qualified})
    silence = look.keeper.silenced(one.loss.table, look.schema)
    return replace(one, loss=replace(one.loss, refers=stays, silence=((), ()) if isinstance(silence, str) else silence))


def _reference(constraint: Constraint, tables: Mapping[str, Table]) -> Reference | None:
    """Where a foreign key leads; None where that is not there when the plan is over, or cannot be read."""
    name, _, listed = (constraint.refers_to or "").partition("(")
    parent = tables.get(name)
    if parent is None:
        return None
    _, _, told = constraint.definition.partition(" REFERENCES ")
    names = [word.strip().strip('"') for word in (listed or told.partition("(")[2]).partition(")")[0].split(",")]
    primary = next((c.columns for c in parent.constraints if c.kind == "primary_key"), ())
    to = tuple(column for each in (names if any(names) else primary) if (column := parent.column(each)) is not None)
    return Reference(constraint.columns, parent, to) if len(to) == len(constraint.columns) else None


def _end(found: Sequence[Sequence[Finding]], at: int) -> int:
    """Where the change ends that begins here: SQLite's tables are made anew in several statements."""
    end = at + 1
    while end < len(found) and any(finding.rule.id == "part-of-rebuild" for finding in found[end]):
        end += 1
    return end


def _look_at(look: _Look, finding: Finding, statement: Statement, at: int, end: int) -> None:
    name = finding.rule.id
    kind = _KINDS.get(name)
    if not finding.rule.effects & _LOSING or finding.later:
        return
    if name in _NO_ROWS and "CASCADE" not in statement.sql.upper():
        return
    if kind is None:
        look.why_not.append(f"statement {statement.n}: {finding.why.rstrip('.')}")
        return
    for loss in _losses(look, finding, statement, kind):
        if all((lost.at, lost.loss) != (at, loss) for lost in look.lost):
            look.lost.append(Lost(at, end, len(look.lost) + 1, loss))


def _losses(
    look: _Look, finding: Finding, statement: Statement, kind: Literal["columns", "values", "rows", "emptied", "table"]
) -> Iterator[Loss]:
    by_table: dict[str, list[str]] = {}
    for name in finding.objects:
        schema, _, rest = name.partition(".")
        bare, _, column = rest.partition(".")
        by_table.setdefault(f"{schema}.{bare}", []).append(column)
    for qualified, columns in by_table.items():
        table = look.tables.get(qualified)
        if qualified in look.made and qualified not in look.known:
            continue  # nobody's rows are in it
        why = _hindrance(look, finding, statement, qualified, table)
        if why or table is None:
            look.why_not.append(f"statement {statement.n}: {why}")
            continue
        updates = finding.rule.id == "update-rows"
        if kind in {"rows", "emptied", "table"} and not updates:
            named = frozenset(column.name for column in table.columns)
        else:
            named = _assigned(look, statement, qualified) or frozenset() if updates else frozenset(columns)
            named |= _following(table) if updates else frozenset()
        if strange := named - {column.name for column in table.columns} - look.added(qualified):
            look.why_not.append(f"statement {statement.n}: {qualified}.{min(strange)} is not known")
            continue
        yield from _parts(look, kind, table, tuple(c for c in table.columns if not c.generated and c.name in named))


def _assigned(look: _Look, statement: Statement, qualified: str) -> frozenset[str] | None:
    """The columns of this very table that an UPDATE assigns, in the table's own spelling; None where nobody knows."""
    assigned = look.keeper.sets(statement.sql)
    table = look.tables[qualified]
    fold = look.keeper.folded
    if assigned is None or fold(assigned[0]) != fold(qualified):
        return None
    spelt = {fold(name): name for name in (*(column.name for column in table.columns), *look.added(qualified))}
    return frozenset(spelt.get(fold(name), name) for name in assigned[1])


def _following(table: Table) -> frozenset[str]:
    """The columns that the database itself writes with each change of a row: MySQL has such."""
    return frozenset(c.name for c in table.columns if any(option.startswith("on update ") for option in c.options))


def _parts(
    look: _Look,
    kind: Literal["columns", "values", "rows", "emptied", "table"],
    table: Table,
    wanted: tuple[Column, ...],
) -> Iterator[Loss]:
    """A loss in parts that are put back one by one: a column that takes no null is filled while it is added again."""
    alone = kind == "values" or (
        kind == "columns" and bool(look.keeper.keys(table)) and any(not column.nullable for column in wanted)
    )
    if alone:
        yield from (Loss(kind, table, (column,)) for column in wanted)
    elif wanted:
        yield Loss(kind, table, wanted)


def _hindrance(look: _Look, finding: Finding, statement: Statement, qualified: str, table: Table | None) -> str | None:
    if qualified in look.moved or table is None:
        return f"{qualified} is not known, or was renamed or moved by this plan"
    if table.kind not in {"table", "partitioned", "partitioned table"} or any("child of" in o for o in table.options):
        return f"rows of {qualified} are not kept: it is no plain table"
    if any(line.startswith(f"rows of {qualified}: ") for line in look.schema.unseen):
        return f"not all rows of {qualified} can be seen by the role that applies"
    if why := _acts(look, finding, table):
        return why
    if finding.rule.id == "drop-table" and "CASCADE" in statement.sql.upper():
        return f"what CASCADE takes away with {qualified} is not kept"
    return _hidden_key(look, statement, table) if finding.rule.id in _ASSIGNS else None


def _acts(look: _Look, finding: Finding, table: Table) -> str | None:
    """Why triggers or rules would act on what is put back: of a dropped column they can be kept from it."""
    if finding.rule.id == "drop-column":
        silence = look.keeper.silenced(table, look.schema)
        return silence if isinstance(silence, str) else None
    acts = look.keeper.folded(table.qualified) in look.acting
    return f"a trigger or rule of {table.qualified} would act again when its rows are put back" if acts else None


def _hidden_key(look: _Look, statement: Statement, table: Table) -> str | None:
    assigned = _assigned(look, statement, table.qualified)
    keys = {name for c in table.constraints if c.kind == "primary_key" for name in c.columns}
    if assigned is None:
        return f"which columns of {table.qualified} it writes is not known"
    return f"it writes the key of {table.qualified}, by which rows are found again" if assigned & keys else None


def _follow(look: _Look, finding: Finding) -> None:
    """Bring the shapes up to date with what this finding says was done."""
    for name in finding.objects:
        qualified, column = ".".join(name.split(".")[:2]), ".".join(name.split(".")[2:])
        if Effect.ADDITIVE in finding.rule.effects:
            look.made.add(name)
        if finding.rule.effects or finding.rule.id in _KINDS:
            look.touched.setdefault(qualified, []).append(finding.rule.id)
        table = look.tables.get(qualified)
        if finding.rule.id.startswith(("rename", "move")):
            look.moved.add(qualified)
        elif finding.rule.id == "drop-table" and "." not in column:
            look.tables.pop(qualified, None)
        elif finding.rule.id == "drop-column" and table is not None:
            kept = tuple(each for each in table.columns if each.name != column)
            look.tables[qualified] = replace(table, columns=kept)


def _clash(each: Lost, lost: Sequence[Lost], look: _Look) -> Iterator[tuple[str, str]]:
    """The table, and why its changes could not be told apart from what was written since."""
    name, kind = each.loss.table.qualified, each.loss.kind
    others = [o.loss.kind for o in lost if o.loss.table.qualified == name and o is not each]
    if kind == "values" and {"values", "rows", "emptied"} & set(others):
        yield name, f"{name} is changed in more ways than can be told apart"
    if kind != "table" and others and not look.keeper.keys(each.loss.table):
        yield name, f"{name} has no primary key and is changed more than once"
    if kind in {"rows", "emptied"} and _FILLS & set(look.touched.get(name, ())) and not each.later:
        yield name, f"rows are put into {name} as well as taken from it"
    if name in look.moved:
        yield name, f"{name} was renamed or moved by this plan"
