"""An apply stopped part way: what of it stands, and which statements finish it, or take it back?

Tried on scratch databases, by the frozen statements of the plan that stopped: the project's Python has no part in it.
A statement of which nobody can say whether it ran is decided by the schema it gives, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from mcp_migrate.dialects.interface import Dialect, Scratch
from mcp_migrate.dialects.told import Left
from mcp_migrate.errors import MigrateError, PlanStaleError, RenderFailedError
from mcp_migrate.migrations.ends import OURS, ends_of_way_back
from mcp_migrate.migrations.rehearsal import run_on
from mcp_migrate.migrations.scratch import read_schema, server_of
from mcp_migrate.model import Plan, Read, Rehearsal, Resumes, Reverse, Statement, Tried
from mcp_migrate.model.resuming import Direction
from mcp_migrate.schema import Schema, shape

_ON_THE_SCHEMA = ("CREATE", "ALTER", "DROP", "COMMENT", "RENAME")


@dataclass(frozen=True, slots=True)
class Stopped:
    """`begun` is the plan that started it all, `plan` the one that stopped; `ran` is all that stands since `begun`.

    `rest` are the statements of `plan` that certainly do not stand, `uncertain` the one that may.
    """

    apply_id: str
    begun: Plan
    plan: Plan
    ran: tuple[Statement, ...]
    rest: tuple[Statement, ...]
    uncertain: Statement | None
    left: Left | None

    def resumes(self, direction: Direction) -> Resumes:
        """What a plan that goes on from here says of it."""
        return Resumes(self.apply_id, direction, self.begun.from_revision, self.begun.base_fingerprint)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where it is tried: `fresh` opens a scratch database that is where `begun` started, and `url` is the target."""

    dialect: Dialect
    url: str
    live: Schema
    revision: str | None
    fresh: Callable[[], AbstractContextManager[Scratch]]


def finish(stopped: Stopped, ground: Ground) -> Plan:
    """The statements that did not run, tried where the others ran.

    Raises:
        PlanStaleError: the target is not what the statements that ran give, or nobody can say what ran.
        RenderFailedError: the rest does not lead to where the plan was to end.
    """
    with ground.fresh() as scratch:
        stood = _stood(stopped, ground, scratch)
        plan = _plan(stood, ground, _finishing(stood, ground), "finish")
        if stood.left is not None:  # what stands there unfinished, so that its removal is tried as well
            _run(ground, scratch, [stood.rest[0]])
        tried = _run(ground, scratch, plan.statements)
        if plan.expected_fingerprint not in {None, _shape(ground, scratch, plan)}:
            raise RenderFailedError(
                "The statements that did not run do not lead to where the plan was to end.",
                hint='Plan with to: "undo", or have a person look at the target.',
            )
        back, seconds = _back(stood, ground, scratch)
        seen = _seen(ground, scratch, tried, seconds, restored=back.restores_schema)
    return replace(
        plan, reverse=back, rehearsal=seen, reads=_reads(stood, plan), preconditions=stood.plan.preconditions
    )


def undo(stopped: Stopped, ground: Ground) -> Plan:
    """The end of the way back that takes back what ran: found by trying, and proven by the schema it gives.

    Raises:
        PlanStaleError: the target is not what the statements that ran give, or nobody can say what ran.
        RenderFailedError: there is no way back from here.
    """
    for statements in ends_of_way_back(stopped.begun, stopped.ran):
        with ground.fresh() as scratch:
            stood = _stood(stopped, ground, scratch)
            begun = stood.begun
            clean = _cleaning(stood)
            plan = _plan(stood, ground, [*clean, *statements], "undo")
            try:
                tried = _run(ground, scratch, _numbered(statements))
            except MigrateError:
                continue
            if _shape(ground, scratch, plan) == begun.base_fingerprint:
                why = "it takes back an apply that stopped part way; plan the migration again to go forward"
                seen = _seen(ground, scratch, tried, None, restored=False)
                return replace(
                    plan, reverse=Reverse(available=False, restores_schema=False, why_not=why), rehearsal=seen
                )
    raise RenderFailedError(
        "No end of the way back takes back exactly what ran.",
        hint='Plan with to: "finish", or have a person bring the target to where it was.',
    )


def only_on_the_schema(statement: Statement) -> bool:
    """Whether a statement says all it does in the schema, so that the schema shows that it was taken back."""
    words = statement.sql.split(None, 1)
    return statement.kind == "version" or (bool(words) and words[0].upper() in _ON_THE_SCHEMA)


def _stood(stopped: Stopped, ground: Ground, scratch: Scratch) -> Stopped:
    """Bring a scratch database to where the target stands, and say whether the uncertain statement ran."""
    here = shape(_without(ground.live, stopped.left))
    _run(ground, scratch, stopped.ran)
    before = _shape(ground, scratch, stopped.plan)
    doubtful = stopped.uncertain
    if doubtful is None:
        if before != here:
            raise _elsewhere(stopped)
        return stopped
    if stopped.left is not None and before == here:
        return replace(stopped, rest=(doubtful, *stopped.rest), uncertain=None)
    return _decided(stopped, ground, scratch, (before, here))


