"""What exactly is signed to let a reviewer's key in or to take it out, and does one such signature hold?

It is made for a purpose of its own: an SSH signature by its namespace, a passkey's by the format under its challenge.
No approval lets anybody in, and no enrolment approves anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Assurance, canonical
from mcp_migrate.signers.interface import Key, Verified
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.passkey import Passkey
from mcp_migrate.signers.passkey import verify as verify_passkey
from mcp_migrate.signers.roster import NAME, Enrolment, Roster, parse_key, refused, weaker
from mcp_migrate.signers.sshsig import verify

FORMAT = "mcp-migrate/enrolment/1"
NAMESPACE = "enrolment@mcp-migrate"
_NONCE, _GROUP = 16, 64
"""Characters that a nonce has at least, and a group at most."""

Act = Literal["enrol", "remove"]


def statement(
    act: Act,
    *,
    reviewer: str,
    key: PublicKey | Passkey,
    signer: str | None,
    signed_by: Key,
    at: datetime,
    nonce: str,
    head: Mapping[str, Any],
    groups: Iterable[str] = (),
    email: str | None = None,
) -> dict[str, Any]:
    """What is signed. `signer` is the reviewer who signs, None for an admin; `head` is the ledger's as they saw it."""
    return {
        "format": FORMAT,
        "act": act,
        "reviewer": reviewer,
        "key": key.line,
        "fingerprint": key.fingerprint,
        "groups": sorted(groups),
        "email": email,
        "signer": signer,
        "signed_by": signed_by.fingerprint,
        "signed_at": at.isoformat(),
        "nonce": nonce,
        "ledger": dict(head),
    }


def check(entry: Mapping[str, Any], roster: Roster) -> Enrolment:
    """Hold one signed enrolment against the admins' keys and those that count at this moment.

    Raises:
        ApprovalInvalidError: the statement, the signer or the signature does not hold.
    """
    said = entry.get("statement")
    if not isinstance(said, Mapping) or said.get("format") != FORMAT:
        raise refused("it is not an enrolment of this version")
    signer = said.get("signer")
    key, at_most = _signing_key(signer, said.get("signed_by"), roster)
    verified = _verified(_message(said), entry, key)
    told = _told(said)
    assurance = weaker(verified.assurance, at_most) if at_most else verified.assurance
    return Enrolment(**told, signer=signer, signed_by=key.fingerprint, assurance=assurance)


def _signing_key(signer: object, fingerprint: object, roster: Roster) -> tuple[PublicKey | Passkey, Assurance | None]:
    """The key, and how much it proves at most where it is a reviewer's."""
    if signer is None:
        admin = roster.admins.get(str(fingerprint))
        if admin is None:
            raise refused(f"the key {fingerprint} is none of an admin's")
        return admin, None
    found = roster.holder(fingerprint)
    if found is None or found[0].name != signer:
        raise refused(f"the key {fingerprint} is not one of {signer}'s")
    return found[1].key, found[1].at_most


def _verified(message: bytes, entry: Mapping[str, Any], key: PublicKey | Passkey) -> Verified:
    signature = entry.get("signature")
    if isinstance(key, Passkey) and signature is None:
        return verify_passkey(message, entry.get("passkey"), key)
    if isinstance(key, Passkey) or "passkey" in entry or not isinstance(signature, str):
        raise refused("it is not signed as its key signs")
    return verify(message, signature, key, namespace=NAMESPACE)


def _message(said: Mapping[str, Any]) -> bytes:
    try:
        return canonical(dict(said))
    except (ValueError, TypeError) as error:  # no canonical JSON: nobody can have signed it
        raise refused("its statement is no canonical JSON") from error


def _told(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a statement says of the key, whole and readable, or nothing."""
    act, name, nonce, groups, email = (said.get(part) for part in ("act", "reviewer", "nonce", "groups", "email"))
    if act not in {"enrol", "remove"} or not isinstance(nonce, str) or len(nonce) < _NONCE:
        raise refused("its act or its nonce is missing")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise refused("it names no reviewer")
    if not isinstance(groups, list) or not all(isinstance(g, str) and 0 < len(g) <= _GROUP for g in groups):
        raise refused("it does not say which groups")
    if not (email is None or (isinstance(email, str) and "@" in email and email.isprintable())):
        raise refused("its e-mail is none")
    try:
        key = parse_key(str(said.get("key")))
    except ConfigInvalidError as error:
        raise refused(error.sentence.rstrip(".")) from error
    if key.fingerprint != said.get("fingerprint"):
        raise refused("its key is another than it says")
    return {"act": act, "reviewer": name, "key": key, "groups": frozenset(groups), "email": email}
