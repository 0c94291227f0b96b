"""Which spelling of a signature is the only one that counts, and what is said about the others?"""

from __future__ import annotations

import hashlib
from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import ApprovalInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.interface import NAMESPACE, Verified
from mcp_migrate.signers.keys import PublicKey, parse_public_key
from mcp_migrate.signers.sshsig import armor, verify

MESSAGE = b'{"decision":"approve"}'
SOFTWARE = Verified(Assurance.SOFTWARE, None)
ORDER = 2**252 + 27742317777372353535851937790883648493
P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def s(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def n(value: int) -> bytes:
    return s(value.to_bytes(value.bit_length() // 8 + 1, "big"))


@cache
def private(kind: str) -> Private:
    if kind == "ssh-rsa":
        return rsa.generate_private_key(65537, 3072)
    if kind == "ssh-ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


@cache
def public(kind: str) -> PublicKey:
    line = private(kind).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return parse_public_key(line.decode())


def raw_of(kind: str, data: bytes) -> tuple[bytes, bytes]:
    key = private(kind)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return kind.encode(), key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return b"rsa-sha2-512", key.sign(data, padding.PKCS1v15(), hashes.SHA512())
    r, second = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return kind.encode(), n(r) + n(second)


def signed(
    kind: str,
    *,
    namespace: bytes = NAMESPACE.encode(),
    reserved: bytes = b"",
    hashing: bytes = b"sha512",
) -> tuple[bytes, bytes, bytes]:
    """Purpose, algorithm and raw signature: honestly signed, whatever they say."""
    purpose = s(namespace) + s(reserved) + s(hashing)
    hashed = hashlib.new(hashing.decode(), MESSAGE).digest()
    return purpose, *raw_of(kind, b"SSHSIG" + purpose + s(hashed))


def body(kind: str, purpose: bytes, inner: bytes, *, head: bytes = b"SSHSIG\0\0\0\1") -> bytes:
    return head + s(public(kind).blob) + purpose + s(inner)


def refused(blob: bytes, kind: str, why: str) -> None:
    with pytest.raises(ApprovalInvalidError, match=why) as error:
        verify(MESSAGE, armor(blob), public(kind))
    assert error.value.hint


KINDS = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]


@cache
def honest(kind: str) -> bytes:
    purpose, algorithm, raw = signed(kind)
    return body(kind, purpose, s(algorithm) + s(raw))


@pytest.mark.parametrize("kind", KINDS)
def test_the_signatures_these_tests_spoil_are_good(kind: str) -> None:
    assert verify(MESSAGE, armor(honest(kind)), public(kind)) == SOFTWARE


@pytest.mark.parametrize("hashing", [b"md5", b"sha1", b"sha384", b"sha3_512", b"SHA512"])
def test_only_sha256_and_sha512_hash_the_message(hashing: bytes) -> None:
    purpose, algorithm, raw = signed("ssh-ed25519", hashing=hashing)

    refused(body("ssh-ed25519", purpose, s(algorithm) + s(raw)), "ssh-ed25519", "neither sha256 nor sha512")


@pytest.mark.parametrize(
    ("namespace", "why"),
    [
        (b"", "namespace ''"),
        (b"git", "namespace 'git'"),
        (b"approval@mcp-migrate ", "namespace"),
        (b"Approval@mcp-migrate", "namespace"),
        (b"approval@mcp-migrate\0", "printable"),
        (b"a" * 300, "printable"),
    ],
)
def test_a_signature_for_another_purpose_is_refused(namespace: bytes, why: str) -> None:
    purpose, algorithm, raw = signed("ssh-ed25519", namespace=namespace)

    refused(body("ssh-ed25519", purpose, s(algorithm) + s(raw)), "ssh-ed25519", why)


def test_an_empty_namespace_is_never_asked_for() -> None:
    purpose, algorithm, raw = signed("ssh-ed25519", namespace=b"")
    armored = armor(body("ssh-ed25519", purpose, s(algorithm) + s(raw)))

    with pytest.raises(ApprovalInvalidError, match="namespace"):
        verify(MESSAGE, armored, public("ssh-ed25519"), namespace="")


def test_the_reserved_field_is_empty() -> None:
    purpose, algorithm, raw = signed("ssh-ed25519", reserved=b"x")

    refused(body("ssh-ed25519", purpose, s(algorithm) + s(raw)), "ssh-ed25519", "reserved")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"SSHSIG\0\0\0\0", "version is 0"),
        (b"SSHSIG\0\0\0\2", "version is 2"),
        (b"sshsig\0\0\0\1", "begin with SSHSIG"),
        (b"\0SSHSIG\0\0\0\1", "begin with SSHSIG"),
    ],
)
def test_preamble_and_version_are_exact(head: bytes, why: str) -> None:
    purpose, algorithm, raw = signed("ssh-ed25519")

    refused(body("ssh-ed25519", purpose, s(algorithm) + s(raw), head=head), "ssh-ed25519", why)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_follows_at_any_level(kind: str) -> None:
    purpose, algorithm, raw = signed(kind)

    refused(honest(kind) + b"\0", kind, "1 bytes follow the end of the signature")
    refused(body(kind, purpose, s(algorithm) + s(raw) + b"\0"), kind, "1 bytes follow")
    refused(body(kind, purpose, s(algorithm) + s(raw + b"\0")), kind, "1 bytes follow|part has")


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("ssh-ed25519", b"ssh-rsa"),
        ("ssh-ed25519", b"sk-ssh-ed25519@openssh.com"),
        ("ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp384"),
        ("ecdsa-sha2-nistp256", b"webauthn-sk-ecdsa-sha2-nistp256@openssh.com"),
        ("ssh-rsa", b"rsa-sha2-384"),
        ("ssh-rsa", b""),
    ],
)
def test_the_algorithm_fits_the_kind_of_key(kind: str, algorithm: bytes) -> None:
    purpose, _, raw = signed(kind)

    refused(body(kind, purpose, s(algorithm) + s(raw)), kind, "does not fit")


