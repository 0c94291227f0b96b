"""Which entry says what? Nothing but this writes what calls do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mcp_migrate.errors import BeyondDeclaredError, MigrateError
from mcp_migrate.leave.policy import PolicyChange
from mcp_migrate.leave.stopped_tools import stopped
from mcp_migrate.leave.tempo import Pauses
from mcp_migrate.ledger import Draft, Event, Head, Kind, Ledger
from mcp_migrate.ledger.continuing import refuse_other
from mcp_migrate.model import (
    Approved,
    Call,
    Granted,
    LeftHead,
    Pending,
    Permitted,
    Plan,
    Validated,
)
from mcp_migrate.redaction import Redactor, told
from mcp_migrate.settings import Settings, Workflow
from mcp_migrate.stages.record import applies, bodies, states
from mcp_migrate.stages.record.unfinished import Unfinished


class Recorder:
    """Writes what happens to one ledger: made when a call begins, so that it knows how long that took."""

    def __init__(self, ledger: Ledger, workflows: Mapping[str, Workflow], redactor: Redactor | None = None) -> None:
        self._ledger = ledger
        self._workflows = workflows
        self._redactor = redactor or Redactor()
        self._began = time.monotonic()
        self._held: tuple[Draft, ...] = ()

    @property
    def _milliseconds(self) -> int:
        return round((time.monotonic() - self._began) * 1000)

    def configured(
        self, settings: Settings, *, by: Mapping[str, str], at: datetime, signed: Mapping[str, str] | None = None
    ) -> None:
        """Which configuration holds, who started with it, and who may do what by it, whenever that is another one."""
        known = self._ledger.last(Kind.CONFIG_LOADED)
        if known and (known[0].body["digest"], known[0].body.get("signed")) == (settings.digest, signed):
            return
        body = bodies.configured(settings, known[0].body if known else None, by=by, signed=signed)
        self.write(Draft(Kind.CONFIG_LOADED, body), at=at)

    def policy_changed(self, change: PolicyChange, *, at: datetime) -> None:
        """The configuration is another one since this server began, and who would gain or lose what by it."""
        self.write(Draft(Kind.CONFIG_CHANGED, change.told()), at=at)

    def received(self, granted: Granted, *, hold: bool = False, plans: bool = False) -> None:
        """The call, who makes it for whom and why, and the scopes that may allow it; whether it makes or runs a plan.

        With `hold` it is written together with whatever is written next: for a call that does nothing before its
        answer leaves.
        """
        body = {**told.called(granted.call, self._redactor), "owner": granted.owner, "scopes": list(granted.scopes)}
        body |= {"plans": True} if plans else {}
        self._held = (Draft(Kind.CALL_RECEIVED, body, workflow=granted.workflow, call_id=granted.call.call_id),)
        if not hold:
            self.flush(at=granted.call.at)

    def flush(self, *, at: datetime) -> None:
        """Write what was held: something happens now."""
        if self._held:
            self.write(at=at)

    def refused(self, call: Call, error: MigrateError) -> None:
        """The call did not do what it asked for, and why."""
        workflow = next((n for n, w in self._workflows.items() if call.principal in w.members), None)
        redactor, until = self._redactor, self._ledger.current(Pauses).until(call.principal)
        if until is not None and call.at < until:  # it goes on all the same
            redactor = redactor.briefly()
            call = redactor.call(call)
        why = told.refused(call, error, redactor)
        body = {**told.called(call, redactor), **why, "ms": self._milliseconds}
        self._append(call, Kind.CALL_REFUSED, body, workflow)

    def paused(self, call: Call, *, refusals: int, until: datetime) -> None:
        """The principal kept trying what was refused, and has to wait."""
        name, workflow = next((n, w) for n, w in self._workflows.items() if call.principal in w.members)
        owner = f"{workflow.owner.name} <{workflow.owner.email}>"
        said = {"principal": call.principal, "owner": owner, "refusals": refusals, "until": until.isoformat()}
        self._append(call, Kind.PRINCIPAL_PAUSED, said, name, subject=call.principal)

    def parked(self, call: Call, task_id: str, answer: Mapping[str, Any], workflow: str) -> None:
        """The call waits in the background under this id, with all that is needed to make it again."""
        body = {**told.called(call, self._redactor), "call_arguments": dict(call.arguments), "answer": answer}
        self._append(call, Kind.CALL_PARKED, body, workflow, subject=task_id)

    def answered(self, permitted: Permitted, answer: Mapping[str, Any], *, rules: Sequence[str]) -> None:
        """A call that only read was answered: the digest of the answer, never the answer, and what it was about."""
        prepared = permitted.classified.prepared
        self.write(self._end(permitted, "answered", answer, rules, about=prepared.subject), at=prepared.granted.call.at)

    def continued(self, left: LeftHead | None) -> Head:
        """The ledger's head, once it is seen to continue what an earlier apply left in its target.

        Raises:
            LedgerCorruptError: it does not.
        """
        refuse_other(self._ledger, [left] if left else [])
        return self._ledger.head()

    def planned(self, granted: Granted, plan: Plan, *, expires_at: str) -> None:
        """The frozen plan, so that what is applied later is what was planned."""
        rehearsal = plan.rehearsal.told() if plan.rehearsal else None
        body = {
            "plan": plan.frozen(),
            "digest": plan.digest,
            "rehearsal": rehearsal,
            "expires_at": expires_at,
            "principal": granted.call.principal,
            "caller": granted.call.caller.told(),
        }
        self._append(granted.call, Kind.PLAN_FROZEN, body, granted.workflow, subject=plan.plan_id)

    def seal_asked(self, approved: Approved) -> None:
        """That a plan waits for its seal, once."""
        granted, plan = approved.prepared.granted, approved.prepared.plan
        if plan is not None and not self._ledger.find(Kind.SEAL_ASKED, plan.plan_id):
            body = {"target": plan.target, "plan_digest": plan.digest, "plan": plan.frozen()}
            self._append(granted.call, Kind.SEAL_ASKED, body, granted.workflow, subject=plan.plan_id)

    def asked(self, pending: Pending, body: Mapping[str, Any]) -> None:
        """The question that is put to people, in place of those that it replaces."""
        granted, name = pending.permitted.classified.prepared.granted, pending.request_id
        question = Draft(
            Kind.APPROVAL_REQUESTED, body, workflow=granted.workflow, call_id=granted.call.call_id, subject=name
        )
        why = f"it was asked anew, as {name}, once enough people could approve it"
        replaced = [_taken_back(granted, each, why) for each in pending.replaces]
        self.write(*states.found(pending), *replaced, question, at=granted.call.at)

    def one_too_many(self, pending: Pending) -> None:
        """The question is taken back: others of its workflow that came before it took the room."""
        granted, name = pending.permitted.classified.prepared.granted, pending.request_id
        why = "its workflow has as many requests open as it may have"
        self.write(_taken_back(granted, name, why), at=granted.call.at)

    def waits(self, pending: Pending, answer: Mapping[str, Any]) -> None:
        """The call waits for people."""
        granted, name = pending.permitted.classified.prepared.granted, pending.request_id
        end = self._end(pending.permitted, str(answer["status"]), answer, pending.quorum.rules, subject=name)
        self.write(end, at=granted.call.at)

    def asked_canary(self, pending: Pending, body: Mapping[str, Any]) -> None:
        """A question that has to be denied, and that it is one: for nobody's workflow to read."""
        granted = pending.permitted.classified.prepared.granted
        request_id = pending.request_id
        self.write(
            Draft(Kind.APPROVAL_REQUESTED, body, workflow=granted.workflow, subject=request_id),
            Draft(Kind.APPROVAL_CANARY, {"request_id": request_id}, subject=request_id),
            at=granted.call.at,
        )

    def started(self, approved: Approved, *, apply_id: str, at: datetime, checked: bool = False) -> None:
        """The intent to execute, and the end of the approval that allows it, in one transaction.

        Where one person acted alone, the question to the others is part of it. `checked` says that it is taken back by
        itself when checks fail after it.

        Raises:
            AlreadyUsedError: the approval was consumed by another call.
        """
        self.write(*applies.started(approved, apply_id, checked=checked), at=at)

    def finished(
        self,
        validated: Validated,
        *,
        at: datetime,
        broken: Sequence[Mapping[str, Any]] = (),
        answer: Mapping[str, Any] | None = None,
        rules: Sequence[str] = (),
    ) -> None:
        """It ran and is committed; with an `answer` its call ends so. `broken` are the checks that fail since."""
        approved, apply_id = validated.executed.approved, validated.executed.apply_id
        granted = approved.prepared.granted
        body = {
            "status": "applied",
            "target": granted.call.target,
            "revision": validated.revision,
            "fingerprint": validated.fingerprint,
            "ms": self._milliseconds,
            **({"checks_failed": told.plainly(broken, self._said_of(approved))} if broken else {}),
        }
        ends = [] if answer is None else [self._end(approved.permitted, "applied", answer, rules, subject=apply_id)]
        self.write(*states.left(validated), self._step(granted, apply_id, body), *ends, at=at)

    def failed(self, approved: Approved, apply_id: str, error: MigrateError, *, at: datetime) -> None:
        """It did not run to its end."""
        body = {**applies.failed(approved, error, self._redactor), "ms": self._milliseconds}
        self.write(self._step(approved.prepared.granted, apply_id, body), at=at)

    def exceeded(self, approved: Approved, error: BeyondDeclaredError, *, at: datetime) -> None:
        """Its tool asked for more than it had declared, and nobody uses it as it is now."""
        self.write(stopped(approved.call.tool, str(error.details["source"]), error.sentence), at=at)

    def _said_of(self, approved: Approved) -> Callable[[str], str]:
        """What a database says of an apply, without the values that it quotes."""
        known = bodies.words(approved.prepared.plan)
        return lambda text: self._redactor.sentence(text, known=known)

    @property
    def unfinished(self) -> Unfinished:
        """What the record says of steps without an outcome."""
        return Unfinished(self._ledger)

    def settled(self, started: Event, outcome: Mapping[str, Any], *, at: datetime) -> None:
        """What became of a step whose server died, and how that was found out."""
        body = {"target": started.body["target"], "recovered": True, **outcome}
        draft = Draft(
            Kind.STEP_FINISHED, body, workflow=started.workflow, call_id=started.call_id, subject=started.subject
        )
        self.write(draft, at=at)

    def expired(self, target: str, entries: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        """The time of this undo data is over, and it is about to be removed."""
        drafts = [Draft(Kind.UNDO_EXPIRED, {"target": target, **entry}, subject=entry["key"]) for entry in entries]
        self.write(*drafts, at=at)

    def pruned(self, target: str, keys: Sequence[str], *, at: datetime) -> None:
        """It was removed."""
        drafts = [Draft(Kind.UNDO_PRUNED, {"target": target, "key": key}, subject=key) for key in keys]
        self.write(*drafts, at=at)

    def _step(self, granted: Granted, apply_id: str, body: Mapping[str, Any]) -> Draft:
        call_id = granted.call.call_id
        return Draft(Kind.STEP_FINISHED, body, workflow=granted.workflow, call_id=call_id, subject=apply_id)

    def _end(
        self,
        permitted: Permitted,
        status: str,
        answer: Mapping[str, Any],
        rules: Sequence[str],
        *,
        subject: str | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Draft:
        """What became of a call, and by which scope and which rules on approval."""
        granted = permitted.classified.prepared.granted
        decided = {"scope": permitted.scope, "rules": list(rules), **({"about": dict(about)} if about else {})}
        body = {"status": status, **told.answered(answer), "ms": self._milliseconds, **decided}
        call_id = granted.call.call_id
        return Draft(Kind.CALL_FINISHED, body, workflow=granted.workflow, call_id=call_id, subject=subject)

    def _append(
        self,
        call: Call,
        kind: Kind,
        body: Mapping[str, Any],
        workflow: str | None,
        subject: str | None = None,
    ) -> None:
        self.write(Draft(kind, body, workflow=workflow, call_id=call.call_id, subject=subject), at=call.at)

    def write(self, *drafts: Draft, at: datetime) -> None:
        """These entries, after what was held: durable when it returns."""
        self._ledger.append(*self._held, *drafts, at=at)
        self._held = ()


def _taken_back(granted: Granted, request_id: str, why: str) -> Draft:
    """That a question is not to be answered any more."""
    body = {"request_id": request_id, "principal": granted.call.principal, "reason": why}
    call_id = granted.call.call_id
    return Draft(Kind.APPROVAL_WITHDRAWN, body, workflow=granted.workflow, call_id=call_id, subject=request_id)
