"""How does a person's key sign a decision?

A private key file signs in this process, so that no OpenSSH is needed. A key that cannot leave its place (in
ssh-agent, or on a security key) signs through ``ssh-keygen``, which talks to both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.signers.algorithms import curve_of, is_security_key
from mcp_migrate.signers.interface import NAMESPACE
from mcp_migrate.signers.keyfiles import is_public, load, public_blob, public_file, read_private, read_public
from mcp_migrate.signers.keys import PublicKey, from_blob, parse_public_key
from mcp_migrate.signers.sshsig import armor, envelope, signed_data, verify
from mcp_migrate.signers.wire import mpint, string

if TYPE_CHECKING:
    from mcp_migrate.signers.keyfiles import SigningKey

_HASH = "sha512"


def sign(message: bytes, key_file: Path, *, passphrase: Callable[[], str], namespace: str = NAMESPACE) -> str:
    """Sign `message`, as an approval where no other purpose is named; what is returned has been verified.

    `passphrase` is called at most once, and only for an encrypted file that is opened here.

    Raises:
        ConfigInvalidError: the key cannot be used; says why.
        ApprovalInvalidError: the key signed, and the signature would not count (nobody touched it).
    """
    if is_public(key_file):
        public, signature = read_public(key_file), _through_ssh_keygen(message, key_file, namespace)
    else:
        data = read_private(key_file)
        blob = public_blob(data, key_file)
        held = from_blob(blob) if blob is not None else None
        if held is not None and is_security_key(held.kind):
            public, signature = held, _through_ssh_keygen(message, key_file, namespace)
        else:
            private = load(data, key_file, passphrase=passphrase)
            public = _public_half(private, key_file)
            signature = _in_process(message, private, public, namespace)
    verify(message, signature, public, namespace=namespace)
    return signature


def public_key_of(key_file: Path, *, passphrase: Callable[[], str]) -> PublicKey:
    """The public half, from the .pub file or the clear part of the private one where there is either.

    Raises:
        ConfigInvalidError: the key cannot be used, or the .pub file beside it belongs to another.
    """
    if is_public(key_file):
        return read_public(key_file)
    data = read_private(key_file)
    blob, beside = public_blob(data, key_file), public_file(key_file)
    if not beside.exists():
        return (
            from_blob(blob) if blob is not None else _public_half(load(data, key_file, passphrase=passphrase), key_file)
        )
    public = read_public(beside)
    if blob is not None and blob != public.blob:
        raise ConfigInvalidError(
            f"{beside} is not the public half of {key_file}.",
            hint=f"Make it again with `ssh-keygen -y -f {key_file} > {beside}`.",
        )
    return public


def generate_key(path: Path) -> PublicKey:
    """Make an unencrypted Ed25519 key pair, `path` (mode 0600) and `path`.pub; never overwrites.

    Raises:
        ConfigInvalidError: either file is there already, or cannot be written.
    """
    if any(map(os.path.lexists, (path, public_file(path)))):
        raise _not_made(path, "a key file of that name is there already")
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    public = parse_public_key(f"{_public_half(private, path).line} {path.name}")
    text = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    _create(path, text, mode=0o600)
    _create(public_file(path), f"{public.line}\n".encode(), mode=0o644)
    return public


def _create(path: Path, data: bytes, *, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise _not_made(path, error.strerror or type(error).__name__) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _not_made(path: Path, why: str) -> ConfigInvalidError:
    return ConfigInvalidError(f"The key file {path} cannot be made: {why}.", hint="Name a file that is not there yet.")


def _public_half(private: SigningKey, path: Path) -> PublicKey:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except ValueError as error:
        raise ConfigInvalidError(
            f"The key in {path} is on a curve that SSH does not know.",
            hint="Use an Ed25519, ECDSA or RSA key.",
        ) from error
    return parse_public_key(line.decode("ascii"))


def _in_process(message: bytes, private: SigningKey, public: PublicKey, namespace: str) -> str:
    data = signed_data(message, namespace=namespace, hashing=_HASH)
    algorithm, raw = _raw(private, data, public)
    signature = string(algorithm.encode()) + string(raw)
    return armor(envelope(public.blob, signature, namespace=namespace, hashing=_HASH))


def _raw(private: SigningKey, data: bytes, public: PublicKey) -> tuple[str, bytes]:
    """The signature algorithm and its value, as `algorithms` reads them."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return public.kind, private.sign(data)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        _, hashing = curve_of(public.kind.removeprefix("ecdsa-sha2-"))
        r, s = utils.decode_dss_signature(private.sign(data, ec.ECDSA(hashing)))
        return public.kind, mpint(r) + mpint(s)
    return "rsa-sha2-512", private.sign(data, padding.PKCS1v15(), hashes.SHA512())


def _through_ssh_keygen(message: bytes, key_file: Path, namespace: str) -> str:
    """Let OpenSSH sign. Its words (touch the key, a passphrase) go straight to the person's terminal."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise ConfigInvalidError(
            f"The key {key_file} signs through ssh-keygen, which is not installed.",
            hint="Install OpenSSH (Debian and Ubuntu: `apt-get install openssh-client`).",
        )
    command = [program, "-Y", "sign", "-n", namespace, "-f", str(key_file)]
    done = subprocess.run(  # noqa: S603 - no shell, and the file is the person's own choice
        command, input=message, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise ConfigInvalidError(
            f"ssh-keygen could not sign with {key_file} (exit code {done.returncode}); it says why itself.",
            hint="Is the key in ssh-agent (`ssh-add -l`), or its security key plugged in and touched?",
        )
    return done.stdout.decode("ascii", "replace").replace("\r\n", "\n")
