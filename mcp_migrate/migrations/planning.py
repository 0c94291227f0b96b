"""How do recordings become a plan with its way back?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from mcp_migrate.dialects.interface import Dialect, Scratch
from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations.freezing import Frozen, freeze, unheld
from mcp_migrate.migrations.info import ProjectInfo
from mcp_migrate.migrations.offline import disagreements
from mcp_migrate.migrations.process import Child
from mcp_migrate.migrations.reading import sorted_out, unstable, wanted
from mcp_migrate.migrations.scratch import read_revisions, read_schema
from mcp_migrate.model import Plan, Reverse, Statement
from mcp_migrate.model.plan import MOST_BYTES
from mcp_migrate.schema import Schema, diff, shape, without_access

_SHOWN = 10
_STEPS = 3
"""Steps of making a plan, before its statements are rehearsed."""

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all as far as known, and a word on the one that comes next."""


Finish = Callable[[Plan, Schema], Plan]
"""Makes of a recorded plan, and of the schema after it, the plan that is tried and frozen."""


def as_recorded(plan: Plan, _after: Schema) -> Plan:
    """The plan as it is."""
    return plan


def silent(_done: int, _total: int, _what: str) -> None:
    """Tell nobody."""


class How(TypedDict, total=False):
    """How a plan is made: as in `Way`."""

    rehearse: bool
    max_rows: int
    finish: Finish
    progress: Progress


