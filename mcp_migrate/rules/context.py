"""What is known when a statement is judged: the schema, and what the plan has made so far?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mcp_migrate.rules.interface import Finding, unknown
from mcp_migrate.schema.model import Constraint, Index, Other, Schema, Table

Name = tuple[str, str]
"""A schema as it was written (empty where it was not) and a name."""


_MOST = 40


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once. Of very many, as many as a person reads, every kind of them, and that there is more."""
    every = tuple(dict.fromkeys(findings))
    if len(every) <= _MOST:
        return every
    kinds = {finding.rule.id: finding for finding in reversed(every)}
    return tuple(dict.fromkeys((*every[: _MOST // 2], *kinds.values(), unknown("more happens than can be told", "?"))))


class Made:
    """What the plan has made so far, by the spelling it used: nothing in it can be anyone's data yet.

    It only ever says less than the truth: a name that was renamed, dropped or may mean something else is forgotten,
    under each spelling, and a statement that is not understood makes us forget everything.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], set[str]] = {}
        self._checks: dict[str, dict[Name, dict[str, tuple[str, bool]]]] = {}
        self._changed: set[str] = set()
        self._moved: set[str] = set()
        self._all_changed = False
        self._tells: dict[str, tuple[Finding, ...]] = {}
        self._acts: dict[str, tuple[Finding, ...]] = {}
        self._seen: set[str] = set()
        self._rewritten: set[str] = set()
        self._routines: set[str] = set()
        self.judged: dict[str, tuple[Finding, ...]] = {}

    def add(self, kind: str, name: Name) -> None:
        self._names.setdefault((kind, name[1]), set()).add(name[0])
        if kind == "table":
            self.see(name[1])

    def has(self, kind: str, name: Name) -> bool:
        return name[0] in self._names.get((kind, name[1]), ())

    def forget(self, kind: str, bare: str) -> None:
        """Forget each `kind` called `bare`, in whatever schema."""
        self._names.pop((kind, bare), None)

    def clear(self) -> None:
        self._names.clear()
        self._checks.clear()
        self._tells.clear()
        self.judged.clear()
        self._seen.clear()
        self._all_changed = True

    def change(self, bare: str, *, moved: bool = False) -> None:
        """What the schema says of the shape of `bare` no longer holds; if `moved`, not even what it is."""
        self._changed.add(bare)
        self._checks.pop(bare, None)
        if moved:
            self._moved.add(bare)
            self._tells.clear()
            self.judged.clear()

    def changed(self, bare: str) -> bool:
        return self._all_changed or bare in self._changed

    def moved(self, bare: str) -> bool:
        return bare in self._moved

    def see(self, bare: str) -> None:
        """A plain table of that name may have been made here."""
        self._seen.add(bare)

    def saw(self, bare: str) -> bool:
        return bare in self._seen

    def rewrite(self, routine: str) -> None:
        """What the schema says of the routines of that name no longer holds, nor what was told of any other."""
        self._rewritten.add(routine)
        if self._acts:
            self.act("*", (unknown("code that acts on tables may call code that this plan changed"),))
        self._tells.clear()
        self.judged.clear()

    def rewritten(self, routine: str) -> bool:
        return self._all_changed or routine in self._rewritten

    def tell(self, routine: str, findings: Iterable[Finding]) -> None:
        """What a routine of this plan does when it is called, beside what others of its name do."""
        self._routines.add(routine)
        self._tells[routine] = bounded((*self._tells.get(routine, ()), *findings))

    def named(self, routine: str) -> bool:
        """Whether this plan made a routine of that name, whatever is known of it now."""
        return routine in self._routines

    def told(self, routine: str) -> tuple[Finding, ...] | None:
        """What the routines of this plan with that name do; None where there is none, or nothing is known of it."""
        return self._tells.get(routine)

    def act(self, bare: str, findings: Iterable[Finding]) -> None:
        """What also happens from now on when rows of `bare` change. Nothing takes this back."""
        self._acts[bare] = bounded((*self._acts.get(bare, ()), *findings))

    @property
    def acting(self) -> bool:
        """Whether anything happens beside what a later statement says."""
        return bool(self._acts)

    def acts_on(self, bare: str) -> bool:
        """Whether something happens when rows of this very table change."""
        return bool(self._acts.get(bare))

    def acts(self, *tables: str) -> tuple[Finding, ...]:
        """What also happens when rows of these tables change; ``*`` and what was renamed stand for any table."""
        if not self._acts:
            return ()
        which = self._acts if "?" in tables else {"*", *tables, *(self._moved & set(self._acts))}
        return tuple(finding for bare in sorted(which) for finding in self._acts.get(bare, ()))

    def check(self, table: Name, constraint: str, column: str, *, validated: bool) -> None:
        """A constraint of a table, made here, says that `column` is not null."""
        self._checks.setdefault(table[1], {}).setdefault(table, {})[constraint] = (column, validated)

    def validate(self, table: Name, constraint: str) -> None:
        held = self._checks.get(table[1], {}).get(table, {})
        if constraint in held:
            held[constraint] = (held[constraint][0], True)

    def proves(self, table: Name, column: str) -> bool:
        """Whether a constraint made and validated here says that no row has a null in `column`.

        Only the very spelling counts: ``t`` and ``a.t`` may be two tables.
        """
        return (column, True) in self._checks.get(table[1], {}).get(table, {}).values()


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
    functions: Mapping[str, tuple[Other, ...]] = field(default_factory=dict)
    extensions: frozenset[str] = frozenset()
    views: Mapping[str, Other] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    acting: Mapping[str, tuple[Other, ...]] = field(default_factory=dict)
    references: Mapping[str, tuple[tuple[str, bool], ...]] = field(default_factory=dict)
    indexes: Mapping[str, tuple[Table, Index | Constraint]] = field(default_factory=dict)

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
            functions=_routines(others),
            domains=frozenset(other.name for other in others if other.kind == "domain"),
            views={other.qualified: other for other in others if other.kind == "view"},
            extensions=frozenset(other.name for other in others if other.kind == "extension"),
            acting=_acting(others),
            active=frozenset(o.table for o in others if o.table and o.kind in _ACTS),
            references=_references(tables),
            indexes=_indexes(tables),
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
            for table, acts in self.references.get(todo.pop(), ()):
                if table not in {*reached, qualified} and (acts or not acting):
                    reached[table] = None
                    todo.append(table)
        return tuple(reached)

    def table(self, qualified: str) -> Table | None:
        """The plain table of that name, where it is known."""
        return None if self.made.moved(qualified.rpartition(".")[2]) else self.tables.get(qualified)

    def shape(self, qualified: str) -> Table | None:
        """The table as the schema tells it, where this plan has not changed what it tells."""
        return None if self.made.changed(qualified.rpartition(".")[2]) else self.tables.get(qualified)

    def plain(self, qualified: str) -> bool:
        """Whether it is a plain table: one the schema knows, or one this plan made where the schema has nothing."""
        bare = qualified.rpartition(".")[2]
        new = self.made.saw(bare) and not self.called(bare) and not self.made.moved(bare)
        return new or self.table(qualified) is not None

    def called(self, bare: str) -> tuple[str, ...]:
        """Everything table-like or typed that is called `bare`, in any schema, as ``kind schema``."""
        return self.names.get(bare, ())


def _routines(others: Sequence[Other]) -> dict[str, tuple[Other, ...]]:
    """Everything that can be called, by its bare name."""
    found: dict[str, list[Other]] = {}
    for other in others:
        if other.kind not in _NOT_CALLED:
            found.setdefault(other.name.partition("(")[0], []).append(other)
    return {name: tuple(overloads) for name, overloads in found.items()}


def _acting(others: Sequence[Other]) -> dict[str, tuple[Other, ...]]:
    """The triggers, rules and policies of each table."""
    found: dict[str, list[Other]] = {}
    for other in others:
        if other.table and other.kind in _ACTS:
            found.setdefault(other.table, []).append(other)
    return {table: tuple(acting) for table, acting in found.items()}


def _references(tables: Sequence[Table]) -> dict[str, tuple[tuple[str, bool], ...]]:
    """Who refers to each table, and whether a delete reaches it."""
    found: dict[str, dict[str, bool]] = {}
    for table in tables:
        for constraint in table.constraints:
            if constraint.kind == "foreign_key":
                target = (constraint.refers_to or "").partition("(")[0].replace('"', "")
                held = found.setdefault(target, {})
                held[table.qualified] = held.get(table.qualified, False) or "ON DELETE" in constraint.definition
    return {target: tuple(held.items()) for target, held in found.items()}


def _indexes(tables: Sequence[Table]) -> dict[str, tuple[Table, Index | Constraint]]:
    """Each index by name, also those that stand behind a constraint."""
    found: dict[str, tuple[Table, Index | Constraint]] = {}
    for table in tables:
        for index in table.indexes:
            found[f"{table.schema}.{index.name}"] = (table, index)
        for constraint in table.constraints:
            if constraint.name and constraint.kind in {"primary_key", "unique", "exclusion"}:
                found[f"{table.schema}.{constraint.name}"] = (table, constraint)
    return found
