"""Is it known from where a request comes, whatever somebody writes into its headers?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.server.http.hops import address
from mcp_migrate.settings.networks import known_address

PROXIES = ("10.0.0.0/24", "2001:db8::5/128")
addresses = st.ip_addresses().map(str)
anything = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)


def request(peer: str | None, *said: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", each.encode("latin-1")) for each in said]
    return {"type": "http", "headers": headers, "client": (peer, 1) if peer else None}


@pytest.mark.parametrize(
    ("peer", "said", "found"),
    [
        ("192.0.2.9", (), "192.0.2.9"),
        ("192.0.2.9", ("10.1.1.1",), "192.0.2.9"),
        ("10.0.0.5", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.5", ("1.1.1.1, 198.51.100.7, 10.0.0.6",), "198.51.100.7"),
        ("10.0.0.5", ("1.1.1.1", "198.51.100.7"), "198.51.100.7"),
        ("::ffff:10.0.0.5", ("::ffff:198.51.100.7",), "198.51.100.7"),
        ("2001:db8::5", ("2001:db8:1::9",), "2001:db8:1::9"),
        ("10.0.0.5", (), None),
        ("10.0.0.5", ("10.0.0.6",), None),
        ("10.0.0.5", ("198.51.100.7, somebody",), None),
        ("10.0.0.5", ("198.51.100.7:4711",), None),
        (None, ("198.51.100.7",), None),
    ],
)
@pytest.mark.proves("scopes-network")
def test_the_first_that_is_no_proxy_of_ours_is_where_a_request_comes_from(
    peer: str | None, said: tuple[str, ...], found: str | None
) -> None:
    assert address(request(peer, *said), PROXIES) == found


@given(addresses, st.lists(anything, max_size=3), st.lists(addresses, max_size=3))
@pytest.mark.proves("scopes-network")
def test_what_a_client_writes_never_changes_where_it_comes_from(peer: str, said: list[str], more: list[str]) -> None:
    """Whoever is no proxy is itself; before a proxy of ours, only what that one adds at the right counts."""
    assert address(request(peer, *said, *more), ()) == known_address(peer)
    if known_address(peer) is not None and not peer.startswith("10.0.0."):
        through = address(request("10.0.0.5", *said, peer), PROXIES[:1])
        assert through == known_address(peer)
