"""Which way does a call take through the stages? Each tool call, built in or custom, passes `Pipeline.run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mcp_migrate.approvals.demands import quorum
from mcp_migrate.approvals.limits import open_scopes
from mcp_migrate.approvals.waiting import needed
from mcp_migrate.brokers.keys import Keys
from mcp_migrate.errors import (
    CancelledError,
    ConfigInvalidError,
    CredentialFailedError,
    LedgerUnavailableError,
    MigrateError,
    TooManyRequestsError,
)
from mcp_migrate.leave.circumstances import Circumstances
from mcp_migrate.leave.delegation import spent
from mcp_migrate.leave.freezing import Frozen, frozen
from mcp_migrate.leave.policy import Policy
from mcp_migrate.leave.revoking import revoked
from mcp_migrate.leave.running import running_before
from mcp_migrate.leave.separation import before, planned_at
from mcp_migrate.leave.tempo import Tempo, keeps_trying, tempo
from mcp_migrate.ledger import Ledger
from mcp_migrate.model import Approved, Call, Granted, Pending, Permitted
from mcp_migrate.pipeline.steps import UNWATCHED, Steps, Watch, defect
from mcp_migrate.pipeline.upkeep import Upkeep
from mcp_migrate.redaction import Redactor
from mcp_migrate.settings import Settings, Target
from mcp_migrate.stages import approve, authorise, classify, prepare, record

if TYPE_CHECKING:
    from mcp_migrate.brokers.interface import Broker
    from mcp_migrate.tools.interface import Tool, Workbench

_PLAN_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Governs calls: scope, record, prepare, classify, scope again, approval, record, execute, validate, record."""

    settings: Settings
    ledger: Ledger
    bench: Workbench
    broker_for: Callable[[Target], Broker]
    clock: Callable[[], datetime]
    redactor: Redactor
    user: str
    policy: Policy
    first: Callable[[], None]
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
            around = self._around(located, tool)
            granted = authorise.grant(located, self.settings, around, scope_name=tool.scope, by_people=tool.by_people)
            recorder.received(granted, hold=tool.only_looks, plans=tool.plans)
            if tool.plans:
                authorise.beside(granted, self.settings, self._running(granted))
            with self._keys(recorder, granted) as keys:
                upkeep = self._upkeep(keys)
                upkeep.settle(granted.call.target, recorder)
                upkeep.prune_once(granted.call.target, recorder)
                answer = self._granted(granted, tool, recorder, watch, keys=keys, around=around)
                return {"call_id": call.call_id, **answer}
        except LedgerUnavailableError:
            raise  # what cannot be recorded is not recorded; nothing was executed without its record
        except MigrateError as error:
            recorder.refused(call, error)
            self._pause(call, recorder)
            raise
        except Exception as error:  # the door: a defect behind it is recorded and answered, never shown
            known = defect(call)
            recorder.refused(call, known)
            raise known from error

    def refused(self, call: Call, error: MigrateError) -> None:
        """Record a call that was turned away before any stage saw it."""
        recorder = self._recorder()
        recorder.refused(self.redactor.call(call), error)
        self._pause(call, recorder)

    def may_park(self, call: Call) -> bool:
        """Whether the record will hold all that is needed to make this call again."""
        return self.redactor.arguments(call.tool, call.arguments).whole

    def parked(self, call: Call, task_id: str, answer: Mapping[str, Any]) -> None:
        """Record that a call which waits for people does so in the background."""
        workflow, _ = self.settings.workflow_of(call.principal)
        self._recorder().parked(call, task_id, answer, workflow)

    def prune(self, name: str) -> tuple[str, ...]:
        """Remove the undo data of a target whose time is over, on the record before and after; the keys of it.

        Raises:
            TargetUnreachableError, LockedError, CredentialFailedError: it cannot be removed now.
        """
        with self.keys() as keys:
            return self._upkeep(keys).prune(name, self._recorder())

    def sweep(self) -> None:
        """Remove the credentials that dead servers left on targets; what cannot be reached now is swept later."""
        with self.keys() as keys:
            for name in self.settings.targets:
                with suppress(CredentialFailedError, ConfigInvalidError):
                    keys.sweep(name)

    def keys(self) -> Keys:
        """Credentials for what a person does on the command line, or the server by itself."""
        return Keys(self.settings.target, self.broker_for, record.Register(self._recorder(), self.clock), self.user)

    def _keys(self, recorder: record.Recorder, granted: Granted) -> Keys:
        register = record.Register(recorder, self.clock, granted.workflow, granted.call.call_id)
        return Keys(self.settings.target, self.broker_for, register, granted.call.principal)

    def _upkeep(self, keys: Keys) -> Upkeep:
        return Upkeep(self.settings, keys, self.clock, self.running, self._held, self.pruned)

    def _recorder(self) -> record.Recorder:
        return record.Recorder(self.ledger, self.settings.workflows, self.redactor)

    def _held(self, target: str | None) -> Frozen | None:
        """What keeps a target as it is now. A configuration that nobody vouches for is told of, and keeps them all."""
        if (found := self.policy.objection(self.ledger)) is not None:
            change = self.policy.change()
            if change is not None and change.digest not in self.noted:
                self._recorder().policy_changed(change, at=self.clock())
                self.noted.add(change.digest)
            return found
        return frozen(target, self.settings, self.ledger) if target is not None else None

    def _around(self, call: Call, tool: Tool) -> Circumstances:
        """What is around a call before anything is read."""
        return Circumstances(
            tempo=self._tempo(call),
            opened=self._opened(call, tool.scope),
            revoked=revoked(call.caller, self.ledger),
        )

    def _opened(self, call: Call, scope_name: str) -> frozenset[int]:
        """The scopes whose `while` holds now."""
        return open_scopes(call, self.settings, self.ledger, scope_name=scope_name, now=self.clock())

    def _running(self, granted: Granted) -> int:
        """How many plans its workflow makes or runs already, on all servers; 0 where it may have any number."""
        if self.settings.workflows[granted.workflow].limits.plans_at_once is None:
            return 0
        return running_before(granted.call.call_id, granted.workflow, self.ledger, now=granted.call.at)

    def _tempo(self, call: Call, *, recorded: bool = False) -> Tempo:
        """How fast its workflow goes; where the call itself is `recorded`, counted up to its first entry."""
        name, workflow = self.settings.workflow_of(call.principal)
        before = call.call_id if recorded else None
        return tempo(call.principal, name, workflow, self.ledger, now=call.at, before=before)

    def _again(self, approved: Approved) -> None:
        """Under the target's lock, before the first statement: waiting for it may have taken a while."""
        granted = approved.prepared.granted
        around = Circumstances(
            frozen=self._held(granted.call.target),
            tempo=self._tempo(granted.call, recorded=True),
            opened=self._opened(granted.call, granted.scope_name),
            spent=spent(granted.call.caller.grants, self.ledger, before=granted.call.call_id),
            revoked=revoked(granted.call.caller, self.ledger),
        )
        authorise.again(approved.permitted, self.settings, around, at=self.clock())

    def _pause(self, call: Call, recorder: record.Recorder) -> None:
        """Have a principal wait that keeps trying what is refused."""
        workflow = next((w for w in self.settings.workflows.values() if call.principal in w.members), None)
        if workflow is None:
            return
        if (found := keeps_trying(call.principal, workflow, self.ledger, now=call.at)) is not None:
            recorder.paused(call, refusals=found[0], until=found[1])

    def _granted(
        self,
        granted: Granted,
        tool: Tool,
        recorder: record.Recorder,
        watch: Watch,
        *,
        keys: Keys,
        around: Circumstances,
    ) -> Mapping[str, Any]:
        watched = replace(self.bench, progress=watch.progress, given_up=watch.cancelled)
        bench = prepare.opened_with(keys, tool, watched)
        prepared = prepare.prepare(granted, tool, bench)
        around = replace(
            around,
            taken=before(prepared, self.settings, self.ledger),
            frozen=self._held(granted.call.target) if prepared.work else None,
            planned_at=planned_at(prepared, self.ledger),
            spent=spent(granted.call.caller.grants, self.ledger),
        )
        permitted = authorise.permit(classify.classify(prepared, self.settings), self.settings, around)
        if prepared.work is None:
            return self._answer(permitted, recorder)
        if prepared.meets is not None:
            prepared.meets()
        approved = approve.approve(permitted, self.settings, self.ledger, now=granted.call.at)
        if isinstance(approved, Pending):
            return self._waits(approved, recorder)
        if watch.cancelled():
            raise CancelledError("The call was cancelled.", hint="Nothing was executed.")
        keys.revoke()  # what it was prepared with
        return Steps(self.settings, keys, self.clock, self.running, self._again).execute(approved, recorder, watch)

    def _waits(self, pending: Pending, recorder: record.Recorder) -> Mapping[str, Any]:
        """Put the question to people, where it was not put before, and answer that they have to decide."""
        if pending.fresh:
            recorder.asked(pending, approve.request_body(pending))
            try:
                approve.keep_room(pending, self.settings, self.ledger)
            except TooManyRequestsError:
                recorder.one_too_many(pending)
                raise
        answer = needed(pending, self.bench.review_url(pending.request_id))
        recorder.waits(pending, answer)
        return answer

    def ask_canary(self, call: Call, tool: Tool) -> str:
        """Put a question to people that has to be denied; the id of the request. Nothing ever runs it.

        Raises:
            MigrateError: the principal could not ask this, or nobody would be asked.
        """
        located = prepare.locate(self.redactor.call(call), tool, self.bench)
        nothing = Circumstances(opened=self._opened(located, tool.scope), runs=False)
        granted = authorise.grant(located, self.settings, nothing, scope_name=tool.scope, by_people=tool.by_people)
        recorder = self._recorder()
        with self._keys(recorder, granted) as keys:
            prepared = prepare.prepare(granted, tool, prepare.opened_with(keys, tool, self.bench))
            classified = classify.classify(prepared, self.settings)
            permitted = authorise.permit(classified, self.settings, nothing)
        pending = approve.canary(permitted, self.settings, self.ledger, now=call.at)
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
            answer["expires_at"] = (prepared.granted.call.at + _PLAN_LIFETIME).isoformat()
            recorder.planned(prepared.granted, prepared.plan, expires_at=answer["expires_at"])
            authorise.planned(prepared.granted, self.settings, self._tempo(prepared.granted.call, recorded=True))
        recorder.answered(permitted, answer, rules=asked.rules if asked else ())
        return answer

    def _configured_once(self, recorder: record.Recorder, principal: str) -> None:
        """With the first call: whoever changed the configuration by hand changed it on the record, after `first`.

        Without the key of what is redacted there is no first call, rather than an apply whose end cannot be told.
        """
        if not self.noted:
            self.redactor.key()
            self.first()
            by = {"user": self.user, "principal": principal}
            recorder.configured(self.settings, by=by, signed=self.policy.told(), at=self.clock())
            self.noted.add(self.settings.digest)
