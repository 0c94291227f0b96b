"""What exactly does a reviewer sign, and does what was signed say the same as its request?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from mcp_migrate.model import canonical, digest
from mcp_migrate.signers.interface import Key

FORMAT = "mcp-migrate/decision/2"
COVERING = "mcp-migrate/decision/3"
"""An approval of a change and of its rollback. Who knows only the formats before takes it for no approval at all."""
_FORMATS = {
    "mcp-migrate/request/1": ("mcp-migrate/decision/1",),
    "mcp-migrate/request/2": (FORMAT, COVERING),
}
"""What a decision on each kind of request looks like. Those of before stay what they were, and start nothing new."""
IRREVERSIBLE = "irreversible"
"""In place of the digest of a way back, where there is none."""

BOUND = (
    "purpose",
    "workflow",
    "owner",
    "planners",
    "principal",
    "tool",
    "target",
    "identity",
    "plan_digest",
    "fingerprint_before",
    "policy_digest",
    "effects",
    "rows",
    "rollback",
)
"""What the statement says of its request in so many words, so that the signed bytes can be read alone."""
COVERS = {FORMAT: "this change and not its rollback", COVERING: "this change and its rollback, once, until then"}
LONGEST_COVER = timedelta(days=7)
"""From the moment a change may run: for how long its rollback can be approved with it."""

Verdict = Literal["approve", "deny", "reopen", "break-glass"]


@dataclass(frozen=True, slots=True)
class Times:
    """When a decision was made, from when to when it may be used, and until when the rollback it covers."""

    decided: datetime
    begins: datetime
    ends: datetime
    rollback_until: datetime | None = None


def statement(
    request: Mapping[str, Any],
    verdict: Verdict,
    *,
    reviewer: str,
    key: Key,
    at: datetime,
    nonce: str,
    head: Mapping[str, Any],
    reason: str | None = None,
    lifts: Iterable[str] = (),
    not_before: datetime | None = None,
    rollback_for: timedelta | None = None,
) -> dict[str, Any]:
    """What is signed. `head` is the ledger's size and root when the reviewer looked: each reviewer is a witness.

    `lifts` are the nonces of the denials that a reopening ends; a later one stands. `not_before` puts off when an
    approval may be used, and with it when it ends. `rollback_for` is how long from then on it covers the rollback.
    """
    said = {
        "format": _FORMATS[request["format"]][0],
        "request_id": request["request_id"],
        "request_digest": digest(request),
        "decision": verdict,
        "reviewer": reviewer,
        "key": key.fingerprint,
        "decided_at": at.isoformat(),
        "nonce": nonce,
        "ledger": dict(head),
        "reason": reason,
        **({"lifts": sorted(lifts)} if verdict == "reopen" else {}),
    }
    if said["format"] != FORMAT:
        return said
    begins = not_before or at
    ends = begins + timedelta(seconds=request["execute_seconds"])
    wanted = FORMAT if rollback_for is None else COVERING
    return {
        **said,
        "format": wanted,
        "about": {key: request[key] for key in BOUND},
        "covers": COVERS[wanted],
        "not_before": begins.isoformat(),
        "approval_expires": request["expires_at"],
        "execution_expires": ends.isoformat(),
        **({"rollback_until": (begins + rollback_for).isoformat()} if rollback_for is not None else {}),
    }


def uncoverable(request: Mapping[str, Any]) -> str | None:
    """Why no approval of this request can cover a rollback, as a clause; None where one can."""
    if request["tool"] != "migration_apply" or request.get("purpose", "change") != "change":
        return "only the rollback of an apply can be approved with it"
    return "there is no way back to approve" if request.get("rollback", IRREVERSIBLE) == IRREVERSIBLE else None


def difference(said: Mapping[str, Any], request: Mapping[str, Any]) -> str | None:
    """Where a statement and its request do not say the same, as a clause; None where they do."""
    if said.get("format") not in _FORMATS.get(request.get("format", ""), ()):
        return "it is not a decision of this version"
    if said.get("request_id") != request["request_id"] or said.get("request_digest") != digest(request):
        return "it was signed for another request"
    return _other_words(said, request) if said["format"] in COVERS else None


def _other_words(said: Mapping[str, Any], request: Mapping[str, Any]) -> str | None:
    about = said.get("about")
    if not isinstance(about, Mapping) or set(about) != set(BOUND):
        return "it does not say what it is about"
    if other := [key for key in BOUND if canonical([about[key]]) != canonical([request[key]])]:
        return f"it says another {other[0]} than its request"
    if (said.get("covers"), said.get("approval_expires")) != (COVERS[said["format"]], request["expires_at"]):
        return "it covers something else than this change, or for another time"
    if said["format"] != COVERING:
        return None
    return uncoverable(request) if said.get("decision") == "approve" else "only an approval covers a rollback"


def times(said: Mapping[str, Any], request: Mapping[str, Any]) -> Times | None:
    """The times of a statement; None where they are none, or give it a longer life than its request does."""
    expires = datetime.fromisoformat(request["expires_at"])
    try:
        decided = datetime.fromisoformat(str(said.get("decided_at")))
        if said.get("format") not in COVERS:
            return Times(decided, decided, expires) if decided.tzinfo else None
        begins = datetime.fromisoformat(str(said.get("not_before")))
        ends = datetime.fromisoformat(str(said.get("execution_expires")))
        ordered = decided <= begins <= ends <= begins + timedelta(seconds=request["execute_seconds"])
        covered = datetime.fromisoformat(str(said.get("rollback_until"))) if said["format"] == COVERING else None
        ordered &= covered is None or begins < covered <= begins + LONGEST_COVER
    except (ValueError, TypeError, OverflowError):  # no moment, one without a zone, or one beyond the calendar
        return None
    return Times(decided, begins, ends, covered) if ordered and decided.tzinfo else None