def test_rsa_with_sha1_is_refused() -> None:
    purpose, _, _ = signed("ssh-rsa")
    key = private("ssh-rsa")
    assert isinstance(key, rsa.RSAPrivateKey)
    data = b"SSHSIG" + purpose + s(hashlib.sha512(MESSAGE).digest())

    raw = key.sign(data, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - what is refused here

    refused(body("ssh-rsa", purpose, s(b"ssh-rsa") + s(raw)), "ssh-rsa", "'ssh-rsa', which does not fit")
    refused(body("ssh-rsa", purpose, s(b"rsa-sha2-256") + s(raw)), "ssh-rsa", "not a signature of this")


def test_an_rsa_signature_is_as_long_as_the_modulus() -> None:
    purpose, algorithm, raw = signed("ssh-rsa")

    for spelled in (b"\0" + raw, raw[1:], b""):
        refused(body("ssh-rsa", purpose, s(algorithm) + s(spelled)), "ssh-rsa", "bytes, not 384")


def test_an_ed25519_signature_has_one_s() -> None:
    purpose, algorithm, raw = signed("ssh-ed25519")
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")

    refused(body("ssh-ed25519", purpose, s(algorithm) + s(twin)), "ssh-ed25519", "not a signature of this")


def test_the_integers_of_an_ecdsa_signature_are_canonical() -> None:
    kind = "ecdsa-sha2-nistp256"
    purpose, algorithm, raw = signed(kind)
    first = raw[4 : 4 + int.from_bytes(raw[:4], "big")]
    second = raw[4 + len(first) :]
    r = int.from_bytes(first, "big")

    for spelled in (s(b"\0" + first), s(b"\xff" + first), s(b""), s(b"\0")):
        refused(body(kind, purpose, s(algorithm) + s(spelled + second)), kind, "canonical form")
    for wrong in (r + P256, 1, 1 << 4000):
        refused(body(kind, purpose, s(algorithm) + s(n(wrong) + second)), kind, "not a signature of this")


@given(st.binary(max_size=300), st.sampled_from(KINDS))
def test_random_bytes_are_refused_at_every_level(noise: bytes, kind: str) -> None:
    purpose, algorithm, _ = signed_once(kind)

    for blob in (
        noise,
        b"SSHSIG\0\0\0\1" + noise,
        body(kind, noise, b""),
        body(kind, purpose, noise),
        body(kind, purpose, s(algorithm) + s(noise)),
        body(kind, purpose, s(algorithm) + s(s(noise) + s(noise))),
    ):
        if blob:
            refused(blob, kind, "refused")


@cache
def signed_once(kind: str) -> tuple[bytes, bytes, bytes]:
    return signed(kind)


@given(st.text())
@pytest.mark.proves("interface-approval-invalid")
def test_random_text_is_refused(text: str) -> None:
    with pytest.raises(ApprovalInvalidError):
        verify(MESSAGE, text, public("ssh-ed25519"))


def test_a_key_that_could_not_be_enrolled_verifies_nothing() -> None:
    good = public("ssh-ed25519")

    for key in (
        PublicKey("ssh-ed25519", b"", ""),
        PublicKey("ssh-rsa", good.blob, ""),
        PublicKey("ssh-ed25519", good.blob + b"\0", ""),
    ):
        purpose, algorithm, raw = signed("ssh-ed25519")
        blob = b"SSHSIG\0\0\0\1" + s(key.blob) + purpose + s(s(algorithm) + s(raw))
        with pytest.raises(ApprovalInvalidError):
            verify(MESSAGE, armor(blob), key)
