"""What must be able to open a target for one step, and close it again?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Purpose(StrEnum):
    """What a step does with its credential; it gets the rights for that and no others."""

    READ = "read"
    PLAN = "plan"
    APPLY = "apply"
    PRUNE = "prune"

    @property
    def writes(self) -> bool:
        """Whether it changes the target itself."""
        return self in {Purpose.APPLY, Purpose.PRUNE}


@dataclass(frozen=True, slots=True)
class Step:
    """Who needs a credential, for what and for how many seconds at most. `objects` are globs or names, if known."""

    target: str
    principal: str
    purpose: Purpose
    ttl: float
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens a target. `role` is the name by which the database knows whoever uses it.

    After `expires`, by the database's clock, nobody can open a session with it, whatever becomes of us. `handle` is how
    the broker itself knows it. `swept` are the roles of dead servers that were removed on the way.
    """

    url: str = field(repr=False)
    role: str | None = None
    expires: datetime | None = None
    handle: str | None = field(default=None, repr=False)
    swept: tuple[str, ...] = ()


class Broker(Protocol):
    """Issues credentials for one target."""

    @property
    def standing(self) -> bool:
        """Whether what it hands out is the configuration's own key: nothing is issued and nothing dies."""
        ...

    def issue(self, step: Step) -> Credential:
        """A credential for this step alone.

        Raises:
            CredentialFailedError: it cannot be issued, and nothing usable is left.
        """
        ...

    def revoke(self, credential: Credential) -> str | None:
        """End the sessions that it opened, then itself, which may be gone already; in words what has to stay of it.

        Raises:
            CredentialFailedError: it may still be there; says until when it can be used.
        """
        ...

    def sweep(self) -> tuple[str, ...]:
        """Remove what outlived its time because its server died; the roles of it. Raises: CredentialFailedError."""
        ...

    def maker(self) -> str | None:
        """The URL with which scratch databases are made; None where the credential of the step does that."""
        ...

    def excess(self) -> Iterable[str]:
        """What whoever holds the broker's own key could do beyond issuing. Raises: CredentialFailedError."""
        ...
