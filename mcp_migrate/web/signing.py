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
from typing import Any

from mcp_migrate.approvals import deciding
from mcp_migrate.approvals.safe import safe
from mcp_migrate.approvals.standing import standing
from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError
from mcp_migrate.ledger import Event
from mcp_migrate.model import canonical
from mcp_migrate.signers.interface import NAMESPACE
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.web.desk import Desk

_REASON = 500
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that somebody may sign with."""

    reviewer: str
    fingerprint: str
    kind: str
    groups: tuple[str, ...]

    @property
    def choice(self) -> str:
        """How a form names it."""
        return f"{self.reviewer} {self.fingerprint}"


def signers(desk: Desk) -> tuple[Signer, ...]:
    """Every enrolled key."""
    return tuple(
        Signer(name, key.fingerprint, key.kind, reviewer.groups)
        for name, reviewer in desk.settings.reviewers.items()
        for key in map(parse_public_key, reviewer.ssh_keys)
    )


def draft(desk: Desk, request: Event, form: Mapping[str, str]) -> dict[str, Any]:
    """The statement to sign, as the page shows it.

    Raises:
        InvalidArgumentsError: the form does not say who decides what.
        ApprovalExpiredError, ApprovalDeniedError, ApprovalInvalidError: nothing is left to decide.
    """
    now = desk.clock()
    deciding.refuse_ended(standing(request, desk.ledger, desk.settings).status(now))
    signer = next((each for each in signers(desk) if each.choice == form.get("signer")), None)
    verdict, reason = form.get("verdict", ""), form.get("reason", "").strip()
    if signer is None:
        raise InvalidArgumentsError("No enrolled key was chosen.", hint="Go back and say whose key will sign.")
    _check_words(verdict, reason)
    said = deciding.draft(
        request,
        "approve" if verdict == "approve" else "deny",
        reviewer=signer.reviewer,
        key=signer.fingerprint,
        reason=reason or None,
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
        "hash": hashlib.sha256(text).hexdigest(),
        "command": f"printf %s {shlex.quote(text.decode())} | ssh-keygen -Y sign -n {NAMESPACE} -f ~/.ssh/id_ed25519",
    }


def record(desk: Desk, request: Event, form: Mapping[str, str]) -> None:
    """Take what came back signed.

    Raises:
        ApprovalInvalidError, SelfApprovalError: it does not hold.
        ApprovalExpiredError, ApprovalDeniedError: nothing is left to decide.
    """
    said = _carried(form.get("statement", ""))
    signature = form.get("signature", "").replace("\r\n", "\n").strip() + "\n"
    decision = {"statement": said, "signature": signature}
    deciding.decide(decision, request, desk.settings, desk.ledger, now=desk.clock())


def _carried(text: str) -> dict[str, Any]:
    try:
        said = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise ApprovalInvalidError(
            "The statement came back damaged.", hint="Begin again from the page of the request."
        ) from error
    if not isinstance(said, dict):
        raise ApprovalInvalidError("The statement is no object.", hint="Begin again from the page of the request.")
    return said


def _check_words(verdict: str, reason: str) -> None:
    if verdict not in {"approve", "deny"}:
        raise InvalidArgumentsError("The form says neither yes nor no.", hint="Go back and choose one.")
    if verdict == "deny" and not reason:
        raise InvalidArgumentsError("A no needs a reason.", hint="Go back and say why: the agent is told.")
    if len(reason) > _REASON or safe(reason) != reason or "\n" in reason:
        raise InvalidArgumentsError(
            f"The reason is not one line of up to {_REASON} plain characters.", hint="Go back and shorten it."
        )
