"""Is a team's server of ours at this address? It is asked before it is sent a token (RFC 9728)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcp_migrate.errors import ConfigInvalidError, ServerUnreachableError
from mcp_migrate.settings.http import ENDPOINT, METADATA, NAME
from mcp_migrate.settings.url_checks import ADDRESS


@dataclass(frozen=True, slots=True)
class Address:
    """Where a team's server is, as its own `http.url` says."""

    url: str

    @property
    def resource(self) -> str:
        """Where messages are sent, and what tokens are made for."""
        return self.url + ENDPOINT

    @property
    def metadata(self) -> str:
        """Where it says of itself what it is."""
        return self.url + METADATA + ENDPOINT

    @property
    def on_this_machine(self) -> bool:
        """Whether nothing leaves this machine on the way, so that no proxy may either."""
        return self.url.startswith("http://")


def address(said: str) -> Address:
    """The address that a person wrote, with or without the path. Raises: ConfigInvalidError."""
    url = said.rstrip("/").removesuffix(ENDPOINT)
    if not ADDRESS.fullmatch(url):
        raise ConfigInvalidError(
            f"{said[:200]!r} is no address of a team's server, or what passes there can be read on the way.",
            hint="Write it as the server's `http.url`: https://HOST, or http://localhost:PORT.",
        )
    return Address(url)


def make_sure(server: Address, status: int, said: Any) -> None:
    """Hold what an address says of itself against what was meant.

    Raises:
        ServerUnreachableError: this is no server of ours, or one that goes by another name.
    """
    named = said if isinstance(said, dict) else {}
    if status != 200 or named.get("resource_name") != NAME:  # noqa: PLR2004  what it is, is said plainly
        raise ServerUnreachableError(
            f"{server.url} is no mcp-migrate server (it answered {status}); it was sent no token.",
            hint="Look at the address after --remote: the one that `serve --http` says as it starts.",
        )
    if named.get("resource") != server.resource:
        other = str(named.get("resource"))[:200]
        raise ServerUnreachableError(
            f"The server at {server.url} goes by another name, {other!r}; it was sent no token.",
            hint="Start with --remote and that address, if it is the one you mean.",
        )
