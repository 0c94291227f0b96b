"""How do the statements of a team's own tool become a plan? Tried on a scratch copy first, with their way back.

They move no revision. What they lose is kept, what they make is known, and where nobody says how they are taken back
the inverse is derived, as for a revision without a downgrade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mcp_migrate.dialects.interface import Scratch
from mcp_migrate.errors import MigrateError, RehearsalFailedError
from mcp_migrate.migrations.deriving import completed
from mcp_migrate.migrations.freezing import Frozen
from mcp_migrate.migrations.planning import Recorded, Way
from mcp_migrate.migrations.rehearsal import Replay, not_rehearsed, run_on, stand_at_start, try_out
from mcp_migrate.model import Plan, Reverse, Statement
from mcp_migrate.schema import Schema, diff, shape, without_access

_NO_WAY = Reverse(available=False, restores_schema=False, why_not="the tool does not say how it is taken back")


@dataclass(frozen=True, slots=True)
class Own:
    """The statements of one call of a tool; `back` takes them back, None where the tool does not say."""

    statements: tuple[Statement, ...]
    back: tuple[Statement, ...] | None = None


def plan_own(own: Own, way: Way, url: str, replay: Replay) -> Plan:
    """The plan; `way` begins and ends at the target's revision.

    Raises:
        RehearsalFailedError: no scratch database can be made, or the statements fail on it.
    """
    own = Own(_settled(own.statements, way), None if own.back is None else _settled(own.back, way))

    @contextmanager
    def start(*, used: bool) -> Iterator[Scratch]:  # noqa: ARG001  each begins with a fresh one
        with way.dialect.open_scratch(url) as scratch:
            stand_at_start(way, url, scratch, replay)
            yield scratch

    way.tell(0, "trying the statements on a scratch database")
    with start(used=False) as scratch:
        recorded = _seen(own, way, scratch)
    recorded = replace(recorded, plan=way.finish(recorded.plan, recorded.schema))
    return try_out(recorded, way, url, start) if way.rehearse else not_rehearsed(recorded.plan)


def _settled(statements: Sequence[Statement], way: Way) -> tuple[Statement, ...]:
    """Numbered, each with whether the database can take it back."""
    from mcp_migrate.rules import judge  # parsers load with the first plan

    numbered = tuple(replace(statement, n=n) for n, statement in enumerate(statements, 1))
    judged = judge(numbered, dialect=way.dialect.name, schema=way.live)
    return tuple(
        replace(statement, transactional=judgement.transactional and not _stands(statement, way))
        for statement, judgement in zip(numbered, judged, strict=True)
    )


def _stands(statement: Statement, way: Way) -> bool:
    """Whether it is committed by itself: each batch is, but on SQLite, where there is one transaction in any case."""
    return way.dialect.commits(statement.sql) or (statement.batches and way.dialect.name != "sqlite")


def _seen(own: Own, way: Way, scratch: Scratch) -> Recorded:
    """What came of them there, and the way back as it turned out."""
    began = way.schema_of(scratch)
    try:
        run_on(way.dialect, scratch, own.statements)
    except MigrateError as error:
        raise _failed(error) from error
    became = way.schema_of(scratch)
    before, after, here = shape(began), shape(became), shape(way.live)
    doubts = [] if before == here else [_unlike(way, began)]
    known = after if before == here else None
    plan = way.plan(Frozen(own.statements, ()), here, known, _NO_WAY, doubts)
    recorded = Recorded(plan, before, after, became, began)
    if own.back is None and before != after:
        return completed(recorded, way, scratch)
    return replace(recorded, plan=replace(plan, reverse=_back(own.back or (), recorded, way, scratch)))


def _back(statements: tuple[Statement, ...], recorded: Recorded, way: Way, scratch: Scratch) -> Reverse:
    try:
        run_on(way.dialect, scratch, statements)
    except MigrateError as error:
        why = f"its `rollback` fails on a scratch database: {error.sentence.rstrip('.')}"
        return replace(_NO_WAY, why_not=why)
    restored = shape(way.schema_of(scratch)) == recorded.before
    return Reverse(available=True, restores_schema=restored, statements=statements)


def _unlike(way: Way, made: Schema) -> str:
    names = dict.fromkeys(change.object for change in diff(without_access(way.live), without_access(made)))
    return f"the scratch database it was tried on differs from the target: {', '.join(list(names)[:10])}"


def _failed(error: MigrateError) -> RehearsalFailedError:
    return RehearsalFailedError(
        f"The statements fail on a scratch copy of the target: {error.sentence}",
        hint="Nothing ran on the target. Correct the arguments; if they are right, its author has to correct the tool.",
        statement=error.details.get("statement"),
        code=error.code,
    )
