"""How does a person get a key, and who lets it in? The pages show what is signed; only a signature enrols anybody."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from mcp_migrate.approvals import reviewers as enrolled
from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError, InvalidArgumentsError, RequestNotFoundError
from mcp_migrate.signers import passkey
from mcp_migrate.signers.enrolment import NAMESPACE, Act
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.roster import NAME, Held, Roster, parse_key
from mcp_migrate.web.desk import Desk
from mcp_migrate.web.signatures import Signer, admins, chosen, refuse_odd, shown, signers, taken

_LONGEST = 200


def known(name: str) -> str:
    """A name that can be enrolled. Raises: RequestNotFoundError."""
    if not NAME.fullmatch(name):
        raise RequestNotFoundError("This is no name for a reviewer.", hint="Use letters, digits and . _ @ -")
    return name


def asked(desk: Desk, name: str, mark: str, *, host: str) -> dict[str, Any]:
    """What the browser that came by `host` is asked for.

    The mark of the form is the challenge, so nothing has to be remembered.
    """
    person = enrolled.reviewers(desk.settings, desk.ledger).people.get(name)
    keys = [held.key for held in person.keys] if person else []
    return {
        "challenge": passkey.encoded(bytes.fromhex(mark)),
        "rp": passkey.relying_party(desk.named(host)),
        "user": passkey.encoded(secrets.token_bytes(16)),
        "name": name,
        "algorithms": list(passkey.ALGORITHMS),
        "credentials": [passkey.encoded(key.credential) for key in keys if isinstance(key, passkey.Passkey)],
    }


def made(desk: Desk, name: str, form: Mapping[str, str], *, host: str) -> passkey.Passkey:
    """The passkey that the browser made; it belongs to the address of ours that it came by.

    Raises:
        ApprovalInvalidError: it is none.
    """
    try:
        credential = json.loads(form.get("answer", ""))
    except (ValueError, RecursionError) as error:
        raise ApprovalInvalidError("The browser sent no passkey.", hint="Load the page again.") from error
    if not isinstance(credential, dict):
        raise ApprovalInvalidError("The browser sent no passkey.", hint="Load the page again.")
    challenge, origin = bytes.fromhex(form["mark"]), desk.named(host)
    return passkey.enrolled(credential, challenge=challenge, origin=origin, comment=name)


def may_sign(desk: Desk) -> tuple[Signer, ...]:
    """Whose signature can let somebody in: the admins', and every reviewer's within their own groups."""
    return (*admins(desk), *signers(desk))


def people(desk: Desk) -> list[dict[str, Any]]:
    """The reviewers as the page lists them."""
    roster = enrolled.reviewers(desk.settings, desk.ledger)
    return [
        {
            "name": who.name,
            "groups": sorted(who.groups),
            "email": who.email,
            "vouched_by": who.vouched_by,
            "keys": [_told(held, roster) for held in who.keys],
        }
        for who in roster.people.values()
    ]


def draft(desk: Desk, form: Mapping[str, str]) -> dict[str, Any]:
    """The statement that lets a key in or takes it out, as the page shows it.

    Raises:
        InvalidArgumentsError: the form does not say whom, which key, or who signs.
    """
    act: Act = "remove" if form.get("act") == "remove" else "enrol"
    groups = [group.strip() for group in form.get("groups", "").split(",") if group.strip()]
    email, line = form.get("email", "").strip(), form.get("key", "").strip()
    for text, what in ((email, "e-mail"), *((group, "group") for group in groups)):
        refuse_odd(text, what, longest=_LONGEST)
    try:
        key = parse_key(line)
    except ConfigInvalidError as error:
        raise InvalidArgumentsError(error.sentence, hint="Go back and paste the whole line of a key.") from error
    signer, roster = chosen(may_sign(desk), form), enrolled.reviewers(desk.settings, desk.ledger)
    said = enrolled.draft(
        act,
        known(form.get("reviewer", "")),
        key,
        signer=signer.reviewer,
        signed_by=signer,
        roster=roster,
        ledger=desk.ledger,
        now=desk.clock(),
        nonce=secrets.token_hex(16),
        groups=groups,
        email=email or None,
    )
    return {
        **shown(said, signer, namespace=NAMESPACE),
        "verdict": act,
        "subject": f"{said['reviewer']} · {said['fingerprint']}",
        "back": "/reviewers",
        "to": "/reviewers/record",
        "in_one_go": None,
    }


def record(desk: Desk, form: Mapping[str, str]) -> None:
    """Take what came back signed. Raises: ApprovalInvalidError: it does not hold."""
    enrolled.enrol(taken(desk, form), desk.settings, desk.ledger, now=desk.clock())


def _told(held: Held, roster: Roster) -> dict[str, Any]:
    found = roster.holder(held.signed_by)
    by = "the configuration" if held.signed_by is None else found[0].name if found else "an admin"
    kind = held.key.kind if isinstance(held.key, PublicKey) else f"passkey at {held.key.relying_party}"
    at_most = held.at_most if found else None
    return {
        "line": held.key.line,
        "fingerprint": held.fingerprint,
        "kind": kind,
        "by": by,
        "since": held.since,
        "at_most": at_most,
    }
