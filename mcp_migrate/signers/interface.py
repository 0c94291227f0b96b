"""What does every way of signing share: which purpose a signature serves, and what a valid one tells us?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mcp_migrate.model import Assurance

NAMESPACE = "approval@mcp-migrate"
"""A signature made for anything else (a git commit, a login) is never an approval."""


class Key(Protocol):
    """The public half of whatever signs."""

    @property
    def fingerprint(self) -> str:
        """What the record knows it by."""
        ...


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that holds. `counter` is the security key's own count of signatures; software has none."""

    assurance: Assurance
    counter: int | None
