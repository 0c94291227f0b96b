"""Do the frozen statements do what the revisions did, there and back, and what does it cost?

The text of the plan runs, by the same code that will run it on the target; the project's Python has no part in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Protocol

from mcp_migrate.dialects.interface import Dialect, Limits, Scratch, Writer
from mcp_migrate.dialects.sequence import whole
from mcp_migrate.dialects.told import Observed
from mcp_migrate.errors import MigrateError, RehearsalFailedError
from mcp_migrate.migrations.giving_back import Held, contents, losing, restored, with_parents
from mcp_migrate.migrations.planning import Recorded, Way
from mcp_migrate.migrations.scratch import has_version_table, server_of
from mcp_migrate.model import Plan, Rehearsal, Restored, Reverse, Statement, Tried, Undo
from mcp_migrate.schema import shape
from mcp_migrate.schema.model import Table

Replay = Callable[[Scratch, str | None], None]
"""Brings an empty scratch database to the start by its revisions; at base there is at most an empty version table."""

_LIMITS = Limits(lock_timeout=10.0, statement_timeout=600.0)
_TOLD = 100


class RowsNotCopiedError(RehearsalFailedError):
    """The rows that revisions read are too many, or cannot be copied."""


def fill(way: Way, url: str, scratch: Scratch) -> None:
    """Give `scratch` the rows that it has to hold. Raises: RowsNotCopiedError."""
    if way.held and not way.dialect.copy_rows(url, scratch, way.held, most=way.max_rows):
        raise RowsNotCopiedError(
            "The rows that revisions read could not be copied to a scratch database.",
            hint="Plan again, or set `rehearsal: {rows: never}` for this target.",
        )


def stand_at_start(way: Way, url: str, scratch: Scratch, replay: Replay) -> None:
    """Bring a new scratch database to where `way` starts, with the rows that it has to hold.

    It is made from what the target is; only where that cannot be, revisions are replayed. Raises: RowsNotCopiedError.
    """
    if not scratch.holds_schema:
        table = way.info.version_table
        present = has_version_table(way.dialect, url, table)
        rows = way.rows if present else None
        made = way.dialect.remake(scratch, way.live, source=url, version_table=table, revisions=rows)
        if not made and (present or way.start):
            replay(scratch, table if present else None)
    fill(way, url, scratch)


@contextmanager
def starting_point(
    recorded: Recorded, way: Way, url: str, scratch: Scratch, replay: Replay, *, used: bool = False
) -> Iterator[Scratch]:
    """A scratch database where `way` starts, found in the cheapest way there is.

    `scratch`, on which the way there and back was recorded, is at its start again if the way back restores, unless it
    was `used` for another rehearsal; at base it is not, since Alembic leaves its version table, nor is one with rows.
    A copy of the target is made again.
    """
    back = way.start is not None and recorded.plan.reverse.restores_schema
    if back and not used and not way.held and not scratch.holds_schema:
        yield scratch
        return
    with way.dialect.open_scratch(url) as fresh:
        stand_at_start(way, url, fresh, replay)
        yield fresh


class Start(Protocol):
    """Makes a scratch database where the way starts; `used` says that another was made before."""

    def __call__(self, *, used: bool) -> AbstractContextManager[Scratch]: ...


def try_out(recorded: Recorded, way: Way, url: str, start: Start) -> Plan:
    """Rehearse on the rows of the tables that lose some, where they are not too many; else without any.

    What fails on the way there, for the rows that are there now, is told by the preconditions. A way back that fails
    on them stays one, since the other tables are empty there: it is told as one that may not bring the data back.

    Raises:
        RehearsalFailedError: as `rehearse`.
    """
    server, lost = server_of(way.dialect, url), losing(recorded.plan, way.live)
    why_not: list[str] = []
    if with_rows := bool(lost) and way.max_rows > 0:
        holding = replace(way, held=tuple(dict.fromkeys([*way.held, *with_parents(lost, way.live)])))
        with suppress(MigrateError), start(used=False) as scratch:
            fill(holding, url, scratch)
            plan = rehearse(recorded, way, scratch, target_server=server, lost=lost)
            if plan.reverse.restores_schema:
                return plan
            why_not = [f"tried on rows of the target, the way back failed: {plan.reverse.why_not or 'another schema'}"]
    with start(used=with_rows) as scratch:
        plan = rehearse(recorded, way, scratch, target_server=server)
    return replace(plan, undo=replace(plan.undo, why_not=(*plan.undo.why_not, *why_not))) if plan.undo else plan


def rehearse(recorded: Recorded, way: Way, scratch: Scratch, *, target_server: str, lost: Sequence[Table] = ()) -> Plan:
    """The plan with what was seen when it ran on `scratch`; what its way back was seen to do counts.

    `lost` are tables that hold the target's rows there: they have to hold the same ones in the end.

    Raises:
        RehearsalFailedError: a statement fails, or all of them give another schema than the revisions.
    """
    plan = recorded.plan
    held = _contents(way, scratch, lost)
    try:
        tried, observed = run_on(way.dialect, scratch, plan.statements, _steps(way, plan))
    except MigrateError as error:
        raise _failed(plan, error) from error
    if shape(way.schema_of(scratch)) != recorded.after:
        raise RehearsalFailedError(
            "The frozen statements give another schema than the revisions did when they were recorded.",
            hint="A revision does something that is not in its SQL, or its SQL means something else by itself. Write "
            "plain operations and plan again.",
        )
    back, seconds = _back(recorded, way, scratch)
    again = _contents(way, scratch, lost) if back.restores_schema else {}
    gave_back = restored(held, again) if lost else None
    seen = Rehearsal(
        server=server_of(way.dialect, scratch.url),
        target_server=target_server,
        observed=observed,
        statements=tried,
        rollback_seconds=seconds,
        rollback_restored=back.restores_schema,
        restored=gave_back,
    )
    return replace(plan, reverse=back, rehearsal=seen, undo=_undo(plan.undo, back, gave_back or ()))


def _undo(undo: Undo | None, back: Reverse, gave_back: Sequence[Restored]) -> Undo | None:
    """A way back that turned out not to restore the schema, or the rows, does not restore the data."""
    if undo is None or not undo.kept:
        return undo
    if not back.restores_schema:
        why_not = [back.why_not or "the way back does not bring the schema back"]
    else:
        why_not = [f"tried on the rows of {each.table}, it brought back others" for each in gave_back if not each.same]
    return replace(undo, why_not=(*undo.why_not, *why_not))


def not_rehearsed(plan: Plan) -> Plan:
    """The plan with that doubt."""
    return replace(plan, doubts=(*plan.doubts, "it was not rehearsed: the configuration says `rehearsal: {on: off}`"))


def _back(recorded: Recorded, way: Way, scratch: Scratch) -> tuple[Reverse, float | None]:
    """The way back as it turned out, and how long it took."""
    reverse = recorded.plan.reverse
    if not reverse.available:
        return reverse, None
    try:
        tried, _observed = run_on(way.dialect, scratch, reverse.statements)
    except MigrateError as error:
        return Reverse(available=False, restores_schema=False, why_not=_why(error)), None
    restored = shape(way.schema_of(scratch)) == recorded.before
    return replace(reverse, restores_schema=restored), round(sum(each.seconds for each in tried), 6)


def _steps(way: Way, plan: Plan) -> Callable[[int], None]:
    """Tells that a statement comes next, a hundred times at most."""
    total = len(plan.statements)
    every = -(-total // _TOLD)

    def tell(done: int) -> None:
        if done % every == 0:
            way.tell(3 + done, f"rehearsing statement {done + 1} of {total}", more=total)

    return tell


def run_on(
    dialect: Dialect,
    scratch: Scratch,
    statements: Sequence[Statement],
    tell: Callable[[int], None] = lambda _done: None,
) -> tuple[tuple[Tried, ...], bool]:
    """Run them there: each statement with what was seen of it, and whether the server said more than the time."""
    with dialect.open_rehearsal(scratch, statements, limits=_LIMITS) as writer:
        look = writer.observing()
        tried = []
        for done, statement in enumerate(statements):
            tell(done)
            tried.append(_tried(writer, statement, look))
        return tuple(tried), look is not None


def _tried(writer: Writer, statement: Statement, look: Callable[[], Observed] | None) -> Tried:
    start = time.perf_counter()
    whole(statement, writer.run)
    seconds = round(time.perf_counter() - start, 6)
    seen = look() if look else Observed()
    return Tried(statement.n, seconds, seen.locks, seen.rewrites)


def _contents(way: Way, scratch: Scratch, tables: Sequence[Table]) -> Mapping[str, Held]:
    if not tables:
        return {}
    with way.dialect.open_rehearsal(scratch, (), limits=_LIMITS) as session:
        return contents(session, tables, mark=way.dialect.quote_mark, default=scratch.named)


def _failed(plan: Plan, error: MigrateError) -> RehearsalFailedError:
    n = error.details.get("statement")
    revision = next((statement.revision for statement in plan.statements if statement.n == n), None)
    return RehearsalFailedError(
        f"The plan fails on a scratch database: {error.sentence}",
        hint="The revision ran there, its frozen SQL does not: it counts on something that another statement or its "
        "Python did. Write it so that its SQL stands alone, and plan again.",
        statement=n,
        revision=revision,
        code=error.code,
    )


def _why(error: MigrateError) -> str:
    return f"rehearsing it failed: {error.sentence.rstrip('.')}"
