"""How does a reviewer's answer get from the page to the record? As a signature over the exact statement, or not at all.

The statement travels through the reviewer's own hands: the pages remember nothing of it, so a restart loses nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mcp_migrate.approvals import deciding
from mcp_migrate.approvals.safe import safe
from mcp_migrate.approvals.standing import standing
from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError
from mcp_migrate.ledger import Event
from mcp_migrate.model import canonical
from mcp_migrate.settings.values import seconds
from mcp_migrate.signers import passkey
from mcp_migrate.signers.decisions import keys_of
from mcp_migrate.signers.interface import NAMESPACE
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.web.desk import Desk
from mcp_migrate.web.weighing import refuse_unweighed

_REASON = 500
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that somebody may sign with; `credential` is what a browser knows a passkey by."""

    reviewer: str
    fingerprint: str
    kind: str
    groups: tuple[str, ...]
    credential: str | None = None

    @property
    def choice(self) -> str:
        """How a form names it."""
        return f"{self.reviewer} {self.fingerprint}"


def signers(desk: Desk) -> tuple[Signer, ...]:
    """Every enrolled key, the passkeys of each reviewer first."""
    return tuple(
        _signer(name, key, reviewer.groups)
        for name, reviewer in desk.settings.reviewers.items()
        for key in sorted(keys_of(reviewer), key=lambda key: isinstance(key, PublicKey))
    )


def _signer(name: str, key: PublicKey | passkey.Passkey, groups: tuple[str, ...]) -> Signer:
    if isinstance(key, PublicKey):
        return Signer(name, key.fingerprint, key.kind, groups)
    return Signer(name, key.fingerprint, "passkey", groups, passkey.encoded(key.credential))


def draft(desk: Desk, request: Event, form: Mapping[str, str]) -> dict[str, Any]:
    """The statement to sign, as the page shows it.

    Raises:
        InvalidArgumentsError: the form does not say who decides what, or what was to be looked up.
        ApprovalExpiredError, ApprovalDeniedError, ApprovalInvalidError: nothing is left to decide.
    """
    now = desk.clock()
    deciding.refuse_ended(standing(request, desk.ledger, desk.settings).status(now))
    signer = next((each for each in signers(desk) if each.choice == form.get("signer")), None)
    verdict, reason = form.get("verdict", ""), form.get("reason", "").strip()
    if signer is None:
        raise InvalidArgumentsError("No enrolled key was chosen.", hint="Go back and say whose key will sign.")
    _check_words(verdict, reason)
    if verdict == "approve":
        refuse_unweighed(request.body, form)
    said = deciding.draft(
        request,
        "approve" if verdict == "approve" else "deny",
        reviewer=signer.reviewer,
        key=signer,
        reason=reason or None,
        rollback_for=_cover(form) if verdict == "approve" else None,
        ledger=desk.ledger,
        now=now,
        nonce=secrets.token_hex(16),
    )
    text = canonical(said)
    return {
        "said": said,
        "signer": signer,
        "text": text.decode(),
        "carried": base64.b64encode(text).decode(),
        "asked": _asked(signer, text),
        "hash": hashlib.sha256(text).hexdigest(),
        "in_one_go": _in_one_go(said),
        "command": f"printf %s {shlex.quote(text.decode())} | ssh-keygen -Y sign -n {NAMESPACE} -f ~/.ssh/id_ed25519",
    }


def opened(desk: Desk, request: Event, signer: Signer, form: Mapping[str, str]) -> None:
    """Note since when this reviewer had the page before them, for the report. Raises: InvalidArgumentsError."""
    now = desk.clock()
    try:
        shown_at = datetime.fromisoformat(form.get("shown_at", now.isoformat())).astimezone(UTC)
    except ValueError as error:
        raise InvalidArgumentsError("The form says no time.", hint="Load the page again.") from error
    deciding.opened(request, signer.reviewer, desk.ledger, shown_at=shown_at, now=now)


def record(desk: Desk, request: Event, form: Mapping[str, str]) -> None:
    """Take what came back signed.

    Raises:
        ApprovalInvalidError, SelfApprovalError: it does not hold.
        ApprovalExpiredError, ApprovalDeniedError: nothing is left to decide.
    """
    said = _carried(form.get("statement", ""))
    if "answer" in form:
        decision: dict[str, Any] = {"statement": said, "passkey": _json(form["answer"])}
    else:
        signature = form.get("signature", "").replace("\r\n", "\n").strip() + "\n"
        decision = {"statement": said, "signature": signature}
    deciding.decide(decision, request, desk.settings, desk.ledger, now=desk.clock())


def _in_one_go(said: Mapping[str, Any]) -> str:
    """The command that decides without the page."""
    words = ["mcp-migrate", "approvals", said["decision"], said["request_id"]]
    words += ["--reason", said["reason"]] if said["decision"] == "deny" else []
    if "rollback_until" in said:
        lasts = datetime.fromisoformat(said["rollback_until"]) - datetime.fromisoformat(said["not_before"])
        words += ["--covers-rollback", f"{lasts.total_seconds():g}s"]
    return f"{shlex.join(words)} --key ~/.ssh/id_ed25519"


def _cover(form: Mapping[str, str]) -> timedelta | None:
    """For how long the rollback is approved as well; None unless that was ticked. Raises: InvalidArgumentsError."""
    if "covers_rollback" not in form:
        return None
    try:
        return timedelta(seconds=seconds(form.get("covers_for", "")))
    except ValueError as error:
        raise InvalidArgumentsError("The form says no time for the rollback.", hint="Load the page again.") from error


def _asked(signer: Signer, text: bytes) -> dict[str, Any] | None:
    """What the browser is asked for where a passkey signs."""
    if signer.credential is None:
        return None
    challenge = passkey.encoded(passkey.challenge(text))
    return {"challenge": challenge, "rp": passkey.RELYING_PARTY, "credentials": [signer.credential]}


def _carried(text: str) -> dict[str, Any]:
    try:
        return _json(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise _damaged() from error


def _json(text: str | bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged() from error
    if not isinstance(said, dict):
        raise _damaged()
    return said


def _damaged() -> ApprovalInvalidError:
    return ApprovalInvalidError("What was signed came back damaged.", hint="Begin again from the page of the request.")


def _check_words(verdict: str, reason: str) -> None:
    if verdict not in {"approve", "deny"}:
        raise InvalidArgumentsError("The form says neither yes nor no.", hint="Go back and choose one.")
    if verdict == "deny" and not reason:
        raise InvalidArgumentsError("A no needs a reason.", hint="Go back and say why: the agent is told.")
    if len(reason) > _REASON or safe(reason) != reason or "\n" in reason:
        raise InvalidArgumentsError(
            f"The reason is not one line of up to {_REASON} plain characters.", hint="Go back and shorten it."
        )
