"""What is an entry while it is a row of the store, on its way in and on its way out?"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.ledger.events import Event, hashed_bytes
from mcp_migrate.ledger.line import Row, Waiting
from mcp_migrate.ledger.merkle import Frontier, leaf_hash
from mcp_migrate.ledger.proofs import Kept


def grow(frontier: Frontier, waiting: Waiting) -> tuple[tuple[Row, ...], Frontier]:
    """The rows that entries become at the end of the tree, and the frontier they lead to."""
    rows: list[Row] = []
    for draft, text in zip(waiting.drafts, waiting.texts, strict=True):
        row: Row = {
            "seq": frontier.size,
            "at": waiting.moment,
            "kind": str(draft.kind),
            "workflow": draft.workflow,
            "call_id": draft.call_id,
            "subject": draft.subject,
            "body": text,
        }
        row["leaf"] = leaf = leaf_hash(hashed_bytes(**row))
        frontier = frontier.append(leaf)
        row["root"], row["frontier"] = frontier.root, frontier.to_bytes()
        rows.append(row)
    return tuple(rows), frontier


def event_of(row: Mapping[Any, Any]) -> Event:
    """The entry of a row. Raises: ValueError, TypeError: its body is not what was written."""
    body = json.loads(row["body"])
    if not isinstance(body, dict):
        raise TypeError("the body is no object")
    return event_with(row, body)


def event_with(row: Mapping[Any, Any], body: Mapping[str, Any]) -> Event:
    """The entry of a row whose body is known."""
    plain = (row["seq"], row["at"], row["kind"])
    return Event(*plain, body, row["workflow"], row["call_id"], row["subject"], row["leaf"], row["root"])


def kept_of(seqs: Collection[int], rows: Iterable[Mapping[Any, Any]]) -> dict[int, Kept]:
    """What stands beside these entries; the peaks before one are stored with the one before it."""
    found = {row["seq"]: row for row in rows}
    peaks = {seq: Frontier.from_bytes(seq, found[seq - 1]["frontier"]).peaks if seq else () for seq in seqs}
    return {seq: Kept(found[seq]["leaf"], peaks[seq]) for seq in seqs}


def no_such(what: str, size: int) -> InvalidArgumentsError:
    """What was asked for is not in a log of this size."""
    return InvalidArgumentsError(f"The ledger has {size} entries, and not {what}.", hint="Count entries from 0.")
