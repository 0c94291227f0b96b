"""Does a proof show that an entry is in the log, or that the log only grew? RFC 9162, sections 2.1.3 and 2.1.4.

Only the standard library and `merkle` are needed, so whoever holds a head can check a proof without the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcp_migrate.ledger.merkle import EMPTY_ROOT, joined, node_hash


@dataclass(frozen=True, slots=True)
class Span:
    """The entries from `start` up to and without `end`, as one subtree."""

    start: int
    end: int


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is entry `index` of the log with this size and root (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, made = index, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            made = node_hash(each, made)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, each)
        at, last = at >> 1, last >> 1
    return last == 0 and made == root


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the log of `old` entries is the beginning of the one of `size` entries (2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old in {0, size}:
        return not proof and (root if old == size else EMPTY_ROOT) == old_root
    path = list(proof)
    if old & (old - 1) == 0:  # a perfect tree is a subtree of the new one, and its own root stands first
        path.insert(0, old_root)
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not path:
        return False
    was = now = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            was, now = node_hash(each, was), node_hash(each, now)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            now = node_hash(now, each)
        at, last = at >> 1, last >> 1
    return last == 0 and was == old_root and now == root


def inclusion_spans(index: int, size: int) -> tuple[Span, ...]:
    """The subtrees whose roots are the inclusion proof of entry `index`, from the leaf upwards (2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a log of {size} entries has no entry {index}")
    return tuple(reversed([*_beside(index, Span(0, size))]))


def _beside(index: int, span: Span) -> Iterator[Span]:
    while span.end - span.start > 1:
        left, right = _split(span)
        inside, beside = (left, right) if index < left.end else (right, left)
        yield beside
        span = inside


def consistency_spans(old: int, size: int) -> tuple[Span, ...]:
    """The subtrees whose roots show that the log of `old` entries grew to `size` (2.1.4.1)."""
    if not 0 <= old <= size:
        raise ValueError(f"a log of {size} entries did not grow from {old}")
    if old in {0, size}:
        return ()
    spans, span, whole = [], Span(0, size), True
    while span.end != old:
        left, right = _split(span)
        if old <= left.end:
            spans.append(right)
            span = left
        else:
            spans.append(left)
            span, whole = right, False
    return tuple(reversed([*spans, *(() if whole else (span,))]))


def _split(span: Span) -> tuple[Span, Span]:
    """Left takes the largest power of two of entries that leaves something over (2.1.1)."""
    middle = span.start + (1 << (span.end - span.start - 1).bit_length() - 1)
    return Span(span.start, middle), Span(middle, span.end)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the ledger stores beside an entry: its leaf hash, and the peaks of the tree before it."""

    leaf: bytes
    before: tuple[bytes, ...]


Look = Callable[[Collection[int]], Mapping[int, Kept]]
"""How a ledger is asked what it keeps beside some entries, all at once."""


def prove_inclusion(index: int, size: int, look: Look) -> tuple[bytes, ...]:
    """The inclusion proof of entry `index` in the log as it was with `size` entries. Raises: ValueError."""
    return _roots(inclusion_spans(index, size), look)


def prove_consistency(old: int, size: int, look: Look) -> tuple[bytes, ...]:
    """The proof that the log of `size` entries begins with the log of `old` entries. Raises: ValueError."""
    return _roots(consistency_spans(old, size), look)


def _roots(spans: Sequence[Span], look: Look) -> tuple[bytes, ...]:
    parts = [_perfect(span) for span in spans]
    kept = look({part.end - 1 for each in parts for part in each})
    return tuple(joined([_root(part, kept[part.end - 1]) for part in each]) for each in parts)


def _perfect(span: Span) -> tuple[Span, ...]:
    """The perfect subtrees that a span of the tree is made of, largest first."""
    found, start = [], span.start
    while start < span.end:
        width = 1 << (span.end - start).bit_length() - 1
        found.append(Span(start, start + width))
        start += width
    return tuple(found)


def _root(span: Span, last: Kept) -> bytes:
    """The root of a perfect subtree from what is kept beside its last entry.

    The peaks before that entry end with the left half of the subtree, then the left half of its right half, and so on
    down to the leaf. So no table of nodes is needed, and each subtree costs one look at the log.
    """
    levels = (span.end - span.start).bit_length() - 1
    return joined([*last.before[len(last.before) - levels :], last.leaf])
