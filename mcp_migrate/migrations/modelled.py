"""What of a live schema can be compared with SQLAlchemy models, which cannot express all of it?

Metadata knows tables with their columns, constraints, indexes and comments, and enums, domains and sequences. What
else the target has is left out, unless the models make it too (through events); so are names they leave to the
database, and whatever the project's own filters leave out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mcp_migrate.schema import Column, Constraint, Other, Schema, Table
from mcp_migrate.schema.fingerprint import key

_KINDS = frozenset({"enum", "domain", "sequence"})
_UNSAID = ("child of", "partition ", "row security", "forced row security", "cluster on", "replica identity")
"""How options begin that metadata has no word for; `partition by` is not among them."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the child answered: what is left out, which constraints have a name, whether all schemas count."""

    left_out: frozenset[tuple[str, str, str, str]]
    named: frozenset[tuple[str, str, str]]
    every_schema: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Said:
        """From its JSON."""
        left = frozenset((str(a), str(b), str(c), str(d)) for a, b, c, d in answer["left_out"])
        named = frozenset((str(a), str(b), str(c)) for a, b, c in answer["named"])
        return cls(left, named, bool(answer["every_schema"]))


def asked(live: Schema) -> list[Mapping[str, Any]]:
    """What the project's filters are asked about, as JSON."""
    return [
        {
            "schema": table.schema,
            "name": table.name,
            "comment": table.comment,
            "columns": [{"name": c.name, "type": c.type, "nullable": c.nullable} for c in table.columns],
            "indexes": [[index.name, index.unique] for index in table.indexes],
            "constraints": [[c.kind, c.name, list(c.columns)] for c in table.constraints],
        }
        for table in live.tables
    ]


def comparable(live: Schema, models: Schema, said: Said) -> tuple[Schema, Schema]:
    """Both sides without what cannot be compared."""
    every: list[Table | Other] = [*models.tables, *models.others]
    made = {key(thing): thing for thing in every}
    schemas = {place[1] for place in made}
    tables = [_trimmed(table, made.get(key(table)), said) for table in live.tables if _counts(table, made, said)]
    others = [_open(other) for other in live.others if _told(other, made)]
    known = said.every_schema or None
    default = {"public", "main"}
    return (
        replace(
            live,
            tables=tuple(t for t in tables if known or t.schema in schemas | default),
            others=tuple(o for o in others if known or o.schema in schemas | default),
        ),
        replace(
            models,
            tables=tuple(_without(_open(t), said) for t in models.tables if _counts(t, made, said)),
            others=tuple(_open(other) for other in models.others),
        ),
    )


def _counts(table: Table, made: Mapping[Any, Any], said: Said) -> bool:
    if ("table", table.schema, table.name, "") in said.left_out:
        return False
    part = any(option.startswith(("child of", "partition ")) and not _by(option) for option in table.options)
    return key(table) in made or not part


def _by(option: str) -> bool:
    return option.startswith("partition by")


def _told(other: Other, made: Mapping[Any, Any]) -> bool:
    return other.kind in _KINDS or key(other) in made


def _trimmed(table: Table, model: Any, said: Said) -> Table:
    options = model.options if isinstance(model, Table) else ()
    kept = tuple(o for o in table.options if _by(o) or not o.startswith(_UNSAID) or o in options)
    trimmed = _without(_open(replace(table, options=kept)), said)
    return trimmed if model is None else replace(trimmed, **_as_named(trimmed, model, said))


def _without(table: Table, said: Said) -> Table:
    def left(kind: str, name: str | None) -> bool:
        return (kind, table.schema, table.name, str(name)) in said.left_out

    return replace(
        table,
        columns=tuple(c for c in table.columns if not left("column", c.name)),
        constraints=tuple(c for c in table.constraints if not left("constraint", c.name)),
        indexes=tuple(i for i in table.indexes if not left("index", i.name)),
    )


def _as_named(table: Table, model: Table, said: Said) -> dict[str, Any]:
    """A constraint that the models do not name is called whatever the database called it."""
    free = [c for c in model.constraints if (model.schema, model.name, str(c.name)) not in said.named]
    taken = {c.name for c in model.constraints if c not in free}
    constraints = [_called(c, free) if c.name not in taken else c for c in table.constraints]
    said_of = {column.name: column for column in model.columns}
    columns = tuple(_as_said(column, said_of.get(column.name)) for column in table.columns)
    return {"constraints": tuple(constraints), "columns": columns}


def _called(constraint: Constraint, free: list[Constraint]) -> Constraint:
    alike = (
        c
        for c in free
        if (c.kind, c.columns, c.definition) == (constraint.kind, constraint.columns, constraint.definition)
    )
    match = next(alike, None)
    if match is None:
        return constraint
    free.remove(match)
    return replace(constraint, name=match.name)


def _as_said(column: Column, model: Column | None) -> Column:
    """Storage and statistics of a column are not the models' to say."""
    return column if model is None else replace(column, options=model.options)


def _open(thing: Any) -> Any:
    """Without owner and grants, of which metadata knows nothing."""
    known = {name: value for name, value in {"owner": None, "grants": ()}.items() if hasattr(thing, name)}
    changed = replace(thing, **known) if known else thing
    columns: Iterable[Any] = getattr(changed, "columns", ())
    return replace(changed, columns=tuple(_open(c) for c in columns)) if columns else changed
