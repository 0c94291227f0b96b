"""How does a person get a passkey that an admin can enrol? The page makes it and shows the line; it enrols nobody."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, RequestNotFoundError
from mcp_migrate.signers import passkey
from mcp_migrate.web.desk import Desk

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""What stands in an address, a line of YAML and a line of the record as it is."""


def known(name: str) -> str:
    """A name that can be enrolled. Raises: RequestNotFoundError."""
    if not NAME.fullmatch(name):
        raise RequestNotFoundError("This is no name for a reviewer.", hint="Use letters, digits and . _ @ -")
    return name


def asked(desk: Desk, name: str, mark: str) -> dict[str, Any]:
    """What the browser is asked for; the mark of the form is the challenge, so nothing has to be remembered."""
    reviewer = desk.settings.reviewers.get(name)
    enrolled = map(passkey.parse_passkey, reviewer.passkeys if reviewer else ())
    return {
        "challenge": passkey.encoded(bytes.fromhex(mark)),
        "rp": passkey.RELYING_PARTY,
        "user": passkey.encoded(secrets.token_bytes(16)),
        "name": name,
        "algorithms": list(passkey.ALGORITHMS),
        "credentials": [passkey.encoded(key.credential) for key in enrolled],
    }


def made(desk: Desk, name: str, form: Mapping[str, str]) -> passkey.Passkey:
    """The passkey that the browser made. Raises: ApprovalInvalidError."""
    try:
        credential = json.loads(form.get("answer", ""))
    except (ValueError, RecursionError) as error:
        raise ApprovalInvalidError("The browser sent no passkey.", hint="Load the page again.") from error
    if not isinstance(credential, dict):
        raise ApprovalInvalidError("The browser sent no passkey.", hint="Load the page again.")
    return passkey.enrolled(credential, challenge=bytes.fromhex(form["mark"]), origin=desk.origin, comment=name)
