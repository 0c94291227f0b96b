"""Which key files open, who is asked for what, and what is said when one does not open?"""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.interface import Verified
from mcp_migrate.signers.keyfiles import public_file
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import generate_key, public_key_of, sign
from mcp_migrate.signers.sshsig import verify

KeyMaker = Callable[..., Path]
Passphrase = Callable[[], str]

SOFTWARE = Verified(Assurance.SOFTWARE, None)
posix = pytest.mark.skipif(os.name != "posix", reason="files have no such modes here")


class Person:
    """Answers with `passphrase` and counts how often it was asked."""

    def __init__(self, passphrase: str) -> None:
        self.passphrase = passphrase
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        return self.passphrase


def pem(path: Path, key: PrivateKeyTypes, passphrase: str = "") -> Path:
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    path.chmod(0o600)
    return path


def encrypted(tmp_path: Path, form: str, make_key: KeyMaker) -> Path:
    if form == "PKCS8":
        return pem(tmp_path / "pkcs8", ed25519.Ed25519PrivateKey.generate(), "open sesame")
    if form == "RSA PEM":
        return make_key("-t", "rsa", "-b", "3072", "-m", "PEM", passphrase="open sesame")
    pytest.importorskip("bcrypt", reason="an encrypted OpenSSH key needs it: pip install bcrypt")
    # Few rounds of key derivation: what is tested does not depend on their number.
    return make_key("-t", "ed25519", "-a", "1", "-Z", form, passphrase="open sesame")


FORMS = ["PKCS8", "RSA PEM", "aes256-ctr", "aes256-gcm@openssh.com"]


@pytest.mark.parametrize("form", FORMS)
def test_an_encrypted_key_asks_once_and_signs(form: str, tmp_path: Path, make_key: KeyMaker) -> None:
    key, ada = encrypted(tmp_path, form, make_key), Person("open sesame")

    signature = sign(b"message", key, passphrase=ada)

    assert ada.asked == 1
    assert verify(b"message", signature, public_key_of(key, passphrase=ada)) == SOFTWARE


@pytest.mark.parametrize("given", ["open says me", "", "\N{LOCK}"])
@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_passphrase_asks_once_and_is_refused(form: str, given: str, tmp_path: Path, make_key: KeyMaker) -> None:
    key, ada = encrypted(tmp_path, form, make_key), Person(given)

    with pytest.raises(ConfigInvalidError, match="passphrase does not open") as refused:
        sign(b"message", key, passphrase=ada)

    assert ada.asked == 1
    assert not given or given not in str(refused.value)


def test_the_public_half_of_an_encrypted_key_needs_no_passphrase(
    tmp_path: Path, make_key: KeyMaker, no_passphrase: Passphrase
) -> None:
    made = make_key("-t", "ed25519", "-a", "1", passphrase="open sesame")
    alone = tmp_path / "alone"
    alone.write_bytes(made.read_bytes())
    alone.chmod(0o600)

    public = public_key_of(alone, passphrase=no_passphrase)

    assert public.fingerprint == public_key_of(made, passphrase=no_passphrase).fingerprint


def test_the_public_half_inside_an_encrypted_pem_file_takes_the_passphrase(tmp_path: Path) -> None:
    private, ada = ec.generate_private_key(ec.SECP384R1()), Person("open sesame")
    key = pem(tmp_path / "id", private, ada.passphrase)

    public = public_key_of(key, passphrase=ada)

    assert (public.kind, ada.asked) == ("ecdsa-sha2-nistp384", 1)
    public_file(key).write_text(public.line)
    assert (public_key_of(key, passphrase=ada), ada.asked) == (public, 1)


