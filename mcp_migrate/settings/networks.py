"""From where may a call come? Networks, as configurations write them, and whether an address is in one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from mcp_migrate.settings.values import Window


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no network, as 10.0.0.0/8 or 2001:db8::/32 is") from error


Network = Annotated[str, AfterValidator(_network)]
Networks = Annotated[tuple[Network, ...], Field(min_length=1)]


class Around(Window):
    """When, and from where, a scope is open."""

    network: Networks | None = Field(None, description="Networks that the call comes from, as 10.0.0.0/8.")


def known_address(text: Any) -> str | None:
    """An address as it is compared and recorded, or None where that is none; IPv4 within IPv6 is IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return None if getattr(found, "scope_id", None) else str(mapped or found)


def within(address: str | None, networks: Iterable[str]) -> bool:
    """Whether an address that is known lies in one of these."""
    return address is not None and any(_parsed(address) in _parsed_network(each) for each in networks)


@cache
def _parsed_network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def _parsed(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text)
