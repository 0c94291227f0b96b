"""Can a good signature be changed at all, in its text or its bytes, and still count?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import ApprovalInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.interface import NAMESPACE, Verified
from mcp_migrate.signers.keys import PublicKey, from_blob
from mcp_migrate.signers.sign import _in_process, _public_half
from mcp_migrate.signers.sshsig import _dearmor, armor, envelope, signed_data, verify
from mcp_migrate.signers.wire import string

MESSAGE = b'{"decision":"approve"}'
SOFTWARE = Verified(Assurance.SOFTWARE, None)
SECURITY_KEY = "sk-ssh-ed25519@openssh.com"
KINDS = ["ssh-ed25519", "ecdsa-sha2-nistp521", "ssh-rsa", SECURITY_KEY]


@cache
def made(kind: str) -> tuple[PublicKey, str]:
    """A key and its signature of MESSAGE."""
    if kind == SECURITY_KEY:
        return by_security_key()
    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ssh-rsa":
        private = rsa.generate_private_key(65537, 3072)
    elif kind == "ssh-ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        private = ec.generate_private_key(ec.SECP521R1())
    key = _public_half(private, Path("id"))
    return key, _in_process(MESSAGE, private, key, NAMESPACE)


def by_security_key() -> tuple[PublicKey, str]:
    private, kind = ed25519.Ed25519PrivateKey.generate(), string(SECURITY_KEY.encode())
    key = from_blob(kind + string(private.public_key().public_bytes_raw()) + string(b"ssh:"))
    data = signed_data(MESSAGE, namespace=NAMESPACE, hashing="sha256")
    tail = b"\x05\0\0\0\x07"  # present and verified, the seventh signature
    raw = private.sign(hashlib.sha256(b"ssh:").digest() + tail + hashlib.sha256(data).digest())
    blob = envelope(key.blob, kind + string(raw) + tail, namespace=NAMESPACE, hashing="sha256")
    return key, armor(blob)


def public(kind: str) -> PublicKey:
    return made(kind)[0]


def honest(kind: str) -> bytes:
    return _dearmor(made(kind)[1])


def refused(blob: bytes, kind: str) -> None:
    with pytest.raises(ApprovalInvalidError, match="The signature is refused: "):
        verify(MESSAGE, armor(blob), public(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_the_signatures_these_tests_spoil_are_good(kind: str) -> None:
    assurance = Assurance.VERIFIED if kind == SECURITY_KEY else Assurance.SOFTWARE

    assert verify(MESSAGE, armor(honest(kind)), public(kind)).assurance == assurance


ARMOR: list[tuple[str, Callable[[str], str]]] = [
    ("leading space", lambda text: " " + text),
    ("leading newline", lambda text: "\n" + text),
    ("second newline", lambda text: text + "\n"),
    ("text behind", lambda text: text + "x"),
    ("carriage returns", lambda text: text.replace("\n", "\r\n")),
    ("no footer", lambda text: text.replace("-----END SSH SIGNATURE-----\n", "")),
    ("other header", lambda text: text.replace("SSH", "PGP")),
    ("empty line", lambda text: text.replace("\n", "\n\n", 1)),
    ("no body", lambda text: "\n".join([text.split("\n")[0], *text.split("\n")[-2:]])),
    ("one long line", lambda text: rewrapped(text, 10_000)),
    ("space in a line", lambda text: text.replace("U1NI", "U1NI ", 1)),
    ("url alphabet", lambda text: text.replace("U1NI", "U1N_", 1)),
    ("not ascii", lambda text: text.replace("U1NI", "U1N\u0130", 1)),
    ("lone surrogate", lambda text: text.replace("U1NI", "U1N\udc80", 1)),
    ("too long", lambda text: text + "A" * 20_000),
    ("empty", lambda _text: ""),
    ("newline alone", lambda _text: "\n"),
]


def rewrapped(text: str, width: int) -> str:
    header, *lines, footer, _ = text.split("\n")
    whole = "".join(lines)
    return "\n".join([header, *(whole[at : at + width] for at in range(0, len(whole), width)), footer])


@pytest.mark.parametrize(("_name", "spoil"), ARMOR, ids=[name for name, _ in ARMOR])
def test_the_armor_is_exact(_name: str, spoil: Callable[[str], str]) -> None:
    with pytest.raises(ApprovalInvalidError):
        verify(MESSAGE, spoil(armor(honest("ssh-ed25519"))), public("ssh-ed25519"))


@pytest.mark.parametrize("width", [64, 70, 76])
def test_the_width_of_lines_and_the_last_newline_are_free(width: int) -> None:
    armored = rewrapped(armor(honest("ssh-ed25519")), width)

    for text in (armored, armored + "\n"):
        assert verify(MESSAGE, text, public("ssh-ed25519")) == SOFTWARE


def test_an_endless_signature_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ApprovalInvalidError, match="longer than 16384"):
        verify(MESSAGE, armor(honest("ssh-ed25519") + bytes(20_000)), public("ssh-ed25519"))


def test_unused_bits_of_the_base64_are_zero() -> None:
    text = armor(honest("ssh-ed25519"))
    at = text.index("==\n") - 1
    spoiled = text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :]

    with pytest.raises(ApprovalInvalidError, match="canonical base64"):
        verify(MESSAGE, spoiled, public("ssh-ed25519"))


positions = st.floats(0, 1, exclude_max=True)


@given(st.sampled_from(KINDS), positions, st.integers(1, 255))
def test_no_byte_can_be_flipped(kind: str, where: float, bits: int) -> None:
    blob = bytearray(honest(kind))
    blob[int(where * len(blob))] ^= bits

    refused(bytes(blob), kind)


@given(st.sampled_from(KINDS), positions, st.binary(min_size=1, max_size=3))
def test_no_byte_can_be_inserted(kind: str, where: float, extra: bytes) -> None:
    at = int(where * (len(honest(kind)) + 1))

    refused(honest(kind)[:at] + extra + honest(kind)[at:], kind)


@given(st.sampled_from(KINDS), positions, st.integers(1, 5))
def test_no_byte_can_be_deleted(kind: str, where: float, count: int) -> None:
    at = int(where * len(honest(kind)))

    refused(honest(kind)[:at] + honest(kind)[at + count :], kind)
    refused(honest(kind)[:at], kind)


@given(st.sampled_from(KINDS), positions, st.characters())
def test_no_character_of_the_armor_can_be_changed(kind: str, where: float, character: str) -> None:
    text = armor(honest(kind))
    at = int(where * (len(text) - 1))  # the last newline is free

    for spoiled in (text[:at] + character + text[at:], text[:at] + character + text[at + 1 :]):
        if spoiled != text:
            with pytest.raises(ApprovalInvalidError):
                verify(MESSAGE, spoiled, public(kind))
    with pytest.raises(ApprovalInvalidError):
        verify(MESSAGE, text[:at] + text[at + 1 :], public(kind))
