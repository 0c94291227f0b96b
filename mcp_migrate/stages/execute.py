"""Who can write to a target? This module, nobody else, and only with an `Approved` in hand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Protocol

from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.keys import Keys
from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Dialect, Limits, Writer
from mcp_migrate.dialects.keeper import Entry
from mcp_migrate.dialects.patience import until_free
from mcp_migrate.dialects.readiness import nobody_is_long_at_it, rows_fit, same_rows, same_start
from mcp_migrate.dialects.settlement import Settled, not_ran, settled
from mcp_migrate.errors import (
    LockedError,
    MigrateError,
    PartiallyAppliedError,
    PlanStaleError,
)
from mcp_migrate.model import Approved, Executed, LeftHead, Plan, Read, Statement
from mcp_migrate.settings import Target

_GO_ON = (
    'Call migration_plan with to: "finish" for the statements that did not run, or with to: "undo" to take back those '
    "that did; nothing else runs on this target until then."
)

Progress = Callable[[int, int, str], None]
"""Called with statements done, statements in all and a word on the one that comes next."""


class Journal(Protocol):
    """What has to be on the record while an apply runs; each entry is durable when its method returns."""

    def may_run(self) -> bool:
        """Whether this apply has no outcome, and no other of its target stopped part way since it began."""
        ...

    def others(self) -> Collection[str]:
        """The other applies of this target that have no outcome."""
        ...

    def head(self, left: Sequence[LeftHead]) -> LeftHead:
        """What the ledger is now. Raises: LedgerCorruptError: it does not continue the newest that applies `left`."""
        ...

    def began(self, statement: Statement, *, clear: bool) -> None:
        """This statement, which no transaction takes back, is about to be sent.

        `clear` says that nothing is there that looks as if it had failed before.
        """
        ...

    def ended(self, statement: Statement, error: MigrateError | None) -> None:
        """It ran, or the database refused it."""
        ...


@contextmanager
def execute(
    approved: Approved,
    *,
    apply_id: str,
    target: Target | None,
    keys: Keys,
    progress: Progress,
    journal: Journal,
    ready: Callable[[Writer], None] = lambda _writer: None,
) -> Iterator[tuple[Executed, Writer | None]]:
    """Do the work. Leaving the context commits; an exception inside it rolls back.

    `journal` is asked under the target's lock whether another apply came in between. `ready` looks at the target just
    before the first statement.

    Raises:
        PlanStaleError: the target is no longer what the plan was made for.
        LockedError, LockTimeoutError, StatementFailedError, PartiallyAppliedError: as `dialects.interface`.
    """
    plan = approved.prepared.plan
    if plan is None or target is None:
        yield _work(approved, apply_id, _no_database), None
        return
    trial = _Trial(approved, plan, apply_id, target, progress, journal, ready)
    objects = approved.permitted.classified.objects
    with (
        keys.credential(plan.target, Purpose.APPLY, objects) as url,
        _told_whole(plan),
        until_free(lambda: trial.at(url), target.limits.lock_retries + 1, trial.waits) as (executed, writer),
    ):
        yield executed, writer


@dataclass(frozen=True, slots=True)
class _Trial:
    """One attempt to run a plan; what `execute` was given for it."""

    approved: Approved
    plan: Plan
    apply_id: str
    target: Target
    progress: Progress
    journal: Journal
    ready: Callable[[Writer], None]

    @contextmanager
    def at(self, url: str) -> Iterator[tuple[Executed, Writer]]:
        """Look whether everything is as it was agreed to, then run each statement; leaving commits."""
        classified, limits = self.approved.permitted.classified, self.target.limits
        with _writer(self.approved, self.plan, url, self.target) as writer:
            _ready(self.approved, self.plan, writer, self.journal)
            nobody_is_long_at_it(classified, writer, limits.oldest_transaction)
            rows_fit(self.plan, writer)
            self.ready(writer)
            _mark(writer, self.plan, self.apply_id, self.journal, self.target)
            run = _recording(writer, self.journal, _alone(dialect_for(url)))
            yield _work(self.approved, self.apply_id, _counting(self.plan, writer, self.progress, run)), writer

    def waits(self, what: str) -> None:
        """Nothing of it ran yet."""
        self.progress(0, len(self.plan.statements), what)


@contextmanager
def go_on(
    approved: Approved, writer: Writer, *, apply_id: str, target: Target, progress: Progress, journal: Journal
) -> Iterator[Executed]:
    """Do the work of another approval under the same lock, after what ran before it was committed.

    Raises:
        PlanStaleError, StatementFailedError, PartiallyAppliedError, LockTimeoutError: as `execute`.
    """
    plan = approved.prepared.plan
    if plan is None:
        raise TypeError("there is no plan to go on with")
    with _told_whole(plan), writer.follow(plan.statements):
        _ready(approved, plan, writer, journal)
        _mark(writer, plan, apply_id, journal, target)
        run = _recording(writer, journal, _alone(dialect_for(plan.dialect)))
        yield _work(approved, apply_id, _counting(plan, writer, progress, run))


@contextmanager
def _told_whole(plan: Plan) -> Iterator[None]:
    """Say of a partial apply which statements did not run, beside those that did."""
    try:
        yield
    except PartiallyAppliedError as error:
        if not error.details.get("unknown"):
            error.details = {**error.details, "not_ran": not_ran(plan, error.details)}
            error.hint = f"{error.hint} {_GO_ON}"
        raise


def _ready(approved: Approved, plan: Plan, writer: Writer, journal: Journal) -> None:
    """Under the target's lock: no other apply came in between, it is that database, and where the plan starts."""
    if not journal.may_run() or any(writer.mark(other) for other in journal.others()):
        raise LockedError(
            "Another apply of this target came first, and its outcome counts.",
            hint="Nothing ran. Make the same call again: it says what there is to do then.",
        )
    _same_database(approved, writer)
    same_start(plan, writer)