def test_an_encrypted_openssh_key_without_bcrypt_says_what_to_do(
    make_key: KeyMaker, monkeypatch: pytest.MonkeyPatch, no_passphrase: Passphrase
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(ConfigInvalidError, match="package bcrypt is not there") as refused:
        sign(b"m", make_key("-t", "ed25519", "-a", "1", passphrase="open sesame"), passphrase=no_passphrase)
    assert "ssh-add" in refused.value.hint


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_private_key_open_to_others_is_refused(mode: int, tmp_path: Path, no_passphrase: Passphrase) -> None:
    generate_key(tmp_path / "id")
    (tmp_path / "id").chmod(mode)

    for use in (
        lambda key: sign(b"m", key, passphrase=no_passphrase),
        lambda key: public_key_of(key, passphrase=no_passphrase),
    ):
        with pytest.raises(ConfigInvalidError, match=f"open to others .mode {mode:04o}") as refused:
            use(tmp_path / "id")
        assert "chmod 600" in refused.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="the list of who may is Linux's")
def test_a_credential_that_systemd_lets_this_account_read_is_no_file_that_others_can_read(
    tmp_path: Path, no_passphrase: Passphrase
) -> None:
    generate_key(tmp_path / "id")
    (tmp_path / "id").chmod(0o400)

    def listed(user: int, group: int = 0) -> None:
        entries = ((1, 4, -1), (2, 4, user), (4, group, -1), (16, 4, -1), (32, 0, -1))  # acl(5): the tag, what, whom
        raw = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", a, b, c & 0xFFFFFFFF) for a, b, c in entries)
        os.setxattr(tmp_path / "id", "system.posix_acl_access", raw)

    try:
        listed(os.geteuid())
    except OSError as error:
        pytest.skip(f"this file system keeps no such lists: {error}")
    assert stat.S_IMODE((tmp_path / "id").stat().st_mode) == 0o440
    assert sign(b"m", tmp_path / "id", passphrase=no_passphrase)
    for others in ((os.geteuid() + 1, 0), (os.geteuid(), 4)):
        listed(*others)
        with pytest.raises(ConfigInvalidError, match=r"open to others .mode 0440"):
            sign(b"m", tmp_path / "id", passphrase=no_passphrase)


@pytest.mark.parametrize("name", ["missing", "missing.pub", "folder"])
def test_a_file_that_cannot_be_read_is_a_clear_error(name: str, tmp_path: Path, no_passphrase: Passphrase) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(ConfigInvalidError, match=f"{name} cannot be read"):
        sign(b"m", tmp_path / name, passphrase=no_passphrase)


def container(rest: bytes) -> bytes:
    none = b"\0\0\0\4none"
    body = b64encode(b"openssh-key-v1\0" + none + none + bytes(4) + rest)
    return b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + body + b"\n-----END OPENSSH PRIVATE KEY-----\n"


