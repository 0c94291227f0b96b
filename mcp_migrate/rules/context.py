"""What is known when a statement is judged: the schema, and what the plan has made so far?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_migrate.schema.model import Other, Schema, Table

Name = tuple[str, str]
"""A schema as it was written (empty where it was not) and a name."""


class Made:
    """What the plan has made so far, by the spelling it used: nothing in it can be anyone's data yet.

    It only ever says less than the truth: a name that was renamed, dropped or may mean something else is forgotten,
    under each spelling, and a statement that is not understood makes us forget everything.
    """

    def __init__(self) -> None:
        self._names: set[tuple[str, Name]] = set()

    def add(self, kind: str, name: Name) -> None:
        self._names.add((kind, name))

    def has(self, kind: str, name: Name) -> bool:
        return (kind, name) in self._names

    def forget(self, kind: str, bare: str) -> None:
        """Forget each `kind` called `bare`, in whatever schema."""
        self._names = {key for key in self._names if key[0] != kind or key[1][1] != bare}

    def clear(self) -> None:
        self._names.clear()


_ACTS = frozenset({"trigger", "rule", "policy"})
_NAMED = frozenset(
    {"view", "materialized view", "materialized_view", "sequence", "enum", "domain", "composite", "range", "type"}
)
_NOT_CALLED = _ACTS | _NAMED | {"extension", "schema", "index", "event_trigger", "statistics", "collation"}
_PLAIN = frozenset({"table", "partitioned", "partitioned table", "partitioned_table"})


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when a statement is judged.

    Without a schema the text is judged alone: what triggers, views and functions of the database add to it is not
    looked at, and what cannot be decided without looking is unknown.
    """

    schema: Schema | None
    made: Made = field(default_factory=Made)
    tables: Mapping[str, Table] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()

    @classmethod
    def of(cls, schema: Schema | None) -> Context:
        """The context in which a plan on `schema` starts."""
        tables, others = (schema.tables, schema.others) if schema else ((), ())
        names: dict[str, list[str]] = {}
        named: list[Table | Other] = [*tables, *(other for other in others if other.kind in _NAMED)]
        for thing in named:
            names.setdefault(thing.name, []).append(f"{thing.kind} {thing.schema}")
        return cls(
            schema,
            tables={table.qualified: table for table in tables if table.kind in _PLAIN},
            names={name: tuple(places) for name, places in names.items()},
            functions=frozenset(o.name.partition("(")[0] for o in others if o.kind not in _NOT_CALLED),
            active=frozenset(o.table for o in others if o.table and o.kind in _ACTS),
        )

    def referrers(self, qualified: str, *, acting: bool = False) -> tuple[str, ...]:
        """The tables that refer to this one, also by way of others; with `acting` only where a delete reaches them.

        Without a schema nobody knows: then it is ``?``, which no narrow scope covers.
        """
        if self.schema is None:
            return ("?",)
        reached: dict[str, None] = {}
        todo = [qualified]
        while todo:
            target = todo.pop()
            for table in self.schema.tables:
                if table.qualified not in {*reached, qualified} and _refers(table, target, acting=acting):
                    reached[table.qualified] = None
                    todo.append(table.qualified)
        return tuple(reached)

    def table(self, qualified: str) -> Table | None:
        """The plain table of that name, where it is known."""
        return self.tables.get(qualified)

    def called(self, bare: str) -> tuple[str, ...]:
        """Everything table-like or typed that is called `bare`, in any schema, as ``kind schema``."""
        return self.names.get(bare, ())


def _refers(table: Table, target: str, *, acting: bool) -> bool:
    return any(
        (constraint.refers_to or "").partition("(")[0].replace('"', "") == target
        and (not acting or "ON DELETE" in constraint.definition)
        for constraint in table.constraints
        if constraint.kind == "foreign_key"
    )
