"""What is in a person's key file, and may we read it? Never asks for a passphrase twice."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings.private import open_to_others
from mcp_migrate.signers.keys import PublicKey, parse_public_key
from mcp_migrate.signers.wire import Reader, WireError, from_base64

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    SigningKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey

_LARGEST = 65_536  # bytes
_BEGIN, _END = b"-----BEGIN OPENSSH PRIVATE KEY-----", b"-----END OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"
_HINT = "Give the private key file, or the .pub file of a key that ssh-agent holds."


def is_public(path: Path) -> bool:
    return path.suffix == ".pub"


def public_file(path: Path) -> Path:
    """Where the public half is kept: beside the private one."""
    return path.with_name(path.name + ".pub")


def read_public(path: Path) -> PublicKey:
    """The key of a .pub file. Raises: ConfigInvalidError."""
    try:
        text = _read(path, private=False).decode()
    except UnicodeDecodeError as error:
        raise ConfigInvalidError(f"The key file {path} is not text.", hint=_HINT) from error
    return parse_public_key(text)


def read_private(path: Path) -> bytes:
    """The bytes of a private key file that nobody else can read. Raises: ConfigInvalidError."""
    return _read(path, private=True)


def public_blob(data: bytes, path: Path) -> bytes | None:
    """The public half that OpenSSH's container holds in the clear; None when `data` is another format.

    The container is OpenSSH's PROTOCOL.key.
    """
    if not _is_container(data):
        return None
    try:
        return _first_public(data)
    except WireError as problem:
        raise ConfigInvalidError(f"The key file {path} is damaged: {problem}.", hint=_HINT) from problem


def load(data: bytes, path: Path, *, passphrase: Callable[[], str]) -> SigningKey:
    """Open a private key; call `passphrase` once, and only when it is encrypted.

    Raises:
        ConfigInvalidError: the passphrase is wrong, or the file holds no key that can sign here.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    private = _decrypt(data, path, passphrase)
    if isinstance(private, (ed25519.Ed25519PrivateKey, ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        return private
    raise ConfigInvalidError(
        f"The key in {path} is of a kind that cannot sign here.", hint="Use an Ed25519, ECDSA or RSA key."
    )


def _decrypt(data: bytes, path: Path, passphrase: Callable[[], str]) -> PrivateKeyTypes:
    try:
        return _open(data, None)
    except TypeError:  # how `cryptography` says that a passphrase is needed
        _can_decrypt(data, path)
    except ValueError as error:
        raise ConfigInvalidError(f"The key file {path} holds no private key we can read.", hint=_HINT) from error
    from cryptography.exceptions import InvalidTag

    try:
        return _open(data, passphrase().encode())
    except (TypeError, ValueError, InvalidTag) as error:
        raise ConfigInvalidError(
            f"The passphrase does not open the key file {path}.", hint="Try again with the right passphrase."
        ) from error


def _is_container(data: bytes) -> bool:
    return data.lstrip().startswith(_BEGIN)


def _first_public(data: bytes) -> bytes:
    body = data.partition(_BEGIN)[2].partition(_END)[0]
    reader = Reader(from_base64(b"".join(body.split()).decode("latin-1"), "its body"), "it")
    magic = reader.take(len(_MAGIC), "preamble")
    for field in ("cipher", "key derivation", "derivation options"):
        reader.string(field)
    if magic != _MAGIC or reader.uint32("number of keys") != 1:
        raise WireError("it does not hold exactly one key")
    return reader.string("public key")


def _open(data: bytes, password: bytes | None) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    try:
        if _is_container(data):
            return load_ssh_private_key(data, password)
        return load_pem_private_key(data, password)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error


def _can_decrypt(data: bytes, path: Path) -> None:
    """OpenSSH derives the key with bcrypt, which `cryptography` leaves to a package of that name."""
    if _is_container(data) and importlib.util.find_spec("bcrypt") is None:
        raise ConfigInvalidError(
            f"The key file {path} is encrypted, and the Python package bcrypt is not there to open it.",
            hint=f"Run `pip install bcrypt`, or `ssh-add {path}` and give {public_file(path)} instead.",
        )


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            mode = open_to_others(file.fileno()) if private else None
            data = file.read(_LARGEST + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ConfigInvalidError(f"The key file {path} cannot be read: {why}.", hint=_HINT) from error
    if mode is not None:
        raise ConfigInvalidError(
            f"The private key file {path} is open to others (mode {mode:04o}).",
            hint=f"Run `chmod 600 {path}`.",
        )
    if len(data) > _LARGEST:
        raise ConfigInvalidError(f"The key file {path} is too large to be a key.", hint=_HINT)
    return data
