"""The URL of the configuration for each step: a standing key. For development and staging; production refuses it."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.settings import Target


class UnsafeStatic:
    """Hands out the same key for each step, and it does not die with it."""

    standing = True

    def __init__(self, target: Target) -> None:
        self._target = target

    def issue(self, step: Step) -> Credential:  # noqa: ARG002  it is the same for all
        """Resolve the references in the target's URL, as late as possible."""
        return Credential(self._target.resolved_url())

    def revoke(self, credential: Credential) -> None:
        """Nothing was issued."""

    def sweep(self) -> tuple[str, ...]:
        """Nothing is left behind."""
        return ()

    def maker(self) -> str | None:
        """None: the key itself makes scratch databases, if it may."""
        return None

    def excess(self) -> Iterable[str]:
        """Whatever the key may do."""
        return ("each step gets the standing key of the configuration, whatever it does",)
