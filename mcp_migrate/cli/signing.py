"""With which key does the person at this terminal sign? Its passphrase is asked for once, when it is first needed."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.model import canonical

if TYPE_CHECKING:
    from mcp_migrate.signers.keys import PublicKey


class OwnKey:
    """A private SSH key, or the .pub of a key in an agent. Cryptography loads for commands that use one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._passphrase = cache(partial(getpass.getpass, f"Passphrase for {file}: "))

    @cached_property
    def public(self) -> PublicKey:
        """Its public half. Raises: ConfigInvalidError."""
        from mcp_migrate.signers.sign import public_key_of

        return public_key_of(self._file, passphrase=self._passphrase)

    def signed(self, said: Mapping[str, Any], namespace: str) -> dict[str, Any]:
        """A statement and its signature, as the ledger has both. Raises: ConfigInvalidError, ApprovalInvalidError."""
        return {"statement": dict(said), "signature": self._signature(said, namespace)}

    def line(self, said: Mapping[str, Any], namespace: str) -> str:
        """The same on one line, to be handed on. Raises: ConfigInvalidError, ApprovalInvalidError."""
        from mcp_migrate.signers.line import line

        return line(said, self._signature(said, namespace))

    def _signature(self, said: Mapping[str, Any], namespace: str) -> str:
        from mcp_migrate.signers.sign import sign

        return sign(canonical(dict(said)), self._file, passphrase=self._passphrase, namespace=namespace)


def signed_by_admin(said: Mapping[str, Any], key: Path | None, namespace: str) -> dict[str, Any]:
    """A statement as the ledger has it, with a signature where a key was named: there may be no admins."""
    if key is None:
        return {"statement": dict(said), "signature": None}
    own = OwnKey(key)
    return own.signed({**said, "key": own.public.fingerprint}, namespace)
