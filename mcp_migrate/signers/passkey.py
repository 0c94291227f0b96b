"""Which passkey is enrolled, and did the person who holds it sign this statement with it?

WebAuthn (W3C, level 2): the browser has the authenticator sign a challenge, and the challenge is the hash of the
statement. The relying party is where the review pages are: ``localhost``, or the host of the address that a
configuration gives them. A passkey belongs to one of them, and each assertion names the page it was made on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.settings.networks import known_address
from mcp_migrate.signers.interface import Verified

HERE = "localhost"
"""The relying party of pages on this machine."""
ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA and RS256 (the COSE registry of IANA): what authenticators have."""
PARTS = ("id", "client_data", "authenticator_data", "signature")
_KIND, _KIND_ELSEWHERE = "passkey/1", "passkey/2"
_FIELDS = 3
_LONGEST = 4096
_ELSEWHERE = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")
_HINT = "Enrol it with `mcp-migrate reviewers enroll NAME`, and copy the whole line that the page shows."


@dataclass(frozen=True, slots=True)
class Passkey:
    """The public half: its id, its key as COSE, and how often the authenticator had signed when it was enrolled.

    `origin` is the address of the pages that it belongs to; None for those on this machine, whatever their port.
    """

    credential: bytes
    public: bytes
    counter: int
    comment: str = ""
    origin: str | None = None

    @property
    def fingerprint(self) -> str:
        return "passkey:" + encoded(hashlib.sha256(self.public).digest())

    @property
    def relying_party(self) -> str:
        """The host that its authenticator knows it by."""
        return relying_party(self.origin)

    @property
    def line(self) -> str:
        """As the configuration holds it."""
        kind = (_KIND,) if self.origin is None else (_KIND_ELSEWHERE, self.origin)
        fields = (*kind, encoded(self.credential), encoded(self.public), str(self.counter), self.comment)
        return " ".join(fields).rstrip()


def parse_passkey(text: str) -> Passkey:
    """Read one line ``passkey/1 ID KEY COUNTER comment``, or with an address behind ``passkey/2``.

    Raises:
        ConfigInvalidError: it is neither.
    """
    kind, _, rest = text.strip().partition(" ")
    origin = None
    if kind == _KIND_ELSEWHERE:
        origin, _, rest = rest.partition(" ")
    fields = rest.split(" ", _FIELDS)
    if kind not in {_KIND, _KIND_ELSEWHERE} or len(fields) < _FIELDS or not text.isprintable():
        raise _refused("it is not one line `passkey/1 ID KEY COUNTER comment`, or `passkey/2 ADDRESS ID KEY …`")
    if origin is not None and not _can_have_passkeys(origin):
        raise _refused("its address is none that passkeys can belong to")
    counter = fields[2]
    if not (counter.isascii() and counter.isdecimal() and int(counter) < 2**32):
        raise _refused("its counter is no number of 32 bits")
    try:
        credential, public = decoded(fields[0]), decoded(fields[1])
    except ValueError as error:
        raise _refused("its id or its key is not base64url") from error
    return Passkey(credential, public, int(counter), " ".join(fields[_FIELDS:]), origin)


def relying_party(origin: str | None) -> str:
    """Who asks for a signature on the pages at `origin`."""
    return HERE if origin is None else str(urlsplit(origin).hostname)


def made_on(assertion: object) -> str:
    """The address of the page that an answer was made on, as the browser says. Raises: ApprovalInvalidError."""
    with _explained():
        return _page(_parts(assertion)["client_data"])


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
            expected_rp_id=key.relying_party,
            expected_origin=_page_of(key, parts["client_data"]),
            credential_public_key=key.public,
            credential_current_sign_count=0,  # the record of decisions has what came before
            require_user_verification=True,
        )
        if found.credential_id != key.credential:
            raise ValueError("it was made by another passkey")
    return Verified(Assurance.VERIFIED, found.new_sign_count)


def enrolled(credential: Mapping[str, Any], *, challenge: bytes, origin: str, comment: str) -> Passkey:
    """The passkey that a browser made on our page at `origin`, to which it belongs. Raises: ApprovalInvalidError."""
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    place = None if _is_here(origin) else origin
    with _explained():
        found = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=relying_party(place),
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
        )
    return Passkey(found.credential_id, found.credential_public_key, found.sign_count, comment, place)


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


def _page(client_data: str) -> str:
    """The page it was made on, in no frame of another."""
    said = json.loads(decoded(client_data))
    if not isinstance(said, dict) or said.get("crossOrigin") or "topOrigin" in said:
        raise ValueError("it was made in a frame of another page")
    return str(said.get("origin"))


def _page_of(key: Passkey, client_data: str) -> str:
    """The page it was made on: the one that the passkey belongs to, or any of this machine's."""
    origin = _page(client_data)
    if not (_is_here(origin) if key.origin is None else origin == key.origin):
        raise ValueError(f"it was made on {origin[:100]!r}, which is no page that this passkey belongs to")
    return origin


def _is_here(origin: str) -> bool:
    place = urlsplit(origin)
    return place.hostname == HERE and origin == f"http://{place.netloc}" and place.username is None


def _can_have_passkeys(origin: str) -> bool:
    """Whether a browser makes passkeys there: protected, and by a name."""
    return bool(_ELSEWHERE.fullmatch(origin)) and known_address(relying_party(origin)) is None


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
