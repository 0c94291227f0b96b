"""Which key signs checkpoints, and where is it? In a file, in the environment or in ssh-agent, never in the ledger."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError, CredentialFailedError
from mcp_migrate.ledger.note import Algorithm, Signing, VerifierKey, parse_key
from mcp_migrate.signers.keyfiles import load, read_private
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.wire import Reader, WireError, string

if TYPE_CHECKING:
    from mcp_migrate.settings.anchoring import CheckpointKey

_SIGN, _SIGNED = 13, 14
"""SSH_AGENTC_SIGN_REQUEST and SSH_AGENT_SIGN_RESPONSE of the agent's protocol (draft-ietf-sshm-ssh-agent)."""

_KIND = "ssh-ed25519"
_LONGEST, _SECONDS = 4096, 3.0
_SEED = 32


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of this log: its public half, and a way to sign."""

    point: bytes
    sign: Signing

    def verifier(self, origin: str) -> VerifierKey:
        """What others check our checkpoints with."""
        return VerifierKey(origin, Algorithm.PLAIN, self.point)


def verifier_keys(texts: Iterable[str]) -> tuple[VerifierKey, ...]:
    """The public keys of others. Raises: ConfigInvalidError."""
    try:
        return tuple(map(parse_key, texts))
    except ValueError as error:
        raise ConfigInvalidError(f"A verifier key cannot be used: {error}.", hint="Copy the whole of it.") from error


def open_key(key: CheckpointKey) -> LogKey:
    """Find the key.

    Raises:
        ConfigInvalidError: it is no Ed25519 key, or is open to others.
        CredentialFailedError: it is not where the configuration says.
    """
    if key.ssh_agent is not None:
        return _in_agent(key.ssh_agent)
    if key.env is not None:
        text = os.environ.get(key.env)
        if not text:
            raise CredentialFailedError(
                f"The environment variable {key.env} holds no checkpoint key.", hint="Set it for the server."
            )
        return _private(text.encode(), Path(key.env))
    path = Path(str(key.file))
    return _private(read_private(path), path)


def _private(data: bytes, path: Path) -> LogKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if len(data.split()) == 1 and len(seed := _seed(data)) == _SEED:
        private: object = Ed25519PrivateKey.from_private_bytes(seed)
    else:
        private = load(data, path, passphrase=partial(_no_passphrase, path))
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigInvalidError(f"The checkpoint key in {path} is no Ed25519 key.", hint="Make one with ssh-keygen.")
    return LogKey(private.public_key().public_bytes_raw(), private.sign)


def _seed(data: bytes) -> bytes:
    try:
        return base64.b64decode(data.strip(), validate=True)
    except ValueError:
        return b""


def _no_passphrase(path: Path) -> str:
    raise ConfigInvalidError(
        f"The checkpoint key in {path} has a passphrase, and nobody is there to type it.",
        hint="Give it to ssh-agent and write `ssh_agent:` with its public key.",
    )


def _in_agent(line: str) -> LogKey:
    public = parse_public_key(line)
    if public.kind != _KIND:
        raise ConfigInvalidError(f"A {public.kind} key cannot sign checkpoints.", hint="Name an ssh-ed25519 key.")
    reader = Reader(public.blob, "the public key")
    reader.text("kind")
    return LogKey(reader.string("point"), partial(_ask_agent, public.blob))


def _ask_agent(blob: bytes, message: bytes) -> bytes:
    request = bytes([_SIGN]) + string(blob) + string(message) + bytes(4)
    try:
        answer = _exchange(string(request))
        if answer[:1] == bytes([_SIGNED]):
            signature = Reader(Reader(answer[1:], "the agent's answer").string("signature"), "the signature")
            signature.text("kind")
            return signature.string("value")
        why = "it refuses, or does not hold the key"
    except (OSError, WireError) as error:
        why = str(error)
    raise CredentialFailedError(
        f"ssh-agent did not sign the checkpoint: {why}.", hint="Is SSH_AUTH_SOCK set, and the key in `ssh-add -l`?"
    )


def _exchange(request: bytes) -> bytes:
    """One question and its answer, over the agent's socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(os.environ.get("SSH_AUTH_SOCK", ""))
        connection.sendall(request)
        size = int.from_bytes(_received(connection, 4), "big")
        return _received(connection, min(size, _LONGEST))


def _received(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        part = connection.recv(size - len(got))
        if not part:
            raise WireError("it hung up")
        got += part
    return got
