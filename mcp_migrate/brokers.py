"""Where does a step credential come from?

One broker so far: the configuration's own. It is a standing key, so production targets refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from mcp_migrate.settings import Target


class Broker(Protocol):
    """Issues what opens a target for one step."""

    def credential(self, target: Target) -> AbstractContextManager[str]:
        """A context that yields the URL to connect with and revokes it on the way out.

        Raises:
            CredentialFailedError: it cannot be issued.
        """
        ...


class UnsafeStaticBroker:
    """Hands out the URL of the configuration: the same key for each step, and it does not die with it."""

    @contextmanager
    def credential(self, target: Target) -> Iterator[str]:
        """Resolve the references in the target's URL, as late as possible."""
        yield target.resolved_url()
