"""What does a target know of the ledger? How far it was, and with which root, when an apply ran there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftHead:
    """The head that an apply left in its target: `size` entries, and the root over them in hex."""

    apply_id: str
    size: int
    root: str
