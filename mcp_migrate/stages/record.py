"""Is it on the record before it happens, and what came of it?

The only stage that writes to the ledger. What it writes is durable when it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_migrate.approvals.binding import fingerprints
from mcp_migrate.errors import MigrateError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.model import Approved, Call, Classified, Granted, Pending, Plan, Statement, Validated, digest
from mcp_migrate.settings import Settings, Workflow


class Recorder:
    """Writes what happens to one ledger."""

    def __init__(self, ledger: Ledger, workflows: Mapping[str, Workflow]) -> None:
        self._ledger = ledger
        self._workflows = workflows

    def configured(self, settings: Settings, *, at: datetime) -> None:
        """Which configuration holds, and who may decide by it, whenever that is another than before."""
        known = self._ledger.last(Kind.CONFIG_LOADED)
        if known and known[0].body["digest"] == settings.digest:
            return
        from mcp_migrate.signers.roster import configured  # cryptography loads when it has changed

        roster = configured(settings)
        keys = {"keys": fingerprints(roster), "admins": sorted(roster.admins), "public_keys": _public(settings)}
        body = {"digest": settings.digest, "path": str(settings.path), **keys}
        self._ledger.append(Draft(Kind.CONFIG_LOADED, body), at=at)

    def received(self, granted: Granted) -> None:
        """The call, who makes it for whom and why, and the scopes that may allow it."""
        body = {**_call(granted.call), "owner": granted.owner, "scopes": list(granted.scopes)}
        self._append(granted.call, Kind.CALL_RECEIVED, body, granted.workflow)

    def refused(self, call: Call, error: MigrateError) -> None:
        """The call did not do what it asked for, and why."""
        workflow = next((n for n, w in self._workflows.items() if call.principal in w.principals), None)
        body = {**_call(call), "code": error.code, "sentence": error.sentence}
        self._append(call, Kind.CALL_REFUSED, body, workflow)

    def parked(self, call: Call, task_id: str, answer: Mapping[str, Any], workflow: str) -> None:
        """The call waits in the background under this id, with all that is needed to make it again."""
        body = {**_call(call), "call_arguments": dict(call.arguments), "answer": answer}
        self._append(call, Kind.CALL_PARKED, body, workflow, subject=task_id)

    def answered(self, granted: Granted, answer: Mapping[str, Any], *, about: Mapping[str, Any]) -> None:
        """A call that only read was answered: the digest of the answer, never the answer, and what it was `about`."""
        body = {"status": "answered", "answer": digest(answer), **({"about": dict(about)} if about else {})}
        self._append(granted.call, Kind.CALL_FINISHED, body, granted.workflow)

    def planned(self, granted: Granted, plan: Plan, *, expires_at: str) -> None:
        """The frozen plan, so that what is applied later is what was planned."""
        rehearsal = plan.rehearsal.told() if plan.rehearsal else None
        body = {
            "plan": plan.frozen(),
            "digest": plan.digest,
            "rehearsal": rehearsal,
            "expires_at": expires_at,
            "principal": granted.call.principal,
        }
        self._append(granted.call, Kind.PLAN_FROZEN, body, granted.workflow, subject=plan.plan_id)

    def asked(self, pending: Pending, body: Mapping[str, Any]) -> None:
        """The question put to people."""
        granted = pending.permitted.classified.prepared.granted
        self._append(granted.call, Kind.APPROVAL_REQUESTED, body, granted.workflow, subject=pending.request_id)

    def asked_canary(self, pending: Pending, body: Mapping[str, Any]) -> None:
        """A question that has to be denied, and that it is one: for nobody's workflow to read."""
        granted = pending.permitted.classified.prepared.granted
        request_id = pending.request_id
        self._ledger.append(
            Draft(Kind.APPROVAL_REQUESTED, body, workflow=granted.workflow, subject=request_id),
            Draft(Kind.APPROVAL_CANARY, {"request_id": request_id}, subject=request_id),
            at=granted.call.at,
        )

    def started(self, approved: Approved, *, apply_id: str, at: datetime) -> None:
        """The intent to execute, and the end of the approval that allows it, in one transaction.

        Where one person acted alone, the question to the others is part of it.

        Raises:
            AlreadyUsedError: the approval was consumed by another call.
        """
        granted = approved.prepared.granted
        used = [name for name in (approved.request_id, *approved.nonces) if name]
        drafts = [
            Draft(
                Kind.APPROVAL_CONSUMED,
                {"apply_id": apply_id},
                workflow=granted.workflow,
                call_id=granted.call.call_id,
                subject=name,
            )
            for name in used
        ]
        drafts.append(
            Draft(
                Kind.STEP_STARTED,
                _start(approved),
                workflow=granted.workflow,
                call_id=granted.call.call_id,
                subject=apply_id,
            )
        )
        if approved.review is not None:
            review_id = approved.review["request_id"]
            drafts.append(Draft(Kind.APPROVAL_REQUESTED, approved.review, workflow=granted.workflow, subject=review_id))
        self._ledger.append(*drafts, at=at)

    def finished(self, validated: Validated, *, at: datetime, broken: Sequence[Mapping[str, Any]] = ()) -> None:
        """It ran and is committed. `broken` are the checks that fail since."""
        granted = validated.executed.approved.prepared.granted
        body = {
            "status": "applied",
            "target": granted.call.target,
            "revision": validated.revision,
            "fingerprint": validated.fingerprint,
            **({"checks_failed": [dict(check) for check in broken]} if broken else {}),
        }
        self._step(granted, validated.executed.apply_id, body, at)

    def failed(self, approved: Approved, apply_id: str, error: MigrateError, *, at: datetime) -> None:
        """It did not run to its end."""
        granted = approved.prepared.granted
        status = "partially_applied" if error.code == "partially_applied" else "failed"
        body = {
            "status": status,
            "target": granted.call.target,
            "code": error.code,
            "sentence": error.sentence,
            "details": dict(error.details),
        }
        self._step(granted, apply_id, body, at)

    def in_flight(self, target: str) -> tuple[Event, ...]:
        """The applies of plans on a target whose outcome is not on the record."""
        started = self._ledger.unanswered(Kind.STEP_STARTED, Kind.STEP_FINISHED, where={"target": target})
        return tuple(event for event in started if event.body["plan"])

    def is_open(self, apply_id: str) -> bool:
        """Whether this step has no outcome yet."""
        return not self._ledger.find(Kind.STEP_FINISHED, apply_id)

    def overtaken(self, apply_id: str) -> bool:
        """Whether another apply of the same target stopped part way since this one began."""
        [started, *_] = self._ledger.find(Kind.STEP_STARTED, apply_id)
        where: dict[str | tuple[str, ...], str] = {"target": str(started.body["target"]), "status": "partially_applied"}
        return any(event.seq > started.seq for event in self._ledger.last(Kind.STEP_FINISHED, where=where))

    def began(self, started: Event) -> Mapping[int, bool] | None:
        """The statements outside of transactions of which an apply did not say that they ended, or left nothing.

        With each whether the target was clear of what it leaves when it fails. None where it was not written down: its
        server was older.
        """
        if not started.body.get("by_statement"):
            return None
        apply_id = str(started.subject)
        ended = {e.body["n"]: e.body for e in self._ledger.find(Kind.STATEMENT_FINISHED, apply_id)}
        sent = {e.body["n"]: e.body["clear"] for e in self._ledger.find(Kind.STATEMENT_STARTED, apply_id)}
        return {n: clear for n, clear in sent.items() if n not in ended or ended[n]["uncertain"]}

    def settled(self, started: Event, outcome: Mapping[str, Any], *, at: datetime) -> None:
        """What became of a step whose server died, and how that was found out."""
        body = {"target": started.body["target"], "recovered": True, **outcome}
        draft = Draft(
            Kind.STEP_FINISHED, body, workflow=started.workflow, call_id=started.call_id, subject=started.subject
        )
        self._ledger.append(draft, at=at)

    def expired(self, target: str, entries: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        """The time of this undo data is over, and it is about to be removed."""
        drafts = [Draft(Kind.UNDO_EXPIRED, {"target": target, **entry}, subject=entry["key"]) for entry in entries]
        self._ledger.append(*drafts, at=at)

    def pruned(self, target: str, keys: Sequence[str], *, at: datetime) -> None:
        """It was removed."""
        drafts = [Draft(Kind.UNDO_PRUNED, {"target": target, "key": key}, subject=key) for key in keys]
        self._ledger.append(*drafts, at=at)

    def statement(
        self, kind: Kind, approved: Approved, apply_id: str, body: Mapping[str, Any], *, at: datetime
    ) -> None:
        """One statement that no transaction takes back: that it is about to be sent, or what the database answered."""
        call = approved.call
        workflow = approved.prepared.granted.workflow
        draft = Draft(kind, {"target": call.target, **body}, workflow=workflow, call_id=call.call_id, subject=apply_id)
        self._ledger.append(draft, at=at)

    def _step(self, granted: Granted, apply_id: str, body: Mapping[str, Any], at: datetime) -> None:
        draft = Draft(
            Kind.STEP_FINISHED,
            body,
            workflow=granted.workflow,
            call_id=granted.call.call_id,
            subject=apply_id,
        )
        self._ledger.append(draft, at=at)

    def _append(
        self,
        call: Call,
        kind: Kind,
        body: Mapping[str, Any],
        workflow: str | None,
        subject: str | None = None,
    ) -> None:
        draft = Draft(kind, body, workflow=workflow, call_id=call.call_id, subject=subject)
        self._ledger.append(draft, at=call.at)


@dataclass(frozen=True, slots=True)
class Journal:
    """What is written of one apply while it runs: each statement that no transaction takes back, before and after."""

    recorder: Recorder
    approved: Approved
    apply_id: str
    clock: Callable[[], datetime]

    def may_run(self) -> bool:
        """Whether this apply has no outcome, and no other of its target stopped part way since it began."""
        return self.recorder.is_open(self.apply_id) and not self.recorder.overtaken(self.apply_id)

    def others(self) -> tuple[str, ...]:
        """The other applies of this target that have no outcome."""
        started = self.recorder.in_flight(str(self.approved.call.target))
        return tuple(str(event.subject) for event in started if event.subject != self.apply_id)

    def began(self, statement: Statement, *, clear: bool) -> None:
        """It is about to be sent; `clear` says that nothing is there that looks as if it had failed before."""
        named = {"n": statement.n, "revision": statement.revision, "digest": digest(statement.frozen())}
        body = {**named, "clear": clear}
        self.recorder.statement(Kind.STATEMENT_STARTED, self.approved, self.apply_id, body, at=self.clock())

    def ended(self, statement: Statement, error: MigrateError | None) -> None:
        """It ran, or the database refused it. Nothing is written where nobody knows."""
        details = error.details if error else {}
        if details.get("unknown"):
            return
        body = {
            "n": statement.n,
            "status": "failed" if error else "ran",
            "code": error.code if error else None,
            "uncertain": details.get("uncertain") == statement.n,
            **({"left": details["left"]} if "left" in details else {}),
        }
        self.recorder.statement(Kind.STATEMENT_FINISHED, self.approved, self.apply_id, body, at=self.clock())


def _public(settings: Settings) -> dict[str, list[str]]:
    """The keys themselves, so that what they signed can be verified when they are in no configuration any more."""
    return {name: [*who.ssh_keys, *who.passkeys] for name, who in settings.reviewers.items()}


def _start(approved: Approved) -> dict[str, Any]:
    granted, plan = approved.prepared.granted, approved.prepared.plan
    return {
        "tool": granted.call.tool,
        "target": granted.call.target,
        "principal": granted.call.principal,
        "intent": granted.call.intent,
        "plan_id": plan.plan_id if plan else None,
        "plan": plan.frozen() if plan else None,
        "request_id": approved.request_id,
        "reviewers": list(approved.reviewers),
        "scope": approved.permitted.scope,
        "rule": _rule(approved.permitted.classified),
        "broken_glass": approved.review["reviews"] if approved.review else None,
        "covers_rollback_until": approved.covers_until.isoformat() if approved.covers_until else None,
        "automatic": approved.automatic.told() if approved.automatic else None,
        "covered_by": approved.covered.told() if approved.covered else None,
        "by_statement": True,
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "tool": call.tool,
        "target": call.target,
        "principal": call.principal,
        "intent": call.intent,
        "ticket": call.ticket,
        "client": call.client,
        "protocol": call.protocol,
        "arguments": {k: v for k, v in call.arguments.items() if k not in {"intent", "ticket", "target"}},
    }


def _rule(classified: Classified) -> dict[str, Any]:
    return {"effects": sorted(classified.effects), "objects": list(classified.objects)}
