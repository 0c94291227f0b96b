"""What does the record say of a target's state: what an apply left, what nothing explains, and who signed for that?"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_migrate import __version__
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import Pending, Validated


def found(pending: Pending) -> Iterator[Draft]:
    """What nothing on the record explains, where people are asked about that."""
    prepared = pending.permitted.classified.prepared
    if prepared.purpose == "reconcile" and (said := prepared.subject["reconciles"]):
        granted = prepared.granted
        body = {"target": granted.call.target, **said, "fingerprint": prepared.subject["fingerprint"]}
        name, call_id = pending.request_id, granted.call.call_id
        yield Draft(Kind.RECONCILE_FOUND, body, workflow=granted.workflow, call_id=call_id, subject=name)


def left(validated: Validated) -> Iterator[Draft]:
    """What the target is from here on, as the record has it; with who signed for it, where nothing ran."""
    if validated.objects is None:
        return
    approved, name = validated.executed.approved, validated.executed.apply_id
    prepared, granted = approved.prepared, approved.prepared.granted
    state = {
        "target": granted.call.target,
        "revision": validated.revision,
        "fingerprint": validated.fingerprint,
        "read_by": __version__,
    }
    about = {"workflow": granted.workflow, "call_id": granted.call.call_id, "subject": name}
    yield Draft(Kind.SCHEMA_SEEN, {**state, "objects": dict(validated.objects)}, **about)
    if prepared.purpose == "reconcile":
        signed = {"request_id": approved.request_id, "reviewers": list(approved.reviewers)}
        yield Draft(Kind.RECONCILE_ACCEPTED, {**state, **signed, **prepared.subject}, **about)
