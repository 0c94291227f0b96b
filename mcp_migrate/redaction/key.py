"""Which key makes the tags? One that does not lie in the ledger: whoever reads only that can guess nothing.

A bare hash of a short value is found by trying them all. With the key, somebody who investigates can still ask whether
a value they know is the one that was redacted.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError, CredentialFailedError
from mcp_migrate.settings import Settings
from mcp_migrate.settings.references import resolve

_BYTES = 32
_SQLITE = "sqlite:///"


def key_file(settings: Settings) -> Path | None:
    """Where the key lies when the configuration names none: beside a ledger that is a file."""
    ledger = settings.ledger
    if settings.redaction_key is not None or not ledger.startswith(_SQLITE):
        return None
    path = Path(ledger.removeprefix(_SQLITE)).resolve()
    return path.with_name(f"{path.name}.redaction")


def key_of(settings: Settings) -> bytes:
    """The key of this configuration; made the first time, where it is a file of ours.

    Raises:
        CredentialFailedError: it cannot be read, or is too short.
        ConfigInvalidError: the ledger is no file, and no key is named.
    """
    path = key_file(settings)
    if path is not None:
        return _read(path)
    if settings.redaction_key is None:
        raise ConfigInvalidError(
            "What is redacted needs a key, and none is named.",
            hint="Write `redaction_key: ${env:NAME}` or `${file:PATH}`, the same for all servers of this ledger.",
        )
    return _long_enough(resolve(settings.redaction_key).encode(), "redaction_key")


def _read(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        return _long_enough(path.read_bytes().strip(), str(path))
    except OSError as error:
        raise CredentialFailedError(
            f"The key {path} cannot be read or made: {error.strerror}.", hint="Let the server write beside its ledger."
        ) from error


def _make(path: Path) -> None:
    """Appears whole or not at all, and the first of two processes has it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_BYTES).encode() + b"\n")
        os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(new, path)
    finally:
        os.close(descriptor)
        new.unlink()


def _long_enough(key: bytes, where: str) -> bytes:
    if len(key) < _BYTES:
        raise CredentialFailedError(f"The key in {where} is too short.", hint=f"Give it at least {_BYTES} characters.")
    return key
