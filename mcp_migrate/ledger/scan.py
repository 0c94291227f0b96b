"""Do the entries of the log follow from each other? Every one is hashed again, and every root made again.

Each entry carries the frontier after it, so that checking can begin anywhere that a trusted head names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mcp_migrate.ledger.events import PURGED, hashed_bytes
from mcp_migrate.ledger.merkle import Frontier, joined, leaf_hash

COLUMNS = ("seq", "at", "kind", "workflow", "call_id", "subject", "body", "leaf", "root", "frontier")
"""What a row holds, in the order in which `scan` takes it."""

Row = Sequence[Any]
_OPTIONAL = (str, type(None))
_LEAF, _ROOT, _STORED = 7, 8, 9
NOTHING_LEFT = ("", PURGED, None, None, None, "")
"""What a row says between its number and its hashes once it is purged."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `seq` is the first entry that shows it, where it is about an entry."""

    seq: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What the entries say: the tree up to the first bad one, and the roots at the sizes that were asked for."""

    frontier: Frontier
    roots: Mapping[int, str]
    bad: Finding | None = None
    collected: tuple[Row, ...] = ()
    purged: tuple[int, ...] = ()
    """The entries of which only the hashes are there."""


class UnreadableError(Exception):
    """What rows raise where the next one cannot be read; says why."""


def scan(rows: Iterable[Row], begin: Frontier, sizes: Collection[int], kinds: Collection[str] = ()) -> Scan:
    """Check rows in the order of COLUMNS, from the tree `begin` on; those of `kinds` are collected."""
    size, peaks, bad = begin.size, list(begin.peaks), None
    collected, purged = [], []
    roots = {size: begin.root.hex()} if size in sizes else {}
    try:
        for row in rows:
            if row[0] != size:
                bad = Finding(size, f"It is missing: entry {row[0]} stands in its place.")
                break
            leaf = _leaf(row)
            grown = _grown(peaks, size, leaf)
            # The usual case in as few steps as there can be: this loop is what a long log waits for.
            if leaf != row[_LEAF] or b"".join(grown) != row[_STORED] or joined(grown) != row[_ROOT]:
                bad = Finding(size, _why(row, leaf, grown))
                break
            size, peaks = size + 1, grown
            if size in sizes:
                roots[size] = row[_ROOT].hex()
            if row[2] in kinds:
                collected.append(row)
            elif row[2] == PURGED:
                purged.append(row[0])
    except UnreadableError as error:
        bad = Finding(size, f"It cannot be read: {error}.")
    return Scan(Frontier(size, tuple(peaks)), roots, bad, tuple(collected), tuple(purged))


def _leaf(row: Row) -> bytes:
    """The leaf hash that the fields give, or none where they are of another type."""
    seq, at, kind, workflow, call_id, subject, body = row[:_LEAF]
    if kind == PURGED:  # its leaf is held by the roots after it, and what it said by a sealed segment
        return row[_LEAF] if tuple(row[1:_LEAF]) == NOTHING_LEFT and type(row[_LEAF]) is bytes else b""
    if not (type(at) is type(kind) is type(body) is str and type(workflow) in _OPTIONAL):
        return b""
    if type(call_id) not in _OPTIONAL or type(subject) not in _OPTIONAL:
        return b""
    return leaf_hash(
        hashed_bytes(seq=seq, at=at, kind=kind, body=body, workflow=workflow, call_id=call_id, subject=subject)
    )


def _grown(peaks: list[bytes], size: int, leaf: bytes) -> list[bytes]:
    """As `Frontier.append`, without the values around it."""
    grown = peaks.copy()
    while size & 1:
        leaf = sha256(b"\x01" + grown.pop() + leaf).digest()
        size >>= 1
    grown.append(leaf)
    return grown


def _why(row: Row, leaf: bytes, grown: Sequence[bytes]) -> str:
    if not leaf:
        return "It was edited: a field is not text, or it is purged by half."
    if leaf != row[_LEAF]:
        return "It was edited: its fields do not give its leaf hash."
    if row[_ROOT] != joined(grown):
        return "Its root does not follow from the entries up to it: one was edited, inserted, removed or moved."
    return "It was edited: its frontier is not that of the tree."
