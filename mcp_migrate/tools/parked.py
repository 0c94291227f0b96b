"""What does the ledger say of a call that waits in the background?

The ledger is all there is: a task outlives the server that gave it out, and any server of the same ledger knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_migrate.ledger import Kind, Ledger


@dataclass(frozen=True, slots=True)
class Parked:
    """A call as it was made, and the request it waits for."""

    task_id: str
    principal: str
    tool: str
    arguments: Mapping[str, Any]
    answer: Mapping[str, Any]
    created: datetime

    @property
    def request_id(self) -> str:
        return str(self.answer["request_id"])

    @property
    def expires(self) -> datetime:
        """When its request does."""
        return datetime.fromisoformat(self.answer["expires_at"])


def parked(task_id: str, ledger: Ledger, *, principal: str) -> Parked | None:
    """The call of `principal` that waits under this id; None when there is none."""
    for event in ledger.find(Kind.CALL_PARKED, task_id):
        if event.body["principal"] == principal:
            body = event.body
            created = datetime.fromisoformat(event.at)
            return Parked(task_id, principal, body["tool"], body["call_arguments"], body["answer"], created)
    return None


def outcome(request_id: str, ledger: Ledger) -> Mapping[str, Any] | None:
    """What came of the apply that used this request; None while it runs, or when nobody knows yet."""
    for used in ledger.find(Kind.APPROVAL_CONSUMED, request_id):
        apply_id = used.body["apply_id"]
        for finished in ledger.find(Kind.STEP_FINISHED, apply_id):
            hint = f"migration_status with apply_id {apply_id} tells the rest."
            return {"apply_id": apply_id, **finished.body, "next": {"action": "none", "hint": hint}}
    return None
