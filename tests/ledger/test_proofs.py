"""Do proofs show what they claim, and nothing else? Against the standard's definitions, word for word and slowly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash
from mcp_migrate.ledger.proofs import (
    Kept,
    Look,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("aics_tlog.json").read_text())
ENTRIES = [b"entry %d" % n for n in range(11)]


def _power_below(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def slow_root(entries: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    k = _power_below(len(entries))
    return hashlib.sha256(b"\1" + slow_root(entries[:k]) + slow_root(entries[k:])).digest()


def slow_path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(entries) == 1:
        return []
    k = _power_below(len(entries))
    if m < k:
        return [*slow_path(m, entries[:k]), slow_root(entries[k:])]
    return [*slow_path(m - k, entries[k:]), slow_root(entries[:k])]


def slow_proof(m: int, entries: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    if m == len(entries):
        return [] if whole else [slow_root(entries)]
    k = _power_below(len(entries))
    if m <= k:
        return [*slow_proof(m, entries[:k], whole=whole), slow_root(entries[k:])]
    return [*slow_proof(m - k, entries[k:], whole=False), slow_root(entries[:k])]


def kept_of(entries: list[bytes]) -> Look:
    """What a ledger keeps beside these entries."""
    frontier, kept = Frontier(), {}
    for n, entry in enumerate(entries):
        kept[n] = Kept(leaf_hash(entry), frontier.peaks)
        frontier = frontier.append(leaf_hash(entry))

    def look(numbers: Collection[int]) -> Mapping[int, Kept]:
        assert len(numbers) <= 2 * len(entries).bit_length()  # the bound on what is read
        return {n: kept[n] for n in numbers}

    return look


logs = st.lists(st.binary(max_size=6), min_size=1, max_size=70)


@given(logs, st.data())
@pytest.mark.proves("ledger-inclusion")
def test_an_inclusion_proof_is_that_of_the_standard_and_holds(entries: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(index, size, kept_of(entries))
    assert list(proof) == slow_path(index, entries[:size])
    assert verify_inclusion(leaf_hash(entries[index]), index, size, proof, slow_root(entries[:size]))


@given(logs, st.data())
@pytest.mark.proves("ledger-consistency")
def test_a_consistency_proof_is_that_of_the_standard_and_holds(entries: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(entries)))
    old = data.draw(st.integers(0, size))
    proof = prove_consistency(old, size, kept_of(entries))
    assert list(proof) == (slow_proof(old, entries[:size]) if old else [])
    assert verify_consistency(old, slow_root(entries[:old]), size, slow_root(entries[:size]), proof)


@given(logs, st.data())
@pytest.mark.proves("ledger-inclusion", "ledger-consistency")
def test_no_proof_holds_for_anything_else(entries: list[bytes], data: st.DataObject) -> None:
    size = len(entries)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    look, root, leaf = kept_of(entries), slow_root(entries), leaf_hash(entries[index])
    proof, grown = prove_inclusion(index, size, look), prove_consistency(old, size, look)
    other = leaf_hash(b"another entry")
    assert not verify_inclusion(other, index, size, proof, root)
    assert not verify_inclusion(leaf, index, size, (*proof, other), root)
    assert not verify_inclusion(leaf, index, size, proof, other)
    assert not verify_inclusion(leaf, size, size, proof, root)
    assert not verify_consistency(old, other, size, root, grown)
    assert not verify_consistency(old, slow_root(entries[:old]), size, other, grown)
    assert not verify_consistency(old, slow_root(entries[:old]), size, root, (*grown, other))
    assert not verify_consistency(size + 1, root, size, root, grown)
    for at in range(len(proof)):
        assert not verify_inclusion(leaf, index, size, (*proof[:at], other, *proof[at + 1 :]), root)
    for at in range(len(grown)):
        changed = (*grown[:at], other, *grown[at + 1 :])
        assert not verify_consistency(old, slow_root(entries[:old]), size, root, changed)


@given(logs, st.data())
@pytest.mark.proves("ledger-consistency")
def test_a_log_rewritten_anywhere_has_no_consistency_proof(entries: list[bytes], data: st.DataObject) -> None:
    """Nobody who rewrites an entry before a head finds a proof among those an honest prover could give."""
    old = data.draw(st.integers(1, len(entries)))
    at = data.draw(st.integers(0, old - 1))
    forged = [*entries[:at], entries[at] + b"!", *entries[at + 1 :]]
    grown = prove_consistency(old, len(forged), kept_of(forged))
    assert not verify_consistency(old, slow_root(entries[:old]), len(forged), slow_root(forged), grown)


def test_what_is_not_in_the_log_is_not_proved() -> None:
    look = kept_of(ENTRIES)
    for index in (11, -1):
        with pytest.raises(ValueError, match="has no entry"):
            prove_inclusion(index, 11, look)
    with pytest.raises(ValueError, match="did not grow"):
        prove_consistency(12, 11, look)
    assert verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, ())
    assert not verify_consistency(0, EMPTY_ROOT, 0, slow_root(ENTRIES), ())
    assert not verify_consistency(3, slow_root(ENTRIES[:3]), 11, slow_root(ENTRIES), ())


@pytest.mark.proves("ledger-interoperates")
def test_the_proofs_of_another_implementation_are_ours() -> None:
    look, roots = kept_of(ENTRIES), [bytes.fromhex(root) for root in VECTORS["roots"]]
    assert [slow_root(ENTRIES[:n]) for n in range(12)] == roots
    for index, size, proof in VECTORS["inclusion"]:
        assert [each.hex() for each in prove_inclusion(index, size, look)] == proof
        hashes = [bytes.fromhex(each) for each in proof]
        assert verify_inclusion(leaf_hash(ENTRIES[index]), index, size, hashes, roots[size])
    for old, size, proof in VECTORS["consistency"]:
        assert [each.hex() for each in prove_consistency(old, size, look)] == proof
        assert verify_consistency(old, roots[old], size, roots[size], [bytes.fromhex(each) for each in proof])
