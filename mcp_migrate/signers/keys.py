"""Which public key is enrolled? One line as in `authorized_keys`, without options: kind, base64, comment."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.signers.algorithms import KINDS, RSA_BITS, open_key
from mcp_migrate.signers.wire import WireError, from_base64

_HINT = "Enrol the one line of a .pub file: an ssh-ed25519 key, or better an sk- key on a security key."
_WITHOUT_COMMENT = 2  # fields
_LONGEST = 8192  # characters; an RSA key of 16384 bits takes 2,800


@dataclass(frozen=True, slots=True)
class PublicKey:
    kind: str
    blob: bytes
    comment: str

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode("ascii").rstrip("=")

    @property
    def line(self) -> str:
        """As a .pub file holds it, without the newline."""
        return f"{self.kind} {base64.b64encode(self.blob).decode('ascii')} {self.comment}".rstrip()


def parse_public_key(text: str) -> PublicKey:
    """Read one line ``ssh-ed25519 AAAA… comment``.

    Raises:
        ConfigInvalidError: it is no such line, or a kind of key that does not count; says why.
    """
    line = text.strip(" \t\r\n")
    fields = re.split(r"[ \t]+", line, maxsplit=2)
    if len(text) > _LONGEST or "\n" in line or "\r" in line or len(fields) < _WITHOUT_COMMENT:
        raise _refused(_shape(text))
    kind, encoded, comment = fields if len(fields) > _WITHOUT_COMMENT else (*fields, "")
    if kind not in KINDS:
        raise _refused(_unsupported(kind, text))
    if not comment.isprintable():
        raise _refused("its comment holds control characters")
    try:
        blob = from_base64(encoded, "its second field")
        inner, _ = open_key(blob)
    except WireError as problem:
        raise _refused(str(problem)) from problem
    if inner != kind:
        raise _refused(f"it says {kind} and holds a key of kind {inner}")
    return PublicKey(kind, blob, comment)


def from_blob(blob: bytes, comment: str = "") -> PublicKey:
    """A public key in its wire form, held to the same rules. Raises: ConfigInvalidError."""
    try:
        kind, _ = open_key(blob)
    except WireError as problem:
        raise _refused(str(problem)) from problem
    return PublicKey(kind, blob, comment)


def _shape(text: str) -> str:
    if "PRIVATE KEY" in text:
        return "it is a private key, which belongs in no configuration: make a new key pair"
    return "it is not one line `kind base64 comment`"


def _unsupported(kind: str, text: str) -> str:
    """Why `kind` does not count. Never repeats what may be a secret pasted by mistake."""
    if "PRIVATE KEY" in text:
        return _shape(text)
    if kind == "ssh-dss":
        return "DSA keys are too weak"
    if kind.endswith("-cert-v01@openssh.com"):
        return "certificates are not taken, only plain keys: no authority is consulted here"
    if any(f" {known} " in text for known in KINDS):
        return "it begins with options, which would not be enforced"
    return f"its kind is none of {', '.join(KINDS)} (ssh-rsa with at least {RSA_BITS[0]} bits)"


def _refused(why: str) -> ConfigInvalidError:
    return ConfigInvalidError(f"This SSH public key cannot be enrolled: {why}.", hint=_HINT)
