"""The one door: each tool call, built in or custom, passes `Pipeline.run`, and no other code calls a stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from mcp_migrate.approvals.demands import quorum
from mcp_migrate.errors import (
    CancelledError,
    ConfigInvalidError,
    CredentialFailedError,
    InternalError,
    LedgerUnavailableError,
    LockedError,
    MigrateError,
    TargetUnreachableError,
)
from mcp_migrate.ledger import Ledger
from mcp_migrate.model import Approved, Automatic, Call, Granted, Pending, Permitted, Plan, Validated
from mcp_migrate.redaction import Redactor
from mcp_migrate.settings import Settings, Target
from mcp_migrate.stages import approve, authorise, classify, execute, prepare, record, validate

if TYPE_CHECKING:
    from mcp_migrate.brokers import Broker
    from mcp_migrate.dialects.interface import Writer
    from mcp_migrate.tools.interface import Tool, Workbench

PLAN_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a caller may do while its call runs: follow it, and take it back until something is executed."""

    cancelled: Callable[[], bool] = lambda: False
    progress: execute.Progress = lambda _done, _total, _what: None


UNWATCHED = Watch()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Governs calls: scope, record, prepare, classify, scope again, approval, record, execute, validate, record."""

    settings: Settings
    ledger: Ledger
    bench: Workbench
    broker: Broker
    clock: Callable[[], datetime]
    ticks: Callable[[], float] = time.monotonic
    redactor: Redactor = field(default_factory=Redactor)
    user: str = ""
    running: set[str] = field(default_factory=set)
    pruned: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)

    def run(self, call: Call, tool: Tool, *, watch: Watch = UNWATCHED) -> Mapping[str, Any]:
        """Take one call through every stage and answer it.

        Raises:
            MigrateError: it was refused or failed; that is on the ledger too.
        """
        recorder = self._recorder()
        try:
            self._configured_once(recorder, call.principal)
            call = self.redactor.call(call)
            located = prepare.locate(call, tool, self.bench)
            granted = authorise.grant(located, self.settings, scope_name=tool.scope)
            recorder.received(granted, hold=tool.only_looks)
            self._settle(granted.call.target, recorder)
            self._prune_once(granted.call.target)
            return {"call_id": call.call_id, **self._granted(granted, tool, recorder, watch)}
        except LedgerUnavailableError:
            raise  # what cannot be recorded is not recorded; nothing was executed without its record
        except MigrateError as error:
            recorder.refused(call, error)
            raise
        except Exception as defect:  # the door: a defect behind it is recorded and answered, never shown
            known = _defect(call)
            recorder.refused(call, known)
            raise known from defect

    def refused(self, call: Call, error: MigrateError) -> None:
        """Record a call that was turned away before any stage saw it."""
        self._recorder().refused(self.redactor.call(call), error)

    def may_park(self, call: Call) -> bool:
        """Whether the record will hold all that is needed to make this call again."""
        return self.redactor.arguments(call.tool, call.arguments).whole

    def parked(self, call: Call, task_id: str, answer: Mapping[str, Any]) -> None:
        """Record that a call which waits for people does so in the background."""
        workflow, _ = self.settings.workflow_of(call.principal)
        self._recorder().parked(call, task_id, answer, workflow)

    def _recorder(self) -> record.Recorder:
        return record.Recorder(self.ledger, self.settings.workflows, self.redactor, ticks=self.ticks)

    def _granted(self, granted: Granted, tool: Tool, recorder: record.Recorder, watch: Watch) -> Mapping[str, Any]:
        prepared = prepare.prepare(granted, tool, replace(self.bench, progress=watch.progress))
        permitted = authorise.permit(classify.classify(prepared, self.settings), self.settings)
        if prepared.work is None:
            return self._answer(permitted, recorder)
        approved = approve.approve(permitted, self.settings, self.ledger, now=granted.call.at)
        if isinstance(approved, Pending):
            answer = approve.needed(approved, self.bench.review_url(approved.request_id))
            recorder.waits(approved, answer, approve.request_body(approved))
            return answer
        if watch.cancelled():
            raise CancelledError("The call was cancelled.", hint="Nothing was executed.")
        return self._execute(approved, recorder, watch)

    def ask_canary(self, call: Call, tool: Tool) -> str:
        """Put a question to people that has to be denied; the id of the request. Nothing ever runs it.

        Raises:
            MigrateError: the principal could not ask this, or nobody would be asked.
        """
        located = prepare.locate(self.redactor.call(call), tool, self.bench)
        granted = authorise.grant(located, self.settings, scope_name=tool.scope)
        prepared = prepare.prepare(granted, tool, self.bench)
        permitted = authorise.permit(classify.classify(prepared, self.settings), self.settings)
        pending = approve.canary(permitted, self.settings, self.ledger, now=call.at)
        recorder = self._recorder()
        recorder.asked_canary(pending, approve.request_body(pending))
        return pending.request_id

    def _answer(self, permitted: Permitted, recorder: record.Recorder) -> Mapping[str, Any]:
        classified = permitted.classified
        prepared = classified.prepared
        if prepared.present is None:
            raise TypeError(f"{prepared.granted.call.tool} neither answers nor works")
        asked = quorum(classified, self.settings)
        answer = dict(prepared.present(classified, asked))
        if prepared.plan is not None:
            answer["expires_at"] = (prepared.granted.call.at + PLAN_LIFETIME).isoformat()
            recorder.planned(prepared.granted, prepared.plan, expires_at=answer["expires_at"])
        recorder.answered(permitted, answer, rules=asked.rules if asked else ())
        return answer

    def _settle(self, name: str | None, recorder: record.Recorder) -> None:
        """Give each apply of this target whose server died its outcome, before anything else is said of the target.

        What runs in this process has its outcome soon, and what holds the target's lock may still be running.
        """
        for started in recorder.in_flight(name) if name else ():
            apply_id = str(started.subject)
            if apply_id in self.running:
                continue
            recorder.flush(at=self.clock())
            plan, target = Plan.thaw(started.body["plan"]), self.settings.target(str(name))
            with (
                suppress(LockedError, TargetUnreachableError, CredentialFailedError),
                execute.settle(
                    plan, apply_id=apply_id, target=target, broker=self.broker, began=recorder.began(started)
                ) as outcome,
            ):
                if recorder.is_open(apply_id):
                    recorder.settled(started, asdict(outcome), at=self.clock())

    def prune(self, name: str) -> tuple[str, ...]:
        """Remove the undo data of a target whose time is over, on the record before and after; the keys of it.

        Raises:
            TargetUnreachableError, LockedError, CredentialFailedError: it cannot be removed now.
        """
        recorder, target = self._recorder(), self.settings.target(name)
        over = execute.expired_undo(target, self.broker)
        if not over:
            return ()
        recorder.expired(name, [asdict(entry) for entry in over], at=self.clock())
        keys = execute.prune_undo(target, self.broker, keys={entry.key for entry in over})
        recorder.pruned(name, keys, at=self.clock())
        return keys

    def _prune_once(self, name: str | None) -> None:
        """With the first call about a target; what cannot be removed now is removed later."""
        if name is not None and name in self.settings.targets and name not in self.pruned:
            self.pruned.add(name)
            with suppress(LockedError, TargetUnreachableError, CredentialFailedError, ConfigInvalidError):
                self.prune(name)

    def _configured_once(self, recorder: record.Recorder, principal: str) -> None:
        """With the first call: whoever changed the configuration by hand changed it on the record.

        Without the key of what is redacted there is no first call, rather than an apply whose end cannot be told.
        """
        if not self.noted:
            self.redactor.key()
            recorder.configured(self.settings, by={"user": self.user, "principal": principal}, at=self.clock())
            self.noted.add(self.settings.digest)

    def _execute(self, approved: Approved, recorder: record.Recorder, watch: Watch) -> Mapping[str, Any]:
        call = approved.call
        apply_id = "apply_" + call.call_id.removeprefix("call_")
        target = self.settings.target(call.target) if call.target else None
        self.running.add(apply_id)
        try:
            recorder.started(approved, apply_id=apply_id, at=self.clock())
            return self._run(approved, apply_id, target, recorder, watch)
        finally:
            self.running.discard(apply_id)

    def _run(
        self, approved: Approved, apply_id: str, target: Target | None, recorder: record.Recorder, watch: Watch
    ) -> Mapping[str, Any]:
        health = validate.Health(target if approved.prepared.way_back else None)
        with (
            self._outcome(approved, apply_id, recorder),
            execute.execute(
                approved,
                apply_id=apply_id,
                target=target,
                broker=self.broker,
                progress=watch.progress,
                journal=record.Journal(recorder, approved, apply_id, self.clock),
                ready=health.before,
            ) as (executed, writer),
        ):
            validated = validate.validate(executed, writer)
            if writer is not None and (broken := health.after(validated, writer)):
                self._take_back(validated, writer, broken, recorder, watch)
        asked, answer = quorum(approved.permitted.classified, self.settings), _done(validated)
        recorder.finished(validated, at=self.clock(), answer=answer, rules=asked.rules if asked else ())
        if target is not None and approved.prepared.plan is not None:
            keep = {str(started.subject) for started in recorder.in_flight(str(approved.call.target))}
            execute.clear_marks(target, self.broker, keep=keep)
        return answer

    @contextmanager
    def _outcome(self, approved: Approved, apply_id: str, recorder: record.Recorder) -> Iterator[None]:
        """Whatever goes wrong inside, the step has an outcome on the record."""
        try:
            yield
        except Exception as error:
            known = error if isinstance(error, MigrateError) else _defect(approved.call)
            # What nobody knows is settled when the target can be asked.
            if not known.details.get("unknown") and recorder.is_open(apply_id):
                recorder.failed(approved, apply_id, known, at=self.clock())
            raise

    def _take_back(
        self, validated: Validated, writer: Writer, broken: validate.Broken, recorder: record.Recorder, watch: Watch
    ) -> NoReturn:
        """What stands is an apply like any other, and taking it back is one of its own, under the same lock.

        Raises:
            ValidationFailedError: it was taken back, or it stands. PartiallyAppliedError: a part of it does.
        """
        writer.finish()
        recorder.finished(validated, at=self.clock(), broken=broken)
        try:
            back = self._taken_back(validated, writer, broken, recorder, watch)
        except MigrateError as error:
            raise validate.not_taken_back(validated, broken, error) from error
        raise validate.taken_back(validated, broken, back)

    def _taken_back(
        self, validated: Validated, writer: Writer, broken: validate.Broken, recorder: record.Recorder, watch: Watch
    ) -> Validated:
        approved, apply_id = validated.executed.approved, validated.executed.apply_id
        if approved.prepared.way_back is None:
            raise TypeError("nobody knows the way back")
        classified = classify.classify(approved.prepared.way_back(), self.settings)
        permitted = authorise.way_back(approved.permitted, classified)
        back, back_id = approve.take_back(approved, permitted, Automatic(apply_id, broken)), f"{apply_id}_back"
        journal = record.Journal(recorder, back, back_id, self.clock)
        self.running.add(back_id)
        try:
            recorder.started(back, apply_id=back_id, at=self.clock())
            with (
                self._outcome(back, back_id, recorder),
                execute.go_on(back, writer, apply_id=back_id, progress=watch.progress, journal=journal) as executed,
            ):
                gone_back = validate.validate(executed, writer)
            recorder.finished(gone_back, at=self.clock())
        finally:
            self.running.discard(back_id)
        return gone_back


def _done(validated: Validated) -> Mapping[str, Any]:
    return {
        "status": "applied",
        "apply_id": validated.executed.apply_id,
        "revision": validated.revision,
        "fingerprint": validated.fingerprint,
        **validated.executed.output,
    }


def _defect(call: Call) -> InternalError:
    return InternalError(
        "The server has a defect and could not answer.",
        hint=f"Whatever had begun was rolled back. Report call {call.call_id} to whoever runs the server.",
    )