def _mark(writer: Writer, plan: Plan, apply_id: str, journal: Journal, target: Target) -> None:
    writer.leave_mark(apply_id, plan.digest)
    if target.marker:
        writer.leave_head(journal.head(writer.heads()))


@contextmanager
def settle(
    plan: Plan, *, apply_id: str, target: Target, keys: Keys, began: Mapping[int, bool] | None = None
) -> Iterator[Settled]:
    """Find out from the mark it left, holding the target's lock so that it cannot be running; no statement is sent.

    `began` are the statements outside of transactions of whose end the record says nothing, if it was kept.

    Raises:
        LockedError: it may still be running.
    """
    limits = Limits(lock_timeout=0.0, statement_timeout=target.limits.statement_timeout)
    with (
        keys.credential(plan.target, Purpose.APPLY) as url,
        dialect_for(url).open_writer(url, (), limits=limits) as writer,
    ):
        mark = writer.mark(apply_id)
        yield settled(plan, mark, writer, began)


def clear_marks(plan: Plan, keys: Keys, *, keep: Collection[str]) -> None:
    """Outcomes are on the record: the marks of all applies but those to `keep` are not needed any more."""
    if dialect_for(plan.dialect).marks_stay:
        return
    with keys.credential(plan.target, Purpose.APPLY) as url:
        dialect_for(url).clear_marks(url, keep=keep)


def expired_undo(target: str, keys: Keys) -> tuple[Entry, ...]:
    """The undo data on a target whose time is over by the target's own clock. Only reads."""
    with keys.credential(target, Purpose.READ) as url, dialect_for(url).open_reader(url) as reader:
        entries = reader.kept() or ()
        over = {entry.key: True for entry in entries}
        for entry in entries:
            over[entry.key] &= entry.over
    return tuple(entry for entry in entries if over[entry.key])


def prune_undo(target: str, keys: Keys, *, over: Collection[str]) -> tuple[str, ...]:
    """Remove undo data whose time is over; what is not over stays, whoever asks. The keys of what was removed."""
    with keys.credential(target, Purpose.PRUNE) as url:
        return dialect_for(url).prune(url, keys=over)


@contextmanager
def _writer(approved: Approved, plan: Plan, url: str, target: Target) -> Iterator[Writer]:
    """Open the only session that may change a target: for the statements of this approval."""
    limits = Limits(target.limits.lock_timeout, target.limits.statement_timeout)
    if approved.prepared.plan is not plan:
        raise PlanStaleError(
            "The approval is for another plan.", hint="Call migration_plan again and apply the new plan."
        )
    with dialect_for(url).open_writer(url, plan.statements, limits=limits) as writer:
        yield writer


def _same_database(approved: Approved, writer: Writer) -> None:
    """What people agreed to, or what was looked at, is this database and not another behind the same URL."""
    if approved.prepared.identity is None:
        raise TypeError("a plan is about to run and nobody looked which database it is for")
    if dict(approved.prepared.identity) != dict(writer.identity()):
        raise PlanStaleError(
            "The target is another database than the one this was approved for.",
            hint="Nothing ran. Make the same call again: it is asked anew, about the database that is there now.",
        )


def _alone(dialect: Dialect) -> Callable[[Statement], bool]:
    """Whether no transaction takes a statement back."""
    return lambda statement: not statement.transactional or dialect.commits(statement.sql)


def _recording(writer: Writer, journal: Journal, alone: Callable[[Statement], bool]) -> Callable[[Statement], int]:
    """Run a statement; one that no transaction takes back is on the record before and after.

    One in batches is so before the first and after the last of them.
    """
    under_way: set[int] = set()

    def run(statement: Statement) -> int:
        if not alone(statement):
            return writer.run(statement)
        before = None if statement.batches else writer.left_by(statement)
        if statement.n not in under_way:
            journal.began(statement, clear=before is None)
        under_way.add(statement.n)
        try:
            touched = writer.run(statement)
        except MigrateError as error:
            left = None if before or error.details.get("unknown") else writer.left_by(statement)
            if left is not None:  # it was not there before, so it is of this statement
                error.details = {**error.details, "left": asdict(left)}
            journal.ended(statement, error)
            raise
        if not (statement.batches and touched):
            journal.ended(statement, None)
        return touched

    return run


def _counting(
    plan: Plan, writer: Writer, progress: Progress, send: Callable[[Statement], int]
) -> Callable[[Statement], int]:
    reads: dict[int, list[Read]] = {}
    for read in plan.reads:
        reads.setdefault(read.before, []).append(read)

    def run(statement: Statement) -> int:
        for read in reads.get(statement.n, ()):
            same_rows(read, writer)
        progress(statement.n - 1, len(plan.statements), f"statement {statement.n}")
        return send(statement)

    return run


def _work(approved: Approved, apply_id: str, run: Callable[[Statement], int]) -> Executed:
    work = approved.prepared.work
    if work is None:
        raise TypeError("a call without work was approved")
    return Executed(approved, apply_id, work(approved, run))


def _no_database(statement: Statement) -> int:
    raise TypeError(f"this tool has no target to send statement {statement.n} to")
