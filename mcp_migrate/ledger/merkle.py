"""Which root do these leaves have? The Merkle tree of RFC 6962 (and RFC 9162), section 2.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash one entry; the prefix keeps a leaf from ever being taken for a node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent."""
    return sha256(b"\x01" + left + right).digest()


def joined(peaks: Sequence[bytes]) -> bytes:
    """The root over subtrees that stand side by side, largest first."""
    if not peaks:
        return EMPTY_ROOT
    made = peaks[-1]
    for peak in peaks[-2::-1]:
        made = sha256(b"\x01" + peak + made).digest()
    return made


_root = lru_cache(maxsize=64)(joined)
"""Each append asks several times for the root of the same few trees."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the perfect subtrees that a tree of `size` leaves is made of, largest first.

    It is all that appending needs: O(log n) hashes, without the leaves.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """The frontier with one more leaf."""
        peaks, size = list(self.peaks), self.size
        while size & 1:
            leaf = node_hash(peaks.pop(), leaf)
            size >>= 1
        return Frontier(self.size + 1, (*peaks, leaf))

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        return _root(self.peaks)

    def to_bytes(self) -> bytes:
        """The peaks, one after the other; the size is known from elsewhere."""
        return b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> Frontier:
        """The inverse of `to_bytes`.

        Raises:
            ValueError: `raw` does not hold as many hashes as a tree of `size` leaves has perfect subtrees.
        """
        if len(raw) != size.bit_count() * HASH_SIZE:
            raise ValueError(f"{len(raw)} bytes are no frontier of a tree with {size} leaves")
        return cls(size, tuple(raw[i : i + HASH_SIZE] for i in range(0, len(raw), HASH_SIZE)))