def _decided(stopped: Stopped, ground: Ground, scratch: Scratch, shapes: tuple[str, str]) -> Stopped:
    """Whether the uncertain statement ran: where the schema is the same with it and without, nobody can say."""
    before, here = shapes
    doubtful = stopped.uncertain
    if doubtful is None:
        raise TypeError("nothing is uncertain")
    if doubtful.kind in OURS or doubtful.batches:  # no harm in it twice
        if here != before:
            raise _elsewhere(stopped)
        return replace(stopped, rest=(doubtful, *stopped.rest), uncertain=None)
    with ground.fresh() as beside:
        _run(ground, beside, [*stopped.ran, doubtful])
        after = _shape(ground, beside, stopped.plan)
    if before == after:
        raise PlanStaleError(
            f"Nobody can say whether statement {doubtful.n} of {stopped.apply_id} ran: the schema does not show it.",
            hint="Have a person look at what it does, and bring the target to a revision by hand.",
            uncertain=doubtful.n,
        )
    if here == before:
        return replace(stopped, rest=(doubtful, *stopped.rest), uncertain=None)
    if here == after:
        _run(ground, scratch, [doubtful])
        return replace(stopped, ran=(*stopped.ran, doubtful), uncertain=None)
    raise _elsewhere(stopped)


def _elsewhere(stopped: Stopped) -> PlanStaleError:
    return PlanStaleError(
        f"The target is not what the statements of {stopped.apply_id} that ran give: its schema was changed since, or"
        " it had drifted before.",
        hint="Have a person bring the target to a revision by hand; schema_diff shows the differences.",
        ran=[statement.n for statement in stopped.ran],
    )


def _finishing(stood: Stopped, ground: Ground) -> list[Statement]:
    """What was held for a statement that did not run is gone: it is taken, and what comes of it made, once more."""
    keeper = ground.dialect.keeper()
    last = [statement for statement in stood.ran if statement in stood.plan.statements]
    again = keeper.again(last) if keeper is not None else ()
    return [*_cleaning(stood), *again, *stood.rest]


def _cleaning(stood: Stopped) -> list[Statement]:
    """What the failed statement left is removed by a statement like any other: judged, approved, run once."""
    if stood.left is None or not stood.rest:
        return []
    return [Statement(1, stood.rest[0].revision, stood.left.clean, transactional=False)]


def _plan(stood: Stopped, ground: Ground, statements: Sequence[Statement], direction: Direction) -> Plan:
    """What runs next, from where the target is: to the end of the plan that stopped, or to where it all began."""
    end = (stood.plan.to_revision, stood.plan.expected_fingerprint)
    if direction == "undo":
        end = (stood.begun.from_revision, stood.begun.base_fingerprint)
    restores = stood.begun.undo is not None and stood.begun.undo.restores_data
    begun = (*stood.ran, *(statement for statement in stood.rest if statement.batches))
    rows = [] if restores else [s.n for s in begun if s.kind not in OURS and not only_on_the_schema(s)]
    doubts = list(stood.plan.doubts)
    if direction == "undo" and rows:
        told = ", ".join(map(str, rows))
        doubts.append(f"statements that ran may have changed rows, which the schema does not show: {told}")
    return replace(
        stood.plan,
        from_revision=ground.revision,
        to_revision=end[0],
        base_fingerprint=shape(ground.live),
        expected_fingerprint=end[1],
        statements=_numbered(statements),
        doubts=tuple(dict.fromkeys(doubts)),
        preconditions=(),
        reads=(),
        undo=stood.plan.undo if direction == "finish" else None,
        resumes=stood.resumes(direction),
    )


def _reads(stood: Stopped, plan: Plan) -> tuple[Read, ...]:
    """The reads before statements that are still to run, by their new numbers."""
    first = len(plan.statements) - len(stood.rest) + 1
    places = {statement.n: n for n, statement in enumerate(stood.rest, first)}
    return tuple(replace(read, before=places[read.before]) for read in stood.plan.reads if read.before in places)


def _back(stood: Stopped, ground: Ground, scratch: Scratch) -> tuple[Reverse, float | None]:
    """The whole way back, from the end to where it all began."""
    reverse = stood.begun.reverse if stood.plan.resumes is None else stood.plan.reverse
    if not reverse.available:
        return reverse, None
    try:
        tried = _run(ground, scratch, reverse.statements)
    except MigrateError as error:
        why = f"rehearsing it failed: {error.sentence.rstrip('.')}"
        return Reverse(available=False, restores_schema=False, why_not=why), None
    restored = _shape(ground, scratch, stood.plan) == stood.begun.base_fingerprint
    return replace(reverse, restores_schema=restored), round(sum(each.seconds for each in tried), 6)


def _seen(
    ground: Ground, scratch: Scratch, tried: tuple[Tried, ...], seconds: float | None, *, restored: bool
) -> Rehearsal:
    return Rehearsal(
        server=server_of(ground.dialect, scratch.url),
        target_server=server_of(ground.dialect, ground.url),
        observed=False,
        statements=tried,
        rollback_seconds=seconds,
        rollback_restored=restored,
    )


def _run(ground: Ground, scratch: Scratch, statements: Sequence[Statement]) -> tuple[Tried, ...]:
    return run_on(ground.dialect, scratch, statements)[0]


def _shape(ground: Ground, scratch: Scratch, plan: Plan) -> str:
    return shape(read_schema(ground.dialect, scratch.url, plan.version_table))


def _without(schema: Schema, left: Left | None) -> Schema:
    """The schema without the index that was never finished."""
    if left is None:
        return schema
    tables = (
        replace(table, indexes=tuple(i for i in table.indexes if f"{table.schema}.{i.name}" != left.object))
        for table in schema.tables
    )
    return replace(schema, tables=tuple(tables))


def _numbered(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    return tuple(replace(statement, n=n) for n, statement in enumerate(statements, 1))