@dataclass(frozen=True, slots=True)
class Way:
    """From one revision of a target to another. `rehearse` says that what is recorded is tried as well.

    What is tried is what `finish` makes of it and of the schema after it. `live` is the target's schema. `held` are the
    tables whose rows the scratch databases have, if they are not more than `max_rows` together.
    """

    target: str
    dialect: Dialect
    info: ProjectInfo
    start: str | None
    end: str | None
    upgrade: bool
    cage: str
    live: Schema
    rehearse: bool = True
    held: tuple[str, ...] = ()
    max_rows: int = 0
    finish: Finish = field(default=as_recorded, compare=False)
    progress: Progress = field(default=silent, compare=False)

    @property
    def rows(self) -> list[str]:
        """What the version table holds at the start."""
        return [self.start] if self.start else []

    def back(self) -> Way:
        """The same way in the other direction."""
        return replace(self, start=self.end, end=self.start, upgrade=not self.upgrade)

    def schema_of(self, scratch: Scratch) -> Schema:
        """What is on a scratch database now, without the version table."""
        return read_schema(self.dialect, scratch.url, self.info.version_table)

    def tell(self, done: int, what: str, *, more: int = 0) -> None:
        """Say which step comes next, with how many `more` than making the plan takes."""
        self.progress(done, _STEPS + more, what)

    def nothing(self) -> Plan:
        """The plan for a target that is there already."""
        here = shape(self.live)
        return self.plan(Frozen((), ()), here, here, Reverse(available=True, restores_schema=True))

    def plan(
        self,
        frozen: Frozen,
        base: str,
        expected: str | None,
        reverse: Reverse,
        doubts: Sequence[str] = (),
    ) -> Plan:
        """Put the parts of a plan together."""
        return Plan(
            target=self.target,
            dialect=self.dialect.name,
            from_revision=self.start,
            to_revision=self.end,
            base_fingerprint=base,
            expected_fingerprint=expected,
            version_table=self.info.version_table,
            statements=frozen.statements,
            reverse=reverse,
            doubts=(*frozen.doubts, *doubts),
            cage=self.cage,
            reads=frozen.reads,
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """A plan, with the fingerprints of the scratch database before and after its way, and its schema then and there.

    `wants` are the tables whose rows it would need on a scratch database so that nothing is left to doubt. A `steady`
    one came out the same, values included, when it was recorded again.
    """

    plan: Plan
    before: str
    after: str
    schema: Schema
    began: Schema
    wants: tuple[str, ...] = ()
    steady: bool = True

    def lasting(self) -> bool:
        """Whether it depends on files and the schema alone, so that it is the same for as long as they are."""
        return self.steady and not self.wants and not self.plan.reads


def record_plan(running: Child, scratch: Scratch, way: Way, count: Callable[[Sequence[str]], int]) -> Recorded:
    """Record `way` on a scratch database that is at its start, then the way back, then render offline.

    Where the target's tables that it reads `count` no rows, a scratch database has all of them.

    Raises:
        RenderFailedError: the way itself cannot be recorded.
    """
    before = way.schema_of(scratch)
    way.tell(1, f"recording the revisions to {way.end or 'base'}")
    frozen = _record(running, scratch, way)
    schema_after = way.schema_of(scratch)
    after = shape(schema_after)
    way.tell(2, "recording the way back")
    started, here = shape(before), shape(way.live)
    reverse = _record_back(running, scratch, way, started)
    wants = () if way.held else wanted(frozen, way.live)
    held = way.held or (wants if wants and not count(wants) else ())
    reads, doubtful = sorted_out(frozen, way.live, held)
    drift = [] if started == here else [_drift(way.live, before)]
    doubts = [*unheld(doubtful), *drift, *_offline(running, way, frozen)]
    kept = replace(frozen, reads=reads)
    plan = way.plan(kept, here, after if started == here else None, reverse, tuple(dict.fromkeys(doubts)))
    return Recorded(plan, started, after, schema_after, before, wants if doubtful and not held else ())


def record_again(running: Child, scratch: Scratch, way: Way) -> Frozen:
    """A second recording, on a scratch database of its own. Raises: RenderFailedError."""
    frozen = _record(running, scratch, way)
    return replace(frozen, statements=_masked(frozen.statements, scratch))


def hold_against(recorded: Recorded, second: Frozen, scratch: Scratch) -> Recorded:
    """The recording, with a doubt for each value that came out differently another time.

    What is written is the value that was recorded and signed, so a value may differ; a text may not.

    Raises:
        RenderFailedError: the statements themselves came out differently.
    """
    first = recorded.plan
    statements, again = _masked(first.statements, scratch), second.statements
    texts, others = ([replace(s, parameters=()) for s in each] for each in (statements, again))
    if texts != others:
        raise _not_the_same(texts, others)
    loose = tuple(unstable(first.reads, second.reads))
    chances = tuple(_chances(statements, again))
    doubts = dict.fromkeys([*first.doubts, *chances, *unheld(loose)])
    kept = tuple(read for read in first.reads if read not in loose)
    steady = not chances and not loose
    return replace(recorded, plan=replace(first, doubts=tuple(doubts), reads=kept), steady=steady)


def _chances(statements: Sequence[Statement], again: Sequence[Statement]) -> Iterator[str]:
    for one, other in zip(statements, again, strict=True):
        if one.parameters != other.parameters:
            yield (
                f"revision {one.revision} writes values that are others each time (clock or chance): statement {one.n}"
                " writes those that were recorded"
            )


def _not_the_same(texts: Sequence[Statement], others: Sequence[Statement]) -> RenderFailedError:
    n, revision = next(
        ((one.n, one.revision) for one, other in zip(texts, others, strict=False) if one != other),
        (min(len(texts), len(others)) + 1, "env.py"),
    )
    return RenderFailedError(
        f"Revision {revision} does not give the same SQL twice: statement {n} depends on the clock, on chance or on the"
        " order of a set.",
        hint="Write the value into the revision, or let the database find it: now(), gen_random_uuid(), a default.",
        revision=revision,
        statement=n,
    )


def _masked(statements: Sequence[Statement], scratch: Scratch) -> tuple[Statement, ...]:
    """Without the name of the scratch database, which is another one each time."""
    [name] = _names(scratch) or [""]
    return tuple(replace(s, sql=s.sql.replace(name, "?")) if name else s for s in statements)


def _record(running: Child, scratch: Scratch, way: Way) -> Frozen:
    recording = running.ask("record", current=way.rows, to=way.end, upgrade=way.upgrade, most=MOST_BYTES)
    rows = read_revisions(way.dialect, scratch.url, way.info.version_table)
    if recording["version_table"] != way.info.version_table or rows != ((way.end,) if way.end else ()):
        raise RenderFailedError(
            f"The run on the scratch database ended at {', '.join(rows) or 'base'} in {recording['version_table']},"
            f" not at {way.end or 'base'} in {way.info.version_table}.",
            hint="Use one version table, and one branch at a time.",
        )
    return freeze(
        recording, way.info, dialect_name=way.dialect.name, upgrade=way.upgrade, scratch_names=_names(scratch)
    )


def _record_back(running: Child, scratch: Scratch, way: Way, before: str) -> Reverse:
    """The way back counts only when its recording is the whole truth."""
    try:
        frozen = _record(running, scratch, way.back())
    except RenderFailedError as problem:
        return Reverse(available=False, restores_schema=False, why_not=problem.sentence.rstrip("."))
    if doubts := dict.fromkeys([*frozen.doubts, *unheld(frozen.reads)]):
        return Reverse(available=False, restores_schema=False, why_not="; ".join(doubts))
    restored = shape(way.schema_of(scratch)) == before
    return Reverse(available=True, restores_schema=restored, statements=frozen.statements)


def _offline(running: Child, way: Way, frozen: Frozen) -> Iterator[str]:
    """Doubts where the offline rendering differs; a project that cannot render offline has no second opinion."""
    try:
        rendered = running.ask("offline", current=way.rows, to=way.end, upgrade=way.upgrade)
    except RenderFailedError:
        return
    yield from disagreements(frozen.statements, rendered, version_table=way.info.version_table)


def _drift(live: Schema, replayed: Schema) -> str:
    names = list(dict.fromkeys(change.object for change in diff(without_access(live), without_access(replayed))))
    shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    return f"the target differs from what its revision should give: {shown}"


def _names(scratch: Scratch) -> Sequence[str]:
    """What must not appear in a statement: the name of the scratch database."""
    from sqlalchemy.engine import make_url

    name = make_url(scratch.url).database
    return (name,) if name else ()
