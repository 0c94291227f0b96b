"""Which passkey is enrolled, and did the person who holds it sign this statement with it?

WebAuthn (W3C, level 2): the browser has the authenticator sign a challenge, and the challenge is the hash of the
statement. The relying party is ``localhost``, where the review pages are; each assertion names the page it was made on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.interface import Verified

RELYING_PARTY = "localhost"
ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA and RS256 (the COSE registry of IANA): what authenticators have."""
PARTS = ("id", "client_data", "authenticator_data", "signature")
_KIND = "passkey/1"
_FIELDS = 4
_LONGEST = 4096
_HINT = "Enrol it with `mcp-migrate reviewers enroll NAME`, and copy the whole line that the page shows."


@dataclass(frozen=True, slots=True)
class Passkey:
    """The public half: its id, its key as COSE, and how often the authenticator had signed when it was enrolled."""

    credential: bytes
    public: bytes
    counter: int
    comment: str = ""

    @property
    def fingerprint(self) -> str:
        return "passkey:" + encoded(hashlib.sha256(self.public).digest())

    @property
    def line(self) -> str:
        """As the configuration holds it."""
        fields = (_KIND, encoded(self.credential), encoded(self.public), str(self.counter), self.comment)
        return " ".join(fields).rstrip()


def parse_passkey(text: str) -> Passkey:
    """Read one line ``passkey/1 ID KEY COUNTER comment``. Raises: ConfigInvalidError."""
    fields = text.strip().split(" ", _FIELDS)
    if len(fields) < _FIELDS or fields[0] != _KIND or not text.isprintable():
        raise _refused("it is not one line `passkey/1 ID KEY COUNTER comment`")
    counter = fields[3]
    if not (counter.isascii() and counter.isdecimal() and int(counter) < 2**32):
        raise _refused("its counter is no number of 32 bits")
    try:
        credential, public = decoded(fields[1]), decoded(fields[2])
    except ValueError as error:
        raise _refused("its id or its key is not base64url") from error
    return Passkey(credential, public, int(counter), " ".join(fields[_FIELDS:]))


def challenge(message: bytes) -> bytes:
    """What an authenticator signs in place of `message`."""
    return hashlib.sha256(message).digest()


def verify(message: bytes, assertion: object, key: Passkey) -> Verified:
    """Hold an assertion against `message` and `key`: the person was there, and the authenticator knew them.

    Raises:
        ApprovalInvalidError: it does not hold.
    """
    from webauthn import verify_authentication_response

    with _explained():
        parts = _parts(assertion)
        found = verify_authentication_response(
            credential=_credential(parts),
            expected_challenge=challenge(message),
            expected_rp_id=RELYING_PARTY,
            expected_origin=_origin(parts["client_data"]),
            credential_public_key=key.public,
            credential_current_sign_count=0,  # the record of decisions has what came before
            require_user_verification=True,
        )
        if found.credential_id != key.credential:
            raise ValueError("it was made by another passkey")
    return Verified(Assurance.VERIFIED, found.new_sign_count)


def enrolled(credential: Mapping[str, Any], *, challenge: bytes, origin: str, comment: str) -> Passkey:
    """The passkey that a browser made on our page at `origin`. Raises: ApprovalInvalidError."""
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    with _explained():
        found = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=RELYING_PARTY,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
        )
    return Passkey(found.credential_id, found.credential_public_key, found.sign_count, comment)


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def decoded(text: str) -> bytes:
    """The inverse of `encoded`; one spelling for each value. Raises: ValueError."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("it is not base64url") from error
    if not data or encoded(data) != text:
        raise ValueError("it is not base64url as we write it")
    return data


def _parts(assertion: object) -> dict[str, str]:
    if not isinstance(assertion, Mapping) or set(assertion) != set(PARTS):
        raise ValueError(f"it has not exactly the parts {', '.join(PARTS)}")
    parts = {name: assertion[name] for name in PARTS}
    if not all(isinstance(part, str) and len(part) <= _LONGEST for part in parts.values()):
        raise ValueError(f"a part of it is no text of up to {_LONGEST} characters")
    return {name: part for name, part in parts.items() if decoded(part)}


def _credential(parts: Mapping[str, str]) -> dict[str, Any]:
    response = {
        "clientDataJSON": parts["client_data"],
        "authenticatorData": parts["authenticator_data"],
        "signature": parts["signature"],
    }
    return {"id": parts["id"], "rawId": parts["id"], "type": "public-key", "response": response}


def _origin(client_data: str) -> str:
    """The page it was made on: one of this machine's, in no frame of another."""
    said = json.loads(decoded(client_data))
    if not isinstance(said, dict) or said.get("crossOrigin") or "topOrigin" in said:
        raise ValueError("it was made in a frame of another page")
    origin = str(said.get("origin"))
    place = urlsplit(origin)
    if place.hostname != RELYING_PARTY or origin != f"http://{place.netloc}" or place.username is not None:
        raise ValueError(f"it was made on {origin[:100]!r}, which is none of our pages")
    return origin


@contextmanager
def _explained() -> Iterator[None]:
    """What the library and the cryptography say of bytes that are no passkey's."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        yield
    except (WebAuthnException, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ApprovalInvalidError(
            f"The passkey's answer is refused: {str(error)[:300]}.", hint="Sign what the page shows, on that page."
        ) from error


def _refused(why: str) -> ConfigInvalidError:
    return ConfigInvalidError(f"This passkey cannot be enrolled: {why}.", hint=_HINT)
