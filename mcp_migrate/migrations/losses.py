"""Which statements of a plan lose data, of which tables, and what of that can be kept?

Asked of the same rules that judge the plan. What they say of a statement that is on no list here cannot be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mcp_migrate.dialects.keeper import Keeper, Kind, Loss, Reference, above
from mcp_migrate.migrations.hindrances import KINDS, hindrance, nameless, written
from mcp_migrate.migrations.walk import Look, Lost
from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules.interface import Finding
from mcp_migrate.schema import Schema
from mcp_migrate.schema.model import Column, Constraint, Table

_LOSING = frozenset({Effect.DESTRUCTIVE, Effect.UNKNOWN})
_NO_ROWS = frozenset({"drop-view", "drop-type", "drop-domain", "drop-materialized-view", "drop-code-cascade"})
"""What takes something away in which nobody's rows are, unless it takes others with it."""

_FILLS = frozenset({"insert-rows", "overwrite-rows", "copy-in"})


@dataclass(frozen=True, slots=True)
class Losses:
    """All that a plan loses, and why some of it cannot be kept."""

    lost: tuple[Lost, ...]
    why_not: tuple[str, ...]


def losses(
    statements: Sequence[Statement], found: Sequence[Sequence[Finding]], schema: Schema, keeper: Keeper
) -> Losses:
    """What `statements` lose on a target with this schema. `found` are the findings on each."""
    tables = {table.qualified: table for table in schema.tables}
    look = Look(keeper, tables, schema, frozenset(map(keeper.folded, _acting(schema))), frozenset(tables))
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


def _referring(one: Lost, lost: Sequence[Lost], look: Look) -> Lost:
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


def _look_at(look: Look, finding: Finding, statement: Statement, at: int, end: int) -> None:
    name = finding.rule.id
    kind = KINDS.get(name)
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


def _losses(look: Look, finding: Finding, statement: Statement, kind: Kind) -> Iterator[Loss]:
    counters = tuple(_counters(look, finding, statement))
    yield from counters
    if kind == "counter":
        look.why_not += [] if counters else [f"statement {statement.n}: {finding.why.rstrip('.')}"]
        return
    by_table: dict[str, list[str]] = {}
    if why := _along(look, finding, statement):
        look.why_not.append(f"statement {statement.n}: {why}")
    for name in _goes(finding, look.schema) if kind == "table" else finding.objects:
        schema, _, rest = name.partition(".")
        bare, _, column = rest.partition(".")
        by_table.setdefault(f"{schema}.{bare}", []).append(column)
    for qualified, columns in by_table.items():
        table = look.tables.get(qualified)
        if qualified in look.made and qualified not in look.known:
            continue  # nobody's rows are in it
        why = hindrance(look, finding, statement, qualified, table)
        if why or table is None:
            look.why_not.append(f"statement {statement.n}: {why}")
            continue
        how: Kind = "exchanged" if kind == "rows" and nameless(look, finding, statement, table) else kind
        dropped = kind in {"columns", "values"}
        named = frozenset(columns) if dropped else written(look, finding, statement, table)
        if strange := named - {column.name for column in table.columns} - look.added(qualified):
            look.why_not.append(f"statement {statement.n}: {qualified}.{min(strange)} is not known")
            continue
        yield from _parts(look, how, table, tuple(c for c in table.columns if not c.generated and c.name in named))


def _counters(look: Look, finding: Finding, statement: Statement) -> Iterator[Loss]:
    """The sequences of no column that go, by themselves or with their schema."""
    inside = finding.objects[:1] if finding.rule.id == "drop-schema" and "CASCADE" in statement.sql.upper() else ()
    named = finding.objects if finding.rule.id == "drop-sequence" else ()
    for other in look.schema.others:
        if other.kind == "sequence" and (other.qualified in named or other.schema in inside):
            yield Loss("counter", Table(other.schema, other.name, ()), ())


def _parts(
    look: Look,
    kind: Kind,
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


def _goes(finding: Finding, schema: Schema) -> tuple[str, ...]:
    """The tables whose rows go with what is dropped: not those that lose a foreign key alone, nor partitions."""
    if finding.rule.id != "drop-schema":
        return finding.objects[:1]
    inside = frozenset(finding.objects[1:])
    return tuple(name for name in finding.objects[1:] if not inside & set(above(schema, name)))


def _along(look: Look, finding: Finding, statement: Statement) -> str | None:
    """What of others' rows CASCADE takes along."""
    if KINDS.get(finding.rule.id) != "table" or "CASCADE" not in statement.sql.upper():
        return None
    namespace = finding.objects[0] if finding.rule.id == "drop-schema" else None
    return look.keeper.along(look.schema, _goes(finding, look.schema), namespace)


def _follow(look: Look, finding: Finding) -> None:
    """Bring the shapes up to date with what this finding says was done."""
    gone = _goes(finding, look.schema) if KINDS.get(finding.rule.id) == "table" else ()
    for name in finding.objects:
        qualified, column = ".".join(name.split(".")[:2]), ".".join(name.split(".")[2:])
        if Effect.ADDITIVE in finding.rule.effects:
            look.made.add(name)
        if finding.rule.effects or finding.rule.id in KINDS:
            look.touched.setdefault(qualified, []).append(finding.rule.id)
        table = look.tables.get(qualified)
        if finding.rule.id.startswith(("rename", "move")):
            look.moved.add(qualified)
        elif name in gone:
            look.tables.pop(qualified, None)
        elif finding.rule.id == "drop-column" and table is not None:
            kept = tuple(each for each in table.columns if each.name != column)
            look.tables[qualified] = replace(table, columns=kept)


def _clash(each: Lost, lost: Sequence[Lost], look: Look) -> Iterator[tuple[str, str]]:
    """The table, and why its changes could not be told apart from what was written since."""
    name, kind = each.loss.table.qualified, each.loss.kind
    others = [o.loss.kind for o in lost if o.loss.table.qualified == name and o is not each]
    if (kind == "values" and {"values", "rows", "emptied"} & set(others)) or (kind == "exchanged" and others):
        yield name, f"{name} is changed in more ways than can be told apart"
    if kind != "table" and others and not look.keeper.keys(each.loss.table):
        yield name, f"{name} has no primary key and is changed more than once"
    if kind in {"rows", "exchanged", "emptied"} and _FILLS & set(look.touched.get(name, ())) and not each.later:
        yield name, f"rows are put into {name} as well as taken from it"
    if name in look.moved:
        yield name, f"{name} was renamed or moved by this plan"
