"""Who can sign on a page, what is put before them, and what comes back?

The statement travels through the signer's own hands: the pages remember nothing of it, so a restart loses nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.approvals.safe import safe
from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError
from mcp_migrate.model import canonical
from mcp_migrate.signers import passkey
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.web.desk import Desk


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that somebody may sign with; an admin has no name.

    `credential` is what a browser knows a passkey by, on pages of `relying_party`.
    """

    reviewer: str | None
    fingerprint: str
    kind: str
    groups: tuple[str, ...]
    credential: str | None = None
    relying_party: str | None = None

    @property
    def choice(self) -> str:
        """How a form names it."""
        return f"{self.reviewer or ''} {self.fingerprint}"

    @property
    def called(self) -> str:
        return self.reviewer or "an admin"


def signers(desk: Desk) -> tuple[Signer, ...]:
    """Every key that counts and can sign on these pages, the passkeys of each reviewer first."""
    people = reviewers(desk.settings, desk.ledger).people.values()
    here = {passkey.relying_party(origin) for origin in desk.origins}
    return tuple(
        _signer(who.name, key, tuple(sorted(who.groups)))
        for who in people
        for key in sorted((held.key for held in who.keys), key=lambda key: isinstance(key, PublicKey))
        if isinstance(key, PublicKey) or key.relying_party in here
    )


def admins(desk: Desk) -> Iterator[Signer]:
    for key in reviewers(desk.settings, desk.ledger).admins.values():
        yield _signer(None, key, ())


def _signer(name: str | None, key: PublicKey | passkey.Passkey, groups: tuple[str, ...]) -> Signer:
    if isinstance(key, PublicKey):
        return Signer(name, key.fingerprint, key.kind, groups)
    host = key.relying_party
    return Signer(name, key.fingerprint, f"passkey at {host}", groups, passkey.encoded(key.credential), host)


def chosen(among: tuple[Signer, ...], form: Mapping[str, str]) -> Signer:
    """Whose key will sign. Raises: InvalidArgumentsError."""
    signer = next((each for each in among if each.choice == form.get("signer")), None)
    if signer is None:
        raise InvalidArgumentsError("No enrolled key was chosen.", hint="Go back and say whose key will sign.")
    return signer


def refuse_odd(text: str, what: str, *, longest: int) -> None:
    """Refuse what is not one plain line. Raises: InvalidArgumentsError."""
    if len(text) > longest or safe(text) != text or "\n" in text:
        raise InvalidArgumentsError(
            f"The {what} is not one line of up to {longest} plain characters.", hint="Go back and shorten it."
        )


def shown(said: Mapping[str, Any], signer: Signer, *, namespace: str) -> dict[str, Any]:
    """The exact statement, and how this key signs it."""
    text = canonical(said)
    return {
        "said": said,
        "signer": signer,
        "text": text.decode(),
        "carried": base64.b64encode(text).decode(),
        "asked": _asked(signer, text),
        "hash": hashlib.sha256(text).hexdigest(),
        "command": f"printf %s {shlex.quote(text.decode())} | ssh-keygen -Y sign -n {namespace} -f ~/.ssh/id_ed25519",
    }


def taken(desk: Desk, form: Mapping[str, str]) -> dict[str, Any]:
    """What came back signed; whoever checks it says whether it holds.

    Raises:
        ApprovalInvalidError: it is damaged, or a passkey made it on a page that is none of these.
    """
    said = _carried(form.get("statement", ""))
    if "answer" in form:
        answer = _json(form["answer"])
        if (page := passkey.made_on(answer)) not in desk.origins:  # an address that was ours may be somebody else's now
            raise ApprovalInvalidError(f"It was signed on {page[:100]!r}.", hint="Sign what this page shows, on it.")
        return {"statement": said, "passkey": answer}
    return {"statement": said, "signature": form.get("signature", "").replace("\r\n", "\n").strip() + "\n"}


def _asked(signer: Signer, text: bytes) -> dict[str, Any] | None:
    """What the browser is asked for where a passkey signs."""
    if signer.credential is None:
        return None
    challenge = passkey.encoded(passkey.challenge(text))
    return {"challenge": challenge, "rp": signer.relying_party, "credentials": [signer.credential]}


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
