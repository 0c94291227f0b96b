"""Does our tree give the roots that RFC 6962 gives?"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash

ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
# The reference vectors of the Certificate Transparency project.
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def naive_root(entries: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


def grown(entries: list[bytes]) -> Frontier:
    frontier = Frontier()
    for entry in entries:
        frontier = frontier.append(leaf_hash(entry))
    return frontier


def test_the_empty_tree_has_the_root_of_the_standard() -> None:
    assert Frontier().root == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_vectors_are_met(size: int) -> None:
    assert grown([bytes.fromhex(entry) for entry in ENTRIES[:size]]).root.hex() == ROOTS[size - 1]


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_every_root_is_that_of_the_naive_definition(entries: list[bytes]) -> None:
    assert grown(entries).root == naive_root(entries)


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_a_frontier_survives_being_stored(entries: list[bytes]) -> None:
    frontier = grown(entries)
    assert Frontier.from_bytes(len(entries), frontier.to_bytes()) == frontier


@given(st.integers(0, 1000), st.binary(max_size=200))
def test_bytes_of_another_size_are_no_frontier(size: int, raw: bytes) -> None:
    if len(raw) == 32 * size.bit_count():
        assert Frontier.from_bytes(size, raw).to_bytes() == raw
    else:
        with pytest.raises(ValueError, match="no frontier"):
            Frontier.from_bytes(size, raw)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_node_is_never_taken_for_a_leaf(left: bytes, right: bytes) -> None:
    assert node_hash(left, right) != leaf_hash(left + right)
