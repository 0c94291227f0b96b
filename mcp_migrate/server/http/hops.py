"""From where did a request come? A proxy's word counts where the proxy is one of ours, and nobody else's does."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from mcp_migrate.settings.networks import known_address, within

_MOST_HOPS = 20


def peer(scope: Scope) -> str | None:
    """The other end of the connection itself."""
    client = scope.get("client")
    return known_address(client[0]) if client else None


def address(scope: Scope, trusted: Sequence[str]) -> str | None:
    """Who stood before the first of `trusted` proxies, or None where none of them says.

    Each proxy adds whom it heard at the right of `X-Forwarded-For`: what stands left of the first that is no proxy of
    ours, anybody may have written. A proxy itself is never who calls: one that says nothing would stand for everybody.
    """
    found = peer(scope)
    if not within(found, trusted):
        return found
    said = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
    hops = [known_address(each.strip()) for each in said.split(",")] if said.strip() else []
    for hop in reversed(hops[-_MOST_HOPS:]):
        if not within(hop, trusted):
            return hop
    return None
