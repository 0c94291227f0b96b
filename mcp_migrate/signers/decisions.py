"""What does a reviewer sign, and does one signed decision hold?

A decision is a canonical JSON statement over the digest of the whole request. It decides by its signature alone:
who brought it, and how, means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from mcp_migrate.errors import ApprovalInvalidError, SelfApprovalError
from mcp_migrate.model import Assurance, canonical, digest
from mcp_migrate.settings import Settings
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sshsig import verify

FORMAT = "mcp-migrate/decision/1"
_STRENGTH = (Assurance.SOFTWARE, Assurance.PRESENCE, Assurance.VERIFIED)
_NONCE = 16
"""Characters a nonce has at least."""

Verdict = Literal["approve", "deny", "reopen"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision that holds. `lifts` are the nonces of the denials that a reopening ends."""

    verdict: Verdict
    reviewer: str
    key: str
    assurance: Assurance
    nonce: str
    reason: str | None
    lifts: tuple[str, ...] = ()


def statement(
    request: Mapping[str, Any],
    verdict: Verdict,
    *,
    reviewer: str,
    key: str,
    at: datetime,
    nonce: str,
    head: Mapping[str, Any],
    reason: str | None = None,
    lifts: Iterable[str] = (),
) -> dict[str, Any]:
    """What is signed, with the key of the fingerprint `key`.

    `head` is the ledger's size and root when the reviewer looked: each reviewer is a witness. `lifts` are the nonces
    of the denials that a reopening ends; a later one stands.
    """
    said = {
        "format": FORMAT,
        "request_id": request["request_id"],
        "request_digest": digest(request),
        "decision": verdict,
        "reviewer": reviewer,
        "key": key,
        "decided_at": at.isoformat(),
        "nonce": nonce,
        "ledger": dict(head),
        "reason": reason,
    }
    return {**said, "lifts": sorted(lifts)} if verdict == "reopen" else said


def check(decision: Mapping[str, Any], request: Mapping[str, Any], settings: Settings) -> Decision:
    """Hold one decision ``{statement, signature}`` against its request and the enrolled keys.

    Raises:
        ApprovalInvalidError: the statement, the reviewer or the signature does not hold.
        SelfApprovalError: the reviewer is the one who asks, or someone the rule excludes.
    """
    held = _signed(decision, request, settings, verdicts=("approve", "deny"))
    if not _in_time(decision["statement"].get("decided_at"), request["expires_at"]):
        raise _invalid("it was signed after the request had expired")
    lack = _lacks(held, request, settings) if held.verdict == "approve" else None
    if lack is not None:
        raise _invalid(lack)
    return held


def check_reopening(decision: Mapping[str, Any], request: Mapping[str, Any], settings: Settings) -> Decision:
    """Hold a decision to ask again what was denied: by whoever could approve it, also after it expired.

    Raises:
        ApprovalInvalidError, SelfApprovalError: as `check`.
    """
    held = _signed(decision, request, settings, verdicts=("reopen",))
    lifts = decision["statement"].get("lifts")
    lack = _lacks(held, request, settings)
    if lack is not None:
        raise _invalid(lack)
    if not isinstance(lifts, list) or not all(isinstance(nonce, str) for nonce in lifts):
        raise _invalid("it does not say which denials it lifts")
    return replace(held, lifts=tuple(lifts))


def _signed(
    decision: Mapping[str, Any], request: Mapping[str, Any], settings: Settings, *, verdicts: Iterable[Verdict]
) -> Decision:
    """Who signed what over exactly this request, and may they decide on it at all?"""
    said, signature = decision.get("statement"), decision.get("signature")
    if not isinstance(said, Mapping) or not isinstance(signature, str) or said.get("format") != FORMAT:
        raise _invalid("it is not a decision of this version")
    name, nonce = said.get("reviewer"), said.get("nonce")
    verdict = next((each for each in verdicts if each == said.get("decision")), None)
    if verdict is None or not isinstance(nonce, str) or len(nonce) < _NONCE:
        raise _invalid("its verdict or nonce is missing")
    if said.get("request_digest") != digest(request):
        raise _invalid("it was signed for another request")
    reviewer = settings.reviewers.get(str(name))
    if reviewer is None:
        raise _invalid(f"{name!r} is no enrolled reviewer")
    key = next((k for k in map(parse_public_key, reviewer.ssh_keys) if k.fingerprint == said.get("key")), None)
    if key is None:
        raise _invalid(f"the key {said.get('key')} is not one of {name}'s")
    verified = verify(_message(said), signature, key)
    _not_excluded(str(name), reviewer.email, request, settings)
    return Decision(verdict, str(name), key.fingerprint, verified.assurance, nonce, said.get("reason"))


def _lacks(decision: Decision, request: Mapping[str, Any], settings: Settings) -> str | None:
    asked = request["quorum"]
    return lacking(decision, settings, asked["groups"], Assurance(asked["assurance"]))


def lacking(decision: Decision, settings: Settings, groups: Iterable[str], assurance: Assurance) -> str | None:
    """What an approval lacks to count where these groups and this assurance are asked for, or None."""
    name = decision.reviewer
    if missing := sorted(set(groups) - set(settings.reviewers[name].groups)):
        return f"{name} is not in {' and '.join(missing)}"
    if _STRENGTH.index(decision.assurance) < _STRENGTH.index(assurance):
        return f"its assurance is {decision.assurance}, and {assurance} is asked for"
    return None


def _message(said: Mapping[str, Any]) -> bytes:
    try:
        return canonical(dict(said))
    except (ValueError, TypeError) as error:  # no canonical JSON: nobody can have signed it
        raise _invalid("its statement is no canonical JSON") from error


def _in_time(decided_at: object, expires_at: str) -> bool:
    try:
        return datetime.fromisoformat(str(decided_at)) <= datetime.fromisoformat(expires_at)
    except (ValueError, TypeError):
        return False


def _not_excluded(name: str, email: str | None, request: Mapping[str, Any], settings: Settings) -> None:
    """A reviewer is never the requester (by name or e-mail), nor the owner where the rule says so."""
    asked_by = str(request["principal"]).casefold()
    if {name.casefold(), (email or name).casefold()} & {asked_by, asked_by.partition(":")[2]}:
        raise SelfApprovalError(
            f"{name} asked for this change as {request['principal']} and cannot decide on it.",
            hint="Another enrolled reviewer has to decide.",
        )
    workflow = settings.workflows.get(request["workflow"])
    if "owner" not in request["quorum"]["never"] or workflow is None:
        return
    if (email or "").casefold() == workflow.owner.email.casefold():
        raise SelfApprovalError(
            f"{name} owns the workflow that asks, and the rule excludes its owner.",
            hint="Another enrolled reviewer has to decide.",
        )


def _invalid(why: str) -> ApprovalInvalidError:
    return ApprovalInvalidError(
        f"This decision does not count: {why}.",
        hint="Sign the request again with `mcp-migrate approvals approve`.",
    )
