"""How does the live schema of a target differ from the models, from revisions, another target, or a plan's promise?

The agents' tool and the people's command both ask here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mcp_migrate.errors import InvalidArgumentsError, RenderFailedError
from mcp_migrate.migrations import Replay
from mcp_migrate.model import Plan
from mcp_migrate.schema import Change, Schema, diff, shape, without_access
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.live import Live, read_live

_STALE = "The revisions have changed since the plan was made: the differences are to what they give now."
_UNKNOWN = "The plan was made while its target had drifted, so what the target should be after it was not known."


@dataclass(frozen=True, slots=True)
class Comparison:
    """`before` is the live schema, `after` what it is held against; `changes` lead from one to the other."""

    target: str
    against: str
    in_sync: bool
    changes: tuple[Change, ...]
    before: Schema
    after: Schema
    note: str | None = None

    def about(self, tables: Iterable[str]) -> tuple[Change, ...]:
        """The changes of tables or objects that fit one of the globs; all of them without."""
        globs = tuple(tables)
        return tuple(c for c in self.changes if not globs or any(_fits(c, glob) for glob in globs))

    @property
    def summary(self) -> str:
        """One sentence: what it would take."""
        if self.in_sync:
            told = f"The live schema of {self.target} equals {self.against}."
        elif not self.changes:
            told = f"The live schema of {self.target} is not {self.against}."
        else:
            told = f"{_counted(self.changes)} would turn the live schema of {self.target} into {self.against}."
        return f"{told} {self.note}" if self.note else told


@dataclass(frozen=True, slots=True)
class Others:
    """How to reach what is not the target itself: another target, a stored plan. Each refuses what may not be read."""

    database: Callable[[str], Database]
    plan: Callable[[str], Plan]


def compare(database: Database, against: str, others: Others) -> Comparison:
    """Compare the live schema of a target; it is only read.

    Raises:
        InvalidArgumentsError: `against` names nothing that can be compared.
        TargetUnreachableError: a target cannot be read. RenderFailedError: the project cannot be replayed.
    """
    kind, _, name = against.partition(":")
    if kind == "plan" and name:
        return _with_plan(database, against, others.plan(name))
    live = read_live(database)
    if against == "models":
        mine, models = database.project.modelled(
            database.dialect, database.url, live=live.schema, version_table=database.version_table
        )
        return _compared(database, against, mine, models)
    if kind == "target" and name:
        return _compared(database, against, live.schema, _same_product(others.database(name), database))
    if against == "head" or (kind == "revision" and name):
        after = replay(database, live, name or "head").schema
        return _compared(database, against, without_access(live.schema), without_access(after))
    raise InvalidArgumentsError(
        f"Nothing is called {against[:80]!r}.",
        hint="Compare against models, head, revision:<id>, target:<name> or plan:<plan_id>.",
    )


def replay(database: Database, live: Live, to: str) -> Replay:
    """The schema that the revisions up to `to` give on an empty scratch database like this target."""
    extensions = (f"{o.schema}.{o.name} {o.definition}" for o in live.schema.others if o.kind == "extension")
    return database.project.replay(
        database.dialect,
        database.url,
        to=to,
        version_table=database.version_table,
        alike=tuple(sorted(extensions)),
    )


def counts(changes: Iterable[Change]) -> Mapping[str, int]:
    """How many of each kind, the most first."""
    found: dict[str, int] = {}
    for change in changes:
        found[change.kind] = found.get(change.kind, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _compared(database: Database, against: str, before: Schema, after: Schema, note: str | None = None) -> Comparison:
    changes = diff(before, after)
    return Comparison(database.name, against, not changes, changes, before, after, note)


def _with_plan(database: Database, against: str, plan: Plan) -> Comparison:
    """A plan keeps a fingerprint of what it promises: equal or not is certain, what differs comes from a replay."""
    if plan.target != database.name:
        raise InvalidArgumentsError(
            f"{against} is a plan for {plan.target}, not for {database.name}.", hint=f"Ask about {plan.target}."
        )
    live = read_live(database, plan=plan)
    if live.shape == plan.expected_fingerprint:
        return Comparison(database.name, against, in_sync=True, changes=(), before=live.schema, after=live.schema)
    try:
        after = replay(database, live, plan.to_revision or "base").schema
    except RenderFailedError as error:
        note = f"What differs could not be told: {error.sentence}"
        return Comparison(database.name, against, False, (), live.schema, live.schema, note)  # noqa: FBT003  it differs
    note = _UNKNOWN if plan.expected_fingerprint is None else _STALE
    exact = shape(after) == plan.expected_fingerprint
    found = _compared(database, against, without_access(live.schema), without_access(after), None if exact else note)
    return found if exact else Comparison(database.name, against, False, found.changes, live.schema, after, note)  # noqa: FBT003  as above


def _same_product(other: Database, database: Database) -> Schema:
    if other.dialect.name != database.dialect.name:
        raise InvalidArgumentsError(
            f"{database.name} is {database.dialect.name}, {other.name} is {other.dialect.name}.",
            hint="Compare targets of one database product.",
        )
    return read_live(other).schema


def _fits(change: Change, glob: str) -> bool:
    names = {change.object, *([change.table, change.table.partition(".")[2]] if change.table else [])}
    return any(fnmatchcase(name, glob) for name in names)


def _counted(changes: tuple[Change, ...]) -> str:
    told = [f"{number} {kind}" for kind, number in counts(changes).items()]
    more = f" and {len(told) - 5} more kinds" if len(told) > 5 else ""  # noqa: PLR2004  five are shown beside it
    noun = "change" if len(changes) == 1 else "changes"
    return f"{len(changes)} {noun} ({', '.join(told[:5])}{more})"