BODY = "b3BlbnNzaC1rZXktdjE"  # the preamble of OpenSSH's container
DAMAGED = [
    (b"", "no private key"),
    (b"\xff\x00", "no private key"),
    (b"ssh-ed25519 AAAA", "no private key"),
    (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
    (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "damaged"),
    (b"-----BEGIN OPENSSH PRIVATE KEY-----\n!\n-----END OPENSSH PRIVATE KEY-----\n", "damaged"),
    (f"-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}A\n-----END".encode(), "damaged"),
    (b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + b"A" * 64 + b"\n-----END", "damaged"),
    (container(b"\0\0\0\2"), "exactly one key"),
    (container(b"\0\0\0\1"), "damaged"),
    (b"a" * 70_000, "too large"),
]


@pytest.mark.parametrize(("content", "why"), DAMAGED)
def test_a_file_without_a_usable_key_is_refused(
    content: bytes, why: str, tmp_path: Path, no_passphrase: Passphrase
) -> None:
    key = tmp_path / "id"
    key.write_bytes(content)
    key.chmod(0o600)

    for use in (sign_with, public_key_of):
        with pytest.raises(ConfigInvalidError, match=why):
            use(key, passphrase=no_passphrase)


def sign_with(key: Path, *, passphrase: Passphrase) -> str:
    return sign(b"m", key, passphrase=passphrase)


def test_an_openssh_key_whose_private_part_is_damaged_is_refused(tmp_path: Path, no_passphrase: Passphrase) -> None:
    generate_key(tmp_path / "id")
    lines = (tmp_path / "id").read_text().splitlines(keepends=True)
    lines[3] = lines[3][:5] + "AAAA" + lines[3][9:]
    (tmp_path / "id").write_text("".join(lines))

    with pytest.raises(ConfigInvalidError, match="no private key we can read"):
        sign(b"m", tmp_path / "id", passphrase=no_passphrase)


def test_a_key_of_a_kind_that_does_not_count_is_refused(tmp_path: Path, no_passphrase: Passphrase) -> None:
    weak: list[tuple[PrivateKeyTypes, str]] = [
        (rsa.generate_private_key(65537, 2048), "2048 bits"),
        (dsa.generate_private_key(1024), "cannot sign here"),  # noqa: S505 - weak keys are the point
        (ec.generate_private_key(ec.SECP256K1()), "does not know"),
        (x25519.X25519PrivateKey.generate(), "cannot sign here"),
    ]
    for number, (private, why) in enumerate(weak):
        key = pem(tmp_path / str(number), private)
        with pytest.raises(ConfigInvalidError, match=why):
            sign(b"m", key, passphrase=no_passphrase)


def test_a_cipher_we_do_not_know_is_refused_without_asking(make_key: KeyMaker, no_passphrase: Passphrase) -> None:
    key = make_key("-t", "ed25519", "-a", "1", "-Z", "chacha20-poly1305@openssh.com", passphrase="open sesame")

    with pytest.raises(ConfigInvalidError, match="no private key we can read") as refused:
        sign(b"m", key, passphrase=no_passphrase)
    assert "ssh-agent" in refused.value.hint


def test_a_weak_key_in_the_container_of_openssh_is_refused(make_key: KeyMaker, no_passphrase: Passphrase) -> None:
    for use in (sign_with, public_key_of):
        with pytest.raises(ConfigInvalidError, match="2048 bits"):
            use(make_key("-t", "rsa", "-b", "2048"), passphrase=no_passphrase)


def test_a_public_file_that_belongs_to_another_key_is_refused(tmp_path: Path, no_passphrase: Passphrase) -> None:
    generate_key(tmp_path / "id")
    generate_key(tmp_path / "other")
    (tmp_path / "other.pub").replace(tmp_path / "id.pub")

    with pytest.raises(ConfigInvalidError, match="not the public half"):
        public_key_of(tmp_path / "id", passphrase=no_passphrase)


def test_a_public_file_that_is_no_text_is_refused(tmp_path: Path, no_passphrase: Passphrase) -> None:
    (tmp_path / "id.pub").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigInvalidError, match="not text"):
        public_key_of(tmp_path / "id.pub", passphrase=no_passphrase)


def test_a_generated_key_is_private_unencrypted_and_complete(tmp_path: Path, no_passphrase: Passphrase) -> None:
    public = generate_key(tmp_path / "demo")

    assert (public.kind, public.comment) == ("ssh-ed25519", "demo")
    assert parse_public_key((tmp_path / "demo.pub").read_text()) == public
    assert verify(b"m", sign(b"m", tmp_path / "demo", passphrase=no_passphrase), public) == SOFTWARE
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "demo").stat().st_mode) == 0o600


@pytest.mark.parametrize("there", ["demo", "demo.pub"])
def test_generating_a_key_never_overwrites(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("precious")

    with pytest.raises(ConfigInvalidError, match="there already"):
        generate_key(tmp_path / "demo")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {there: "precious"}


def test_a_key_cannot_be_generated_where_no_folder_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalidError, match="cannot be made"):
        generate_key(tmp_path / "nowhere" / "demo")


def test_signing_loads_no_cryptography_before_it_is_needed() -> None:
    code = "import sys, mcp_migrate.signers.sign, mcp_migrate.signers.sshsig;sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
