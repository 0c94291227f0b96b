"""Does a rollback do on the target as it is now what it says, with the rows that were kept? Tried on a scratch copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from mcp_migrate.dialects.interface import Dialect, Limits, Scratch
from mcp_migrate.errors import MigrateError, RehearsalFailedError
from mcp_migrate.migrations.coming_back import Awaited, awaited, put_back
from mcp_migrate.migrations.giving_back import with_parents
from mcp_migrate.migrations.project import Project
from mcp_migrate.migrations.rehearsal import run_on
from mcp_migrate.migrations.scratch import read_schema, server_of
from mcp_migrate.model import Kept, Plan, Rehearsal, Restored, Undo
from mcp_migrate.schema import Schema, shape

_LIMITS = Limits(lock_timeout=10.0, statement_timeout=600.0)
_HINT = (
    "Nothing ran on the target, and nobody was asked. Have a person look at what stands in the way; a new revision can "
    "bring the target to where it should be."
)


class NotTriedError(RehearsalFailedError):
    """No scratch copy of the target, as it is now with what was kept, can be made here."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a rollback is tried on: a copy of the target as it was read, and the undo data of what is taken back.

    With more than `max_rows` rows together, no row is copied.
    """

    project: Project
    dialect: Dialect
    url: str
    live: Schema
    revisions: tuple[str, ...]
    undone: tuple[Undo, ...]
    max_rows: int

    @property
    def kept(self) -> tuple[Kept, ...]:
        """Everything that was kept, the newest first."""
        return tuple(kept for undo in self.undone for kept in undo.kept)


def try_back(plan: Plan, ground: Ground) -> Plan:
    """The plan with what was seen when it ran; where it could not be tried at all, it says why.

    It runs without rows first: how the schema is then says which tables those that come back refer to.

    Raises:
        RehearsalFailedError: a statement fails there, another schema came of it, or other rows than were kept.
    """
    if parked := dict.fromkeys(kept.table for kept in ground.kept if kept.ends):
        return replace(plan, untried=f"what is parked of {', '.join(parked)} is moved back, and cannot be copied")
    try:
        seen, after = _tried(plan, ground, None)
        again = _tried(plan, ground, after)[0] if ground.kept and ground.max_rows else None
        return replace(plan, rehearsal=again or seen)
    except NotTriedError as error:
        return replace(plan, untried=error.sentence.rstrip("."))


def _tried(plan: Plan, ground: Ground, after: Schema | None) -> tuple[Rehearsal | None, Schema]:
    """What was seen, and the schema it led to: with the rows, for a schema `after` it; None where they do not fit."""
    with _copy(plan, ground) as scratch:
        if not _filled(ground, scratch, after):
            return None, ground.live
        waited = _awaited(ground, scratch, after)
        try:
            tried, observed = run_on(ground.dialect, scratch, plan.statements)
        except MigrateError as error:
            raise _failed(error, with_rows=after is not None) from error
        became = read_schema(ground.dialect, scratch.url, plan.version_table)
        if plan.expected_fingerprint not in {None, shape(became)}:
            raise RehearsalFailedError("The rollback leads to another schema than the one it goes back to.", hint=_HINT)
        given = _compared(ground, scratch, waited) if after else None
        seconds = _forth(plan, ground, scratch)
        seen = Rehearsal(
            server=server_of(ground.dialect, scratch.url),
            target_server=server_of(ground.dialect, ground.url),
            observed=observed,
            statements=tried,
            rollback_seconds=seconds,
            rollback_restored=seconds is not None,
            put_back=given,
        )
    return seen, became


@contextmanager
def _copy(plan: Plan, ground: Ground) -> Iterator[Scratch]:
    """A scratch database like the target as it is now, without rows. Raises: NotTriedError."""
    with ExitStack() as stack:
        try:
            scratch = _standing(plan, ground, stack)
        except MigrateError as error:  # the project may be broken by now: a rollback must not depend on it
            raise NotTriedError(f"no scratch copy can be made: {error.sentence}", hint=error.hint) from error
        if shape(read_schema(ground.dialect, scratch.url, plan.version_table)) != plan.base_fingerprint:
            raise NotTriedError("no scratch copy can be made that has the schema of the target", hint=_HINT)
        yield scratch


def _standing(plan: Plan, ground: Ground, stack: ExitStack) -> Scratch:
    """From what was read; where that cannot be, by the revisions."""
    scratch, table = stack.enter_context(ground.dialect.open_scratch(ground.url)), plan.version_table
    if scratch.holds_schema:
        return scratch
    rows = ground.revisions
    if ground.dialect.remake(scratch, ground.live, source=ground.url, version_table=table, revisions=rows):
        return scratch
    start = plan.from_revision
    return stack.enter_context(ground.project.standing_at(ground.dialect, ground.url, start, table))


def _filled(ground: Ground, scratch: Scratch, after: Schema | None) -> bool:
    """Make the places of what was kept; with all rows if there is an `after`. Raises: NotTriedError."""
    keys = [undo.key for undo in ground.undone if undo.kept]
    most = ground.max_rows if after else 0
    copied = ground.dialect.copy_kept(ground.url, scratch, keys, most=most)
    if copied is None:
        raise NotTriedError("the undo data cannot be made on a scratch database", hint=_HINT)
    if after is None or not 0 < copied <= most:
        return after is None
    names = {kept.table for kept in ground.kept}
    there = {table.qualified for table in ground.live.tables}
    back = [table for table in after.tables if table.qualified in names]
    tables = [name for name in with_parents(back, after) if name in there]
    return ground.dialect.copy_rows(ground.url, scratch, tables, most=most - copied)


def _awaited(ground: Ground, scratch: Scratch, after: Schema | None) -> tuple[Awaited, ...]:
    keeper = ground.dialect.keeper()
    if after is None or keeper is None:
        return ()
    try:
        with ground.dialect.open_rehearsal(scratch, (), limits=_LIMITS) as session:
            return awaited(session, ground.kept, keeper, after, default=scratch.named)
    except MigrateError as error:
        raise NotTriedError(f"what was kept cannot be read: {error.sentence}", hint=error.hint) from error


def _compared(ground: Ground, scratch: Scratch, waited: tuple[Awaited, ...]) -> tuple[Restored, ...]:
    """Raises: RehearsalFailedError: others came back than were kept."""
    with ground.dialect.open_rehearsal(scratch, (), limits=_LIMITS) as session:
        found = put_back(session, waited)
    if others := [each.table for each in found if not each.same]:
        raise RehearsalFailedError(
            f"On a scratch copy of the target other rows came back into {', '.join(others)} than were kept.", hint=_HINT
        )
    return found


def _forth(plan: Plan, ground: Ground, scratch: Scratch) -> float | None:
    """How long it took to take the rollback back; None where that failed or did not lead back."""
    try:
        tried, _observed = run_on(ground.dialect, scratch, plan.reverse.statements)
    except MigrateError:
        return None
    if shape(read_schema(ground.dialect, scratch.url, plan.version_table)) != plan.base_fingerprint:
        return None
    return round(sum(each.seconds for each in tried), 6)


def _failed(error: MigrateError, *, with_rows: bool) -> RehearsalFailedError:
    on = "with the rows that were kept" if with_rows else "without rows"
    return RehearsalFailedError(
        f"The rollback fails on a scratch copy of the target, {on}: {error.sentence}",
        hint=_HINT,
        statement=error.details.get("statement"),
        code=error.code,
    )
