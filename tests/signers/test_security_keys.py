"""What does a security key's signature prove? Checked with an authenticator in software (PROTOCOL.u2f)."""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.interface import NAMESPACE, Verified
from mcp_migrate.signers.keys import PublicKey, parse_public_key
from mcp_migrate.signers.sign import sign
from mcp_migrate.signers.sshsig import verify

OpenSSHVerdict = Callable[[bytes, str, str], bool]
Passphrase = Callable[[], str]

MESSAGE = b'{"decision":"approve"}'
ED25519, ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
PRESENT, VERIFIED = 0x01, 0x04


def s(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def n(value: int) -> bytes:
    return s(value.to_bytes(value.bit_length() // 8 + 1, "big"))


@dataclass(frozen=True)
class Authenticator:
    """A security key without the hardware."""

    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
    application: bytes = b"ssh:"
    flags: int = PRESENT
    counter: int = 41

    @property
    def kind(self) -> str:
        return ED25519 if isinstance(self.private, ed25519.Ed25519PrivateKey) else ECDSA

    @property
    def public(self) -> PublicKey:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            point = s(self.private.public_key().public_bytes_raw())
        else:
            raw = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            point = s(b"nistp256") + s(raw)
        blob = s(self.kind.encode()) + point + s(self.application)
        return parse_public_key(f"{self.kind} {b64encode(blob).decode()} grace")

    def sign(self, data: bytes) -> bytes:
        """The inner signature over `data`, as an SSH agent returns it."""
        tail = struct.pack(">BI", self.flags, self.counter)
        signed = hashlib.sha256(self.application).digest() + tail + hashlib.sha256(data).digest()
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            raw = self.private.sign(signed)
        else:
            r, second = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
            raw = n(r) + n(second)
        return s(self.kind.encode()) + s(raw) + tail

    def sshsig(self, tail: bytes = b"") -> str:
        """An armored signature of MESSAGE; `tail` follows the inner one."""
        purpose = s(NAMESPACE.encode()) + s(b"") + s(b"sha512")
        inner = self.sign(b"SSHSIG" + purpose + s(hashlib.sha512(MESSAGE).digest())) + tail
        body = b64encode(b"SSHSIG\0\0\0\1" + s(self.public.blob) + purpose + s(inner)).decode()
        lines = [body[at : at + 70] for at in range(0, len(body), 70)]
        return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


@pytest.fixture(params=[ED25519, ECDSA])
def private(request: pytest.FixtureRequest) -> ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey:
    if request.param == ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


@pytest.mark.parametrize(
    ("flags", "assurance"),
    [
        (PRESENT, Assurance.PRESENCE),
        (PRESENT | VERIFIED, Assurance.VERIFIED),
        (PRESENT | 0x18, Assurance.PRESENCE),  # the key is backed up: says nothing about the person
        (PRESENT | VERIFIED | 0x18, Assurance.VERIFIED),
    ],
)
def test_the_flags_tell_how_sure_we_are_of_a_person(
    private: Private, flags: int, assurance: Assurance, openssh_accepts: OpenSSHVerdict
) -> None:
    key = Authenticator(private, flags=flags, counter=2**32 - 1)

    assert verify(MESSAGE, key.sshsig(), key.public) == Verified(assurance, 2**32 - 1)
    assert openssh_accepts(MESSAGE, key.sshsig(), key.public.line)


@pytest.mark.parametrize("flags", [0, VERIFIED, 0x18])
def test_a_signature_that_nobody_touched_the_key_for_is_refused(private: Private, flags: int) -> None:
    key = Authenticator(private, flags=flags)

    with pytest.raises(ApprovalInvalidError, match="nobody touched"):
        verify(MESSAGE, key.sshsig(), key.public)


def test_openssh_alone_would_accept_it(private: Private, openssh_accepts: OpenSSHVerdict) -> None:
    key = Authenticator(private, flags=0)

    assert openssh_accepts(MESSAGE, key.sshsig(), key.public.line)


@pytest.mark.parametrize("flag", [0x02, 0x20, 0x40, 0x80])
def test_flags_that_mean_nothing_here_are_refused(private: Private, flag: int) -> None:
    key = Authenticator(private, flags=PRESENT | flag)

    with pytest.raises(ApprovalInvalidError, match="flags that mean nothing"):
        verify(MESSAGE, key.sshsig(), key.public)


def test_flags_counter_and_application_cannot_be_changed_afterwards(private: Private) -> None:
    key = Authenticator(private)
    honest = key.sshsig()

    for claimed in (Authenticator(private, flags=PRESENT | VERIFIED), Authenticator(private, counter=42)):
        original, other = key.sign(b"x")[-5:], claimed.sign(b"x")[-5:]
        with pytest.raises(ApprovalInvalidError, match="not a signature of this message"):
            verify(MESSAGE, replaced(honest, original, other), key.public)
    other_application = Authenticator(private, application=b"ssh:x")
    with pytest.raises(ApprovalInvalidError, match="not a signature of this message"):
        verify(
            MESSAGE,
            replaced(honest, s(key.public.blob), s(other_application.public.blob)),
            other_application.public,
        )


def replaced(armored: str, before: bytes, after: bytes) -> str:
    from mcp_migrate.signers.sshsig import _dearmor, armor

    blob = _dearmor(armored)
    head, found, tail = blob.rpartition(before)
    assert found
    return armor(head + after + tail)


@pytest.mark.parametrize("tail", [b"\0", b"ssh:"])
def test_nothing_may_follow_the_counter(private: Private, tail: bytes) -> None:
    key = Authenticator(private)

    with pytest.raises(ApprovalInvalidError, match="bytes follow the end of the inner signature"):
        verify(MESSAGE, key.sshsig(tail), key.public)


def test_a_plain_key_of_the_same_point_does_not_pass_as_a_security_key() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    key = Authenticator(private)
    blob = s(b"ssh-ed25519") + s(private.public_key().public_bytes_raw())
    plain = parse_public_key(f"ssh-ed25519 {b64encode(blob).decode()}")

    with pytest.raises(ApprovalInvalidError, match="another key"):
        verify(MESSAGE, key.sshsig(), plain)
    swapped = replaced(key.sshsig(), s(key.public.blob), s(plain.blob))
    with pytest.raises(ApprovalInvalidError, match="5 bytes follow"):
        verify(MESSAGE, swapped, plain)


def serve_agent(listener: socket.socket, key: Authenticator) -> None:
    """Answer as an SSH agent (draft-miller-ssh-agent) that holds `key`, until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rwb") as stream:
            while header := stream.read(4):
                request = stream.read(int.from_bytes(header, "big"))
                stream.write(s(answer(request, key)))
                stream.flush()


def answer(request: bytes, key: Authenticator) -> bytes:
    if request[0] == 11:  # list the identities
        return b"\x0c\0\0\0\1" + s(key.public.blob) + s(b"grace")
    if request[0] == 13:  # sign
        data = request[1 + len(s(key.public.blob)) :]
        return b"\x0e" + s(key.sign(data[4 : 4 + int.from_bytes(data[:4], "big")]))
    return b"\x05"  # failure


@pytest.fixture
def agent_with(tmp_path: Path, agent_socket: Path, ssh_keygen: str) -> Iterator[Callable[[Authenticator], Path]]:
    assert ssh_keygen
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(agent_socket))
        listener.listen()
        threads: list[threading.Thread] = []

        def start(key: Authenticator) -> Path:
            (tmp_path / "id.pub").write_text(key.public.line)
            threads.append(threading.Thread(target=serve_agent, args=(listener, key)))
            threads[-1].start()
            return tmp_path / "id.pub"

        yield start
        listener.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def test_a_touched_security_key_signs_through_openssh(
    private: Private, agent_with: Callable[[Authenticator], Path], no_passphrase: Passphrase
) -> None:
    key = Authenticator(private, flags=PRESENT | VERIFIED)

    signature = sign(MESSAGE, agent_with(key), passphrase=no_passphrase)

    assert verify(MESSAGE, signature, key.public) == Verified(Assurance.VERIFIED, 41)


def test_an_untouched_security_key_is_found_out_when_it_signs(
    private: Private, agent_with: Callable[[Authenticator], Path], no_passphrase: Passphrase
) -> None:
    public_file = agent_with(Authenticator(private, flags=0))

    with pytest.raises(ApprovalInvalidError, match="nobody touched"):
        sign(MESSAGE, public_file, passphrase=no_passphrase)


def test_the_private_file_of_a_security_key_goes_to_ssh_keygen(
    private: Private,
    tmp_path: Path,
    ssh_keygen: str,
    no_passphrase: Passphrase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ssh_keygen
    monkeypatch.setenv("SSH_SK_PROVIDER", "/nonexistent")  # no device must ever be looked for by a test
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    blob = Authenticator(private).public.blob
    container = b"openssh-key-v1\0" + s(b"none") + s(b"none") + s(b"") + b"\0\0\0\1" + s(blob) + s(b"\0" * 8)
    body = b64encode(container).decode()
    (tmp_path / "id").write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n")
    (tmp_path / "id").chmod(0o600)

    with pytest.raises(ConfigInvalidError, match="ssh-keygen could not sign") as refused:
        sign(MESSAGE, tmp_path / "id", passphrase=no_passphrase)
    assert "touched" in refused.value.hint
