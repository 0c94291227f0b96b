"""How is it shown that an entry is in the ledger? By its proof, up to the newest checkpoint that covers it."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.ledger.proofs import verify_inclusion


@dataclass(frozen=True, slots=True)
class Shown:
    """The proof of one entry in the log of `size` entries; `checkpoint` is its signed note where there is one."""

    size: int
    root: str
    hashes: tuple[str, ...]
    holds: bool
    checkpoint: str | None = None
    signed_in: int | None = None


def proof_of(event: Event, ledger: Ledger) -> Shown:
    """The proof under the newest checkpoint, or under the head of now where none covers the entry yet."""
    signed = next(iter(ledger.last(Kind.CHECKPOINT_SIGNED)), None)
    if signed is not None and int(signed.body["size"]) > event.seq:
        size, root = int(signed.body["size"]), str(signed.body["root"])
        note, at = str(signed.body["checkpoint"]), signed.seq
    else:
        head = ledger.head()
        size, root, note, at = head.size, head.root, None, None
    hashes = ledger.prove_inclusion(event.seq, size)
    holds = verify_inclusion(event.leaf, event.seq, size, hashes, bytes.fromhex(root))
    return Shown(size, root, tuple(each.hex() for each in hashes), holds, note, at)
