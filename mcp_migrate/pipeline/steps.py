"""How does an approved call run to an outcome that is on the record, and how is what it did taken back?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from mcp_migrate.approvals.demands import quorum
from mcp_migrate.brokers.sealing import refuse_unsealed
from mcp_migrate.errors import BeyondDeclaredError, InternalError, MigrateError, NotSealedError
from mcp_migrate.model import Approved, Automatic, Call, Validated
from mcp_migrate.settings import Settings, Target
from mcp_migrate.stages import approve, authorise, classify, execute, record, validate

if TYPE_CHECKING:
    from mcp_migrate.brokers.keys import Keys
    from mcp_migrate.dialects.interface import Writer


@dataclass(frozen=True, slots=True)
class Watch:
    """What a caller may do while its call runs: follow it, and take it back until something is executed."""

    cancelled: Callable[[], bool] = lambda: False
    progress: execute.Progress = lambda _done, _total, _what: None


UNWATCHED = Watch()


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one pipeline; `running` are the applies that have no outcome yet because they run here."""

    settings: Settings
    keys: Keys
    clock: Callable[[], datetime]
    running: set[str]
    again: Callable[[Approved], None]

    def execute(self, approved: Approved, recorder: record.Recorder, watch: Watch) -> Mapping[str, Any]:
        """Do what was approved, on the record before and after. Raises: MigrateError."""
        call = approved.call
        apply_id = "apply_" + call.call_id.removeprefix("call_")
        target = self.settings.target(call.target) if call.target else None
        self._sealed(approved, target, recorder)
        self.running.add(apply_id)
        try:
            return self._run(approved, apply_id, target, recorder, watch)
        finally:
            self.running.discard(apply_id)

    def _sealed(self, approved: Approved, target: Target | None, recorder: record.Recorder) -> None:
        """Before anything of the approval is used up. Raises: NotSealedError, CredentialFailedError."""
        try:
            refuse_unsealed(approved.prepared.plan, target)
        except NotSealedError:
            recorder.seal_asked(approved)
            raise

    def _run(
        self, approved: Approved, apply_id: str, target: Target | None, recorder: record.Recorder, watch: Watch
    ) -> Mapping[str, Any]:
        health = validate.Health(target if approved.prepared.way_back else None)
        recorder.started(approved, apply_id=apply_id, at=self.clock(), checked=health.asked)
        with (
            self._outcome(approved, apply_id, recorder),
            execute.execute(
                approved,
                apply_id=apply_id,
                target=target,
                keys=self.keys,
                progress=watch.progress,
                journal=record.Journal(recorder, approved, apply_id, self.clock),
                ready=partial(self._ready, health, approved),
            ) as (executed, writer),
        ):
            validated = validate.validate(executed, writer)
            if writer is not None and (broken := health.after(validated, writer)):
                self._take_back(validated, writer, broken, recorder, watch)
        asked, answer = quorum(approved.permitted.classified, self.settings), _done(validated)
        recorder.finished(validated, at=self.clock(), answer=answer, rules=asked.rules if asked else ())
        if approved.prepared.plan is not None:
            keep = {str(started.subject) for started in recorder.unfinished.in_flight(str(approved.call.target))}
            execute.clear_marks(approved.prepared.plan, self.keys, keep=keep)
        return answer

    def _ready(self, health: validate.Health, approved: Approved, writer: Writer) -> None:
        self.again(approved)
        health.before(writer)

    @contextmanager
    def _outcome(self, approved: Approved, apply_id: str, recorder: record.Recorder) -> Iterator[None]:
        """Whatever goes wrong inside, the step has an outcome on the record."""
        try:
            yield
        except Exception as error:
            known = error if isinstance(error, MigrateError) else defect(approved.call)
            for each in (error, error.__cause__):  # what stands hides why it ended
                if isinstance(each, BeyondDeclaredError):
                    recorder.exceeded(approved, each, at=self.clock())
            # What nobody knows is settled when the target can be asked.
            if not known.details.get("unknown") and recorder.unfinished.is_open(apply_id):
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
        target = self.settings.target(str(approved.call.target))
        journal = record.Journal(recorder, back, back_id, self.clock)
        self.running.add(back_id)
        try:
            recorder.started(back, apply_id=back_id, at=self.clock())
            with (
                self._outcome(back, back_id, recorder),
                execute.go_on(
                    back, writer, apply_id=back_id, target=target, progress=watch.progress, journal=journal
                ) as executed,
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


def defect(call: Call) -> InternalError:
    """What is answered instead of a failure that nobody foresaw."""
    return InternalError(
        "The server has a defect and could not answer.",
        hint=f"Whatever had begun was rolled back. Report call {call.call_id} to whoever runs the server.",
    )
