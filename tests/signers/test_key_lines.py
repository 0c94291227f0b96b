"""Which lines enrol a key, and what is said about those that do not?"""

from __future__ import annotations

import base64
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.signers.keys import PublicKey, parse_public_key

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def s(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def n(value: int) -> bytes:
    return s(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def line(kind: str, *fields: bytes) -> str:
    return f"{kind} {base64.b64encode(s(kind.encode()) + b''.join(fields)).decode()} ada"


@cache
def good() -> str:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@cache
def p256() -> bytes:
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    return point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@cache
def modulus(bits: int) -> int:
    return rsa.generate_private_key(65537, bits).public_key().public_numbers().n


def test_a_line_gives_kind_bytes_and_comment() -> None:
    blob = base64.b64decode(good().split()[1])

    assert parse_public_key(f" {good()}\tAda Lovelace, desk 3\n") == PublicKey(
        "ssh-ed25519", blob, "Ada Lovelace, desk 3"
    )
    assert parse_public_key(good()).comment == ""
    assert parse_public_key(parse_public_key(f"{good()} ada").line).comment == "ada"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not one line"),
        ("ssh-ed25519", "not one line"),
        ("{good}\n{good}", "not one line"),
        ("{good} " + "a" * 9000, "not one line"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "private key"),
        ("-----BEGIN PRIVATE KEY----- AAAA", "private key"),
        ("no-touch-required {good} ada", "options"),
        ('command="echo ssh" {good}', "options"),
        ("ssh-dss AAAA ada", "DSA"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA ada", "certificates"),
        ("ssh-ed448 AAAA ada", "its kind is none of"),
        ("webauthn-sk-ecdsa-sha2-nistp256@openssh.com AAAA", "its kind is none of"),
        ("{good} ada\x1b[2J", "control characters"),
        ("{good} \u202eada", "control characters"),
        ("{good}=", "not base64|not canonical"),
        ("ssh-ed25519 A\u00c4AA", "not base64"),
        ("ssh-ed25519 AAAA", "ends inside its kind length"),
        ("ssh-rsa {body}", "says ssh-rsa and holds a key of kind ssh-ed25519"),
    ],
)
def test_a_line_that_is_no_plain_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigInvalidError, match=why):
        parse_public_key(text.replace("{good}", good()).replace("{body}", good().split()[1]))


def test_a_line_that_hides_another_kind_is_refused() -> None:
    hidden = base64.b64encode(s(b"ssh-ed448") + s(bytes(57))).decode()

    with pytest.raises(ConfigInvalidError, match="its kind is 'ssh-ed448'"):
        parse_public_key(f"ssh-ed25519 {hidden}")


def test_a_refusal_never_repeats_what_was_pasted() -> None:
    for text in ("c2VjcmV0 c2VjcmV0", "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0", "ssh-ed25519 c2VjcmV0!"):
        with pytest.raises(ConfigInvalidError) as refused:
            parse_public_key(text)
        assert "c2VjcmV0" not in str(refused.value)


def test_an_rsa_key_needs_3072_bits_and_a_sound_exponent() -> None:
    assert parse_public_key(line("ssh-rsa", n(65537), n(modulus(3072)))).kind == "ssh-rsa"

    for text, why in [
        (line("ssh-rsa", n(65537), n(modulus(2048))), "2048 bits, not 3072"),
        (line("ssh-rsa", n(65537), n(1 << 20000 | 1)), "20001 bits"),
        (line("ssh-rsa", n(3), n(modulus(3072))), "exponent"),
        (line("ssh-rsa", n(65538), n(modulus(3072))), "exponent"),
        (line("ssh-rsa", n(2**64 + 1), n(modulus(3072))), "exponent"),
        (line("ssh-rsa", n(65537), n(modulus(3072) + 1)), "even"),
        (line("ssh-rsa", s(b"\0\0\1\0\1"), n(modulus(3072))), "canonical"),
        (line("ssh-rsa", s(b"\xff\0\1"), n(modulus(3072))), "canonical"),
        (line("ssh-rsa", s(b""), n(modulus(3072))), "canonical"),
        (line("ssh-rsa", n(65537), n(modulus(3072)), s(b"")), "4 bytes follow"),
    ]:
        with pytest.raises(ConfigInvalidError, match=why):
            parse_public_key(text)


