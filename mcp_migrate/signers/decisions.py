"""Does one signed decision hold?

A decision is a canonical JSON statement over the digest of the whole request. It decides by its signature alone:
who brought it, and how, means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, SelfApprovalError
from mcp_migrate.model import STRENGTH, Assurance, canonical
from mcp_migrate.settings import Settings
from mcp_migrate.signers.interface import Verified
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.passkey import Passkey
from mcp_migrate.signers.passkey import verify as verify_passkey
from mcp_migrate.signers.roster import Person, Roster, weaker
from mcp_migrate.signers.sshsig import verify
from mcp_migrate.signers.statements import Verdict, difference, statement, times

__all__ = [
    "Decision",
    "Verdict",
    "check",
    "check_breaking",
    "check_reopening",
    "check_signature",
    "lacking",
    "refuse_excluded",
    "statement",
]

_NONCE, _REASON = 16, 20
"""Characters that a nonce has at least, and the reason of whoever acts alone."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision that holds. An approval may be used from `begins` to `ends`, and for a rollback until then.

    It is counted for `stands_for`: of a person and those whom they let in, one is counted.
    `lifts` are the nonces of the denials that a reopening ends. `counter` is how often the authenticator says that it
    signed, now and when it was enrolled; software has none.
    """

    verdict: Verdict
    reviewer: str
    key: str
    assurance: Assurance
    nonce: str
    reason: str | None
    decided: datetime
    begins: datetime
    ends: datetime
    stands_for: str
    groups: frozenset[str] = frozenset()
    lifts: tuple[str, ...] = ()
    counter: int | None = None
    enrolled_counter: int = 0
    rollback_until: datetime | None = None


def check(decision: Mapping[str, Any], request: Mapping[str, Any], settings: Settings, roster: Roster) -> Decision:
    """Hold one decision against its request and the enrolled keys.

    It is a `statement` with a `signature` by an SSH key, or with the assertion of a `passkey`.

    Raises:
        ApprovalInvalidError: the statement, the reviewer or the signature does not hold.
        SelfApprovalError: the reviewer is the one who asks, or someone the rule excludes.
    """
    held = _signed(decision, request, settings, roster, verdicts=("approve", "deny"))
    if held.decided > datetime.fromisoformat(request["expires_at"]):
        raise _invalid("it was signed after the request had expired")
    lack = _lacks(held, request) if held.verdict == "approve" else None
    if lack is not None:
        raise _invalid(lack)
    return held


def check_signature(decision: Mapping[str, Any], key: PublicKey | Passkey) -> Verified:
    """Hold what was signed against the key alone, whoever's it is and whenever. Raises: ApprovalInvalidError."""
    said = decision.get("statement")
    if not isinstance(said, Mapping):
        raise _invalid("it is not a decision of this version")
    return _verified(_message(said), decision, key)


def check_reopening(
    decision: Mapping[str, Any], request: Mapping[str, Any], settings: Settings, roster: Roster
) -> Decision:
    """Hold a decision to ask again what was denied: by whoever could approve it, also after it expired.

    Raises:
        ApprovalInvalidError, SelfApprovalError: as `check`.
    """
    held = _signed(decision, request, settings, roster, verdicts=("reopen",))
    lifts = decision["statement"].get("lifts")
    asked = request["quorum"]
    lack = lacking(held, asked["groups"], Assurance(asked["assurance"]))
    if lack is not None:
        raise _invalid(lack)
    if not isinstance(lifts, list) or not all(isinstance(nonce, str) for nonce in lifts):
        raise _invalid("it does not say which denials it lifts")
    return replace(held, lifts=tuple(lifts))


def check_breaking(
    decision: Mapping[str, Any], request: Mapping[str, Any], settings: Settings, roster: Roster
) -> Decision:
    """Hold one of the two signatures with which a named person acts alone: it says why, in words of their own.

    Raises:
        ApprovalInvalidError, SelfApprovalError: as `check`.
    """
    held = _signed(decision, request, settings, roster, verdicts=("break-glass",))
    if settings.break_glass is None or held.reviewer not in settings.break_glass.people:
        raise _invalid(f"{held.reviewer} is not named under `break_glass`")
    if held.decided > datetime.fromisoformat(request["expires_at"]):
        raise _invalid("it was signed after the request had expired")
    if lack := _too_new(held, request):
        raise _invalid(lack)
    if not isinstance(held.reason, str) or len(held.reason.strip()) < _REASON:
        raise _invalid(f"it gives no reason of at least {_REASON} characters")
    return held


