"""What must someone outside offer who keeps checkpoints?"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from mcp_migrate.errors import WitnessFailedError
from mcp_migrate.ledger.note import Note


class Witness(Protocol):
    """One place outside of the ledger."""

    def take(self, note: Note, *, size: int, at: datetime) -> str:
        """Keep the checkpoint; the signature lines with which it answers, if it cosigns.

        Raises:
            WitnessFailedError: it did not take it. CredentialFailedError: a secret is missing.
        """
        ...

    def kept(self) -> tuple[str, ...] | None:
        """The checkpoints it keeps, as they were given, the newest first; None where it cannot be asked.

        Raises:
            WitnessFailedError: it cannot be reached now.
        """
        ...


def failed(name: str, why: str) -> WitnessFailedError:
    """The error of a witness that did not do what it is there for."""
    return WitnessFailedError(
        f"The witness {name} {why}.", hint="The ledger goes on; `mcp-migrate ledger checkpoint` tries again at once."
    )