def test_an_ecdsa_key_is_one_uncompressed_point_on_its_own_curve() -> None:
    kind, curve = "ecdsa-sha2-nistp256", s(b"nistp256")
    assert parse_public_key(line(kind, curve, s(p256()))).kind == kind

    for text, why in [
        (line(kind, s(b"nistp384"), s(p256())), "does not belong"),
        (line("ecdsa-sha2-nistp384", s(b"nistp384"), s(p256())), "not on nistp384"),
        (line(kind, curve, s(p256()[:-1] + b"\0")), "not on nistp256"),
        (line(kind, curve, s(b"\2" + p256()[1:33])), "uncompressed"),
        (line(kind, curve, s(b"\0")), "uncompressed"),
        (line(kind, curve, s(b"")), "uncompressed"),
        (line(kind, curve, s(p256()), b"x"), "1 bytes follow"),
    ]:
        with pytest.raises(ConfigInvalidError, match=why):
            parse_public_key(text)


def test_a_security_key_belongs_to_an_ssh_application() -> None:
    kind, point = "sk-ecdsa-sha2-nistp256@openssh.com", s(b"nistp256") + s(p256())
    assert parse_public_key(line(kind, point, s(b"ssh:work"))).kind == kind

    for application in (b"https://example.org", b""):
        with pytest.raises(ConfigInvalidError, match="enrolled for"):
            parse_public_key(line(kind, point, s(application)))
    with pytest.raises(ConfigInvalidError, match="printable"):
        parse_public_key(line(kind, point, s(b"ssh:\n")))


def double(x: int, y: int) -> tuple[int, int]:
    """RFC 8032, section 5.1.4, in affine coordinates."""
    t = D * x * x * y * y % P
    return 2 * x * y * pow(1 + t, -1, P) % P, (y * y + x * x) * pow(1 - t, -1, P) % P


def x_of(y: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    return x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P


def test_an_ed25519_point_that_anybody_can_sign_for_is_refused() -> None:
    from mcp_migrate.signers.algorithms import _Y_SMALL_ORDER

    for y in _Y_SMALL_ORDER:
        point = x_of(y), y
        assert (point[1] ** 2 - point[0] ** 2 - 1 - D * point[0] ** 2 * point[1] ** 2) % P == 0
        for _ in range(3):
            point = double(*point)
        assert point == (0, 1)  # eight times the point is nothing
        for sign in (0, 1 << 255):
            with pytest.raises(ConfigInvalidError, match="small order"):
                parse_public_key(line("ssh-ed25519", s((y | sign).to_bytes(32, "little"))))


def test_openssl_alone_would_take_anybodys_signature_for_such_a_point() -> None:
    nothing = (1).to_bytes(32, "little")

    ed25519.Ed25519PublicKey.from_public_bytes(nothing).verify(nothing + bytes(32), b"any message")


def test_an_ed25519_point_has_one_spelling() -> None:
    for point in ((P + 3).to_bytes(32, "little"), bytes(31), bytes(33)):
        with pytest.raises(ConfigInvalidError, match="canonical form"):
            parse_public_key(line("ssh-ed25519", s(point)))


@given(st.binary(max_size=200), st.sampled_from(["ssh-ed25519", "ecdsa-sha2-nistp521", "ssh-rsa"]))
def test_random_bytes_are_refused_and_nothing_else(body: bytes, kind: str) -> None:
    for text in (line(kind, body), f"{kind} {base64.b64encode(body).decode()}", body.decode("latin-1")):
        try:
            parse_public_key(text)
        except ConfigInvalidError:
            continue
        pytest.fail(f"enrolled {text!r}")


@given(st.text(max_size=200))
def test_random_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(ConfigInvalidError):
        parse_public_key(text)
    with pytest.raises(ConfigInvalidError):
        parse_public_key(f"ssh-ed25519 {text}")
