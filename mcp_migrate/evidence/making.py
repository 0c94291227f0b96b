"""What is in the one file that proves an apply? An in-toto Statement with its entries, each proved to be logged."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcp_migrate.evidence.collecting import collect
from mcp_migrate.evidence.envelope import seal
from mcp_migrate.evidence.telling import tell
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import canonical

if TYPE_CHECKING:
    from mcp_migrate.anchors.keeper import Keeper

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:mcp-migrate:evidence:1"
PAYLOAD = "application/vnd.in-toto+json"
FIELDS = ("seq", "at", "kind", "workflow", "call_id", "subject", "body")


def make(ledger: Ledger, keeper: Keeper, apply_id: str) -> str:
    """The file for one apply, under a checkpoint that covers all of it.

    Raises:
        ApplyNotFoundError: the ledger knows no such apply.
        ConfigInvalidError, CredentialFailedError: the checkpoint key cannot be used.
    """
    entries = collect(ledger, apply_id)
    checkpoint = keeper.covering(entries[-1].seq)
    size = checkpoint.head.size
    predicate = {
        "apply_id": apply_id,
        "checkpoint": str(checkpoint.note),
        "told": tell(entries, apply_id),
        "entries": [_proved(each, ledger.prove_inclusion(each.seq, size)) for each in entries],
    }
    statement = {
        "_type": STATEMENT,
        "subject": subjects(entries, apply_id),
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    return seal(PAYLOAD, canonical(statement), keeper.keys()[0], keeper.signing())


def subjects(entries: Sequence[Event], apply_id: str) -> list[dict[str, Any]]:
    """What it is about: the entry with which the apply began, and the plan that ran, each by its digest."""
    [started] = [each for each in entries if each.kind == Kind.STEP_STARTED and each.subject == apply_id]
    about = {"target": started.body["target"]}
    found = [_subject(apply_id, started.canonical(), about)]
    if started.body["plan"] is not None:
        found.append(_subject(started.body["plan_id"], canonical(started.body["plan"]), about))
    return found


def _subject(name: str, data: bytes, annotations: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}, "annotations": annotations}


def _proved(event: Event, hashes: Sequence[bytes]) -> dict[str, Any]:
    entry = {name: getattr(event, name) for name in FIELDS}
    return {"entry": entry, "proof": [base64.b64encode(each).decode() for each in hashes]}
