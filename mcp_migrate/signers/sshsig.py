"""Does this SSH signature hold, over this message, by this key, for this purpose?

The format is OpenSSH's PROTOCOL.sshsig. Stricter than ``ssh-keygen -Y verify``, which takes the signature of
a security key that nobody touched: and one signature has one spelling here, apart from the width of the
armor's lines and the newline after it.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.algorithms import Material, is_security_key, open_key
from mcp_migrate.signers.interface import NAMESPACE, Verified
from mcp_migrate.signers.keys import PublicKey, from_blob
from mcp_migrate.signers.wire import Reader, WireError, from_base64, string

__all__ = ["HASHES", "NAMESPACE", "Verified", "armor", "envelope", "signed_data", "verify"]

HASHES = ("sha256", "sha512")
_MAGIC, _VERSION = b"SSHSIG", 1
_HEADER, _FOOTER = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_WIDTH, _WIDEST = 70, 76  # what ssh-keygen writes; what PROTOCOL.sshsig recommends
_LONGEST = 16_384  # characters; an RSA key of 16384 bits signs in 6,000

# The flags an authenticator signs (Web Authentication, section 6.1). Backup bits say how the key is kept. The
# rest is reserved, or says that more data was signed than an SSH signature carries.
_PRESENT, _VERIFIED_USER, _BACKUP = 0x01, 0x04, 0x18
_KNOWN_FLAGS = _PRESENT | _VERIFIED_USER | _BACKUP


@dataclass(frozen=True, slots=True)
class _Envelope:
    """An armored signature, opened."""

    public_key: bytes
    namespace: str
    hashing: str
    signature: bytes


def verify(message: bytes, signature: str, key: PublicKey, *, namespace: str = NAMESPACE) -> Verified:
    """Hold an armored `signature` against `message` and `key`; say how sure it makes us of a person.

    Raises:
        ApprovalInvalidError: it does not hold; the sentence says which rule it breaks.
    """
    try:
        envelope = _open(_dearmor(signature))
        _fits(envelope, key, namespace)
        data = signed_data(message, namespace=namespace, hashing=envelope.hashing)
        return _judge(envelope.signature, data, key)
    except WireError as problem:
        raise ApprovalInvalidError(
            f"The signature is refused: {problem}.",
            hint=f"Sign exactly what was asked, with the enrolled key, for the namespace {namespace}.",
        ) from problem


def key_in(signature: str) -> PublicKey | None:
    """The key that an armored signature says it is by; None where it is no signature. Nothing is verified."""
    try:
        return from_blob(_open(_dearmor(signature)).public_key)
    except (WireError, ConfigInvalidError):
        return None


def signed_data(message: bytes, *, namespace: str, hashing: str) -> bytes:
    """What the key signs in place of `message` (PROTOCOL.sshsig, section 3)."""
    if hashing not in HASHES:
        raise WireError(f"its hash is {hashing!r}, neither sha256 nor sha512")
    hashed = hashlib.new(hashing, message).digest()
    fields = (namespace.encode(), b"", hashing.encode(), hashed)
    return _MAGIC + b"".join(map(string, fields))


def envelope(public_key: bytes, signature: bytes, *, namespace: str, hashing: str) -> bytes:
    """The blob that is armored (PROTOCOL.sshsig, section 2)."""
    fields = (public_key, namespace.encode(), b"", hashing.encode(), signature)
    return _MAGIC + struct.pack(">I", _VERSION) + b"".join(map(string, fields))


def armor(blob: bytes) -> str:
    """The text form, as ssh-keygen writes it."""
    text = base64.b64encode(blob).decode("ascii")
    lines = [text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH)]
    return "\n".join([_HEADER, *lines, _FOOTER, ""])


def _dearmor(text: str) -> bytes:
    if len(text) > _LONGEST:
        raise WireError(f"it is longer than {_LONGEST} characters")
    whole = text.removesuffix("\n").split("\n")
    lines = whole[1:-1]
    if whole[0] != _HEADER or whole[-1] != _FOOTER or not lines:
        raise WireError("it is not exactly an SSH signature's header, base64 lines and footer")
    width = len(lines[0])
    even = all(len(line) == width for line in lines[:-1]) and 0 < len(lines[-1]) <= width <= _WIDEST
    if not even:
        raise WireError(f"its base64 is not in lines of one width up to {_WIDEST} characters")
    return from_base64("".join(lines), "its body")


def _open(blob: bytes) -> _Envelope:
    reader = Reader(blob, "the signature")
    if reader.take(len(_MAGIC), "preamble") != _MAGIC:
        raise WireError("its body does not begin with SSHSIG")
    if (version := reader.uint32("version")) != _VERSION:
        raise WireError(f"its version is {version}, not {_VERSION}")
    public_key, namespace = reader.string("public key"), reader.text("namespace")
    if reader.string("reserved field"):
        raise WireError("its reserved field is not empty")
    opened = _Envelope(public_key, namespace, reader.text("hash name"), reader.string("signature"))
    reader.end()
    return opened


def _fits(opened: _Envelope, key: PublicKey, namespace: str) -> None:
    if not namespace or opened.namespace != namespace:
        raise WireError(f"it was made for the namespace {opened.namespace!r}, not {namespace!r}")
    if opened.public_key != key.blob:
        raise WireError(f"it was made by another key than {key.fingerprint}")


def _judge(signature: bytes, data: bytes, key: PublicKey) -> Verified:
    kind, material = open_key(key.blob)
    reader = Reader(signature, "the inner signature")
    algorithm, raw = reader.text("algorithm"), reader.string("value")
    flags, counter = (reader.byte("flags"), reader.uint32("counter")) if is_security_key(kind) else (0, None)
    reader.end()
    if kind != key.kind or algorithm not in material.scheme.algorithms:
        raise WireError(f"its algorithm is {algorithm!r}, which does not fit a key of kind {key.kind}")
    if not material.scheme.holds(algorithm, raw, _authenticated(material, flags, counter, data)):
        raise WireError(f"it is not a signature of this message by {key.fingerprint}")
    return Verified(_assurance(flags) if counter is not None else Assurance.SOFTWARE, counter)


def _authenticated(material: Material, flags: int, counter: int | None, data: bytes) -> bytes:
    """What a security key signs in place of `data` (PROTOCOL.u2f); other keys sign `data`."""
    if material.application is None:
        return data
    application = hashlib.sha256(material.application.encode()).digest()
    return application + struct.pack(">BI", flags, counter) + hashlib.sha256(data).digest()


def _assurance(flags: int) -> Assurance:
    if flags & ~_KNOWN_FLAGS:
        raise WireError(f"its security key set flags that mean nothing here (0x{flags:02x})")
    if not flags & _PRESENT:
        raise WireError("nobody touched the security key that made it (the presence flag is not set)")
    return Assurance.VERIFIED if flags & _VERIFIED_USER else Assurance.PRESENCE
