"""Which kinds of key count, and does a raw signature of each hold?

Keys and signatures as OpenSSH writes them: RFC 4253 and 8332 (RSA), RFC 5656 (ECDSA), RFC 8709 (Ed25519) and
OpenSSH's PROTOCOL.u2f (the ``sk-`` kinds, whose private half lives in a security key). An ECDSA signature has
a twin (s and n - s) that holds as well, as everywhere: what makes a decision count once is its nonce.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from mcp_migrate.signers.wire import Reader, WireError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurve
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

RSA_BITS = range(3072, 16384 + 1)
RSA_EXPONENTS = range(65537, 2**64)
APPLICATION = "ssh:"
"""What OpenSSH enrols a security key for always begins so."""

_POINT, _SIGNATURE = 32, 64  # bytes, RFC 8032
_P25519 = 2**255 - 19
_Y_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_Y_SMALL_ORDER = frozenset({0, 1, _P25519 - 1, _Y_ORDER_8, _P25519 - _Y_ORDER_8})


class Scheme(Protocol):
    """The public half of a key pair."""

    @property
    def algorithms(self) -> frozenset[str]:
        """The signature algorithms that fit."""
        ...

    def holds(self, algorithm: str, raw: bytes, data: bytes) -> bool:
        """Is `raw` a signature over `data`? Raises: WireError."""
        ...


@dataclass(frozen=True, slots=True)
class Ed25519:
    point: bytes
    algorithms: frozenset[str]

    @classmethod
    def read(cls, kind: str, reader: Reader) -> Ed25519:
        """One spelling for each point, and none for which anybody can sign (RFC 8032, 5.1.3 and 5.1.7)."""
        point = reader.string("point")
        y = int.from_bytes(point, "little") & (2**255 - 1)
        if len(point) != _POINT or y >= _P25519:
            raise WireError("its Ed25519 point is not 32 bytes in canonical form")
        if y in _Y_SMALL_ORDER:
            raise WireError("its Ed25519 point has a small order, so that anybody could sign for it")
        return cls(point, frozenset({kind}))

    def holds(self, algorithm: str, raw: bytes, data: bytes) -> bool:
        """OpenSSL refuses an S that is not below the group's order."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if len(raw) != _SIGNATURE:
            raise WireError(f"its {algorithm} part has {len(raw)} bytes, not 64")
        try:
            Ed25519PublicKey.from_public_bytes(self.point).verify(raw, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Ecdsa:
    curve: str
    point: bytes
    algorithms: frozenset[str]

    @classmethod
    def read(cls, kind: str, reader: Reader) -> Ecdsa:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

        curve, point = reader.text("curve"), reader.string("point")
        if curve != kind.removeprefix("sk-").removeprefix("ecdsa-sha2-").removesuffix("@openssh.com"):
            raise WireError(f"its curve is {curve}, which does not belong to {kind}")
        if not point.startswith(b"\x04"):
            raise WireError("its point is not in uncompressed form")
        try:
            EllipticCurvePublicKey.from_encoded_point(curve_of(curve)[0], point)
        except ValueError as error:
            raise WireError(f"its point is not on {curve}") from error
        return cls(curve, point, frozenset({kind}))

    def holds(self, algorithm: str, raw: bytes, data: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        reader = Reader(raw, f"the {algorithm} part")
        r, s = reader.mpint("r"), reader.mpint("s")
        reader.end()
        curve, hashing = curve_of(self.curve)
        key = ec.EllipticCurvePublicKey.from_encoded_point(curve, self.point)
        try:
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashing))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Rsa:
    exponent: int
    modulus: int
    algorithms: frozenset[str] = frozenset({"rsa-sha2-256", "rsa-sha2-512"})

    @classmethod
    def read(cls, kind: str, reader: Reader) -> Rsa:
        exponent, modulus = reader.mpint("exponent"), reader.mpint("modulus")
        bits = modulus.bit_length()
        if bits not in RSA_BITS:
            raise WireError(f"its {kind} modulus has {bits} bits, not {RSA_BITS[0]} to {RSA_BITS[-1]}")
        if exponent not in RSA_EXPONENTS or not exponent & modulus & 1:
            raise WireError("its exponent is not an odd number from 65537 to 64 bits, or its modulus is even")
        return cls(exponent, modulus)

    def holds(self, algorithm: str, raw: bytes, data: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        # RFC 8332, section 3: as long as the modulus; OpenSSH would also take a shorter one.
        size = (self.modulus.bit_length() + 7) // 8
        if len(raw) != size:
            raise WireError(f"its {algorithm} part has {len(raw)} bytes, not {size}")
        hashing = hashes.SHA256() if algorithm == "rsa-sha2-256" else hashes.SHA512()
        key = rsa.RSAPublicNumbers(self.exponent, self.modulus).public_key()
        try:
            key.verify(raw, data, padding.PKCS1v15(), hashing)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Material:
    """A public key, opened. `application` is what a security key was enrolled for; other kinds have none."""

    scheme: Scheme
    application: str | None


_READERS: MappingProxyType[str, Callable[[str, Reader], Scheme]] = MappingProxyType(
    {
        "ssh-ed25519": Ed25519.read,
        "ecdsa-sha2-nistp256": Ecdsa.read,
        "ecdsa-sha2-nistp384": Ecdsa.read,
        "ecdsa-sha2-nistp521": Ecdsa.read,
        "ssh-rsa": Rsa.read,
        "sk-ssh-ed25519@openssh.com": Ed25519.read,
        "sk-ecdsa-sha2-nistp256@openssh.com": Ecdsa.read,
    }
)
KINDS = tuple(_READERS)


def open_key(blob: bytes) -> tuple[str, Material]:
    """The kind and the parts of a public key in its wire form. Raises: WireError."""
    reader = Reader(blob, "the public key")
    kind = reader.text("kind")
    if kind not in _READERS:
        raise WireError(f"its kind is {kind!r}, none of {', '.join(KINDS)}")
    scheme = _READERS[kind](kind, reader)
    application = reader.text("application") if is_security_key(kind) else None
    reader.end()
    if application is not None and not application.startswith(APPLICATION):
        raise WireError(f"it was enrolled for {application!r}, which does not begin with {APPLICATION!r}")
    return kind, Material(scheme, application)


def is_security_key(kind: str) -> bool:
    return kind.startswith("sk-")


def curve_of(name: str) -> tuple[EllipticCurve, HashAlgorithm]:
    """The curve and the hash that goes with it (RFC 5656, section 6.2.1)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return {
        "nistp256": (ec.SECP256R1(), hashes.SHA256()),
        "nistp384": (ec.SECP384R1(), hashes.SHA384()),
        "nistp521": (ec.SECP521R1(), hashes.SHA512()),
    }[name]