def _signed(
    decision: Mapping[str, Any],
    request: Mapping[str, Any],
    settings: Settings,
    roster: Roster,
    *,
    verdicts: Iterable[Verdict],
) -> Decision:
    """Who signed what over exactly this request, and may they decide on it at all?"""
    said = decision.get("statement")
    if not isinstance(said, Mapping):
        raise _invalid("it is not a decision of this version")
    message = _message(said)
    if differs := difference(said, request):
        raise _invalid(differs)
    name, nonce, when = said.get("reviewer"), said.get("nonce"), times(said, request)
    verdict = next((each for each in verdicts if each == said.get("decision")), None)
    if verdict is None or when is None or not isinstance(nonce, str) or len(nonce) < _NONCE:
        raise _invalid("its verdict, nonce or times are missing, or not those of its request")
    if str(name) not in roster.people:
        raise _invalid(f"{name!r} is no enrolled reviewer")
    found = roster.holder(said.get("key"))
    if found is None or found[0].name != name:
        raise _invalid(f"the key {said.get('key')} is not one of {name}'s")
    reviewer, held = found
    verified = _verified(message, decision, held.key)
    refuse_excluded(reviewer.name, request, settings, roster, verdict=verdict)
    return Decision(
        verdict,
        reviewer.name,
        held.fingerprint,
        weaker(verified.assurance, held.at_most),
        nonce,
        said.get("reason"),
        decided=when.decided,
        begins=when.begins,
        ends=when.ends,
        stands_for=roster.stands_for(reviewer.name),
        groups=reviewer.groups,
        counter=verified.counter,
        enrolled_counter=held.key.counter if isinstance(held.key, Passkey) else 0,
        rollback_until=when.rollback_until,
    )


def _verified(message: bytes, decision: Mapping[str, Any], key: PublicKey | Passkey) -> Verified:
    """A passkey's decision has its assertion, another's a signature, and none has both."""
    signature = decision.get("signature")
    if isinstance(key, Passkey) and signature is None:
        return verify_passkey(message, decision.get("passkey"), key)
    if isinstance(key, Passkey) or "passkey" in decision or not isinstance(signature, str):
        raise _invalid("it is not signed as its key signs")
    return verify(message, signature, key)


def _lacks(decision: Decision, request: Mapping[str, Any]) -> str | None:
    asked = request["quorum"]
    return _too_new(decision, request) or lacking(decision, asked["groups"], Assurance(asked["assurance"]))


def _too_new(decision: Decision, request: Mapping[str, Any]) -> str | None:
    if "keys" in request and decision.key not in request["keys"].get(decision.reviewer, ()):
        return f"the key {decision.key} was enrolled after the request was made, and the agent has to ask anew"
    return None


_GIVEN_BY = {
    Assurance.SOFTWARE: "any key",
    Assurance.PRESENCE: "a security key that is touched",
    Assurance.VERIFIED: "a passkey, or a security key with its PIN,",
}


def lacking(decision: Decision, groups: Iterable[str], assurance: Assurance) -> str | None:
    """What an approval lacks to count where one of these groups and this assurance are asked for, or None."""
    wanted = set(groups)
    if wanted and not wanted & decision.groups:
        return f"{decision.reviewer} is not in {' or '.join(sorted(wanted))}"
    if STRENGTH.index(decision.assurance) < STRENGTH.index(assurance):
        return (
            f"its assurance is {decision.assurance}, and {assurance} is asked for, as {_GIVEN_BY[assurance]} gives it"
        )
    return None


def _message(said: Mapping[str, Any]) -> bytes:
    try:
        return canonical(dict(said))
    except (ValueError, TypeError) as error:  # no canonical JSON: nobody can have signed it
        raise _invalid("its statement is no canonical JSON") from error


def refuse_excluded(
    name: str, request: Mapping[str, Any], settings: Settings, roster: Roster, *, verdict: Verdict = "approve"
) -> None:
    """Nobody decides on what they, or whoever let them in, asked for or planned, or own where the rule says so.

    Raises:
        SelfApprovalError: this one did, by name or e-mail.
        ApprovalInvalidError: nobody can tell whether they are the owner.
    """
    for person in roster.chain(name):
        _refuse(person, request, settings, verdict)


def _refuse(person: Person, request: Mapping[str, Any], settings: Settings, verdict: Verdict) -> None:
    name, email = person.name, person.email
    mine = {name.casefold(), (email or name).casefold(), (settings.person_of(name) or name).casefold()}
    for principal in {str(request["principal"]), *map(str, request.get("planners", ()))}:
        asked_by, whose = principal.casefold(), (settings.person_of(principal) or principal).casefold()
        if mine & {asked_by, asked_by.partition(":")[2], whose}:
            what = "asked for" if principal == request["principal"] else "planned"
            raise SelfApprovalError(
                f"{name} {what} this change as {principal} and cannot decide on it.",
                hint="Another enrolled reviewer has to decide.",
            )
    if mine & {*request.get("people", ())}:
        raise SelfApprovalError(
            f"{name} is one person with whoever asked for this change or planned it, and cannot decide on it.",
            hint="Another enrolled reviewer has to decide.",
        )
    if name in request.get("excluded", ()):
        raise SelfApprovalError(f"{name} did it alone, and others review it.", hint="Another reviewer has to decide.")
    workflow = settings.workflows.get(request["workflow"])
    if "owner" not in request["quorum"]["never"] or workflow is None:
        return
    if email is None and verdict != "deny":
        raise _invalid(f"{name} has no e-mail, so nobody can tell whether they are the owner, whom the rule excludes")
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
