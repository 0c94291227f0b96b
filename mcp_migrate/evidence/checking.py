"""Is a file of evidence true, on a machine that has nothing but the ledger's verifier key?

What is told in it is told again from its entries; each entry has to be in the signed log; each decision has to be
signed over exactly its request by a key that was its reviewer's then. What nobody can find out from one file is whether
something was left out of it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_migrate.anchors import decisions
from mcp_migrate.errors import EvidenceInvalidError, MigrateError
from mcp_migrate.evidence.envelope import unseal
from mcp_migrate.evidence.making import FIELDS, PAYLOAD, PREDICATE, STATEMENT, subjects
from mcp_migrate.evidence.telling import tell
from mcp_migrate.ledger import Event, Finding, Kind
from mcp_migrate.ledger.checkpoint import Checkpoint, open_checkpoint
from mcp_migrate.ledger.merkle import leaf_hash
from mcp_migrate.ledger.note import VerifierKey
from mcp_migrate.ledger.proofs import verify_inclusion
from mcp_migrate.model import canonical, digest

_AGREED = {"approve", "break-glass"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a file proves: `told` is derived from `entries`, all of which are in the log of `checkpoint`."""

    apply_id: str
    told: Mapping[str, Any]
    entries: tuple[Event, ...]
    checkpoint: Checkpoint
    key: VerifierKey
    decisions: int


def check(text: str, keys: Collection[VerifierKey], cosigners: Collection[VerifierKey] = ()) -> Evidence:
    """Hold all of a file against itself and against the keys; its checkpoint names those of `cosigners` who saw it.

    Raises:
        EvidenceInvalidError: something in it does not hold; the sentence says what.
    """
    payload, key = unseal(text, PAYLOAD, keys)
    try:
        return _checked(payload, key, cosigners)
    except EvidenceInvalidError:
        raise
    except MigrateError as error:
        raise _invalid(error.sentence.rstrip(".")) from error
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration, RecursionError) as error:
        raise _invalid("it is not built as the entries of an apply") from error


def _checked(payload: bytes, key: VerifierKey, cosigners: Collection[VerifierKey]) -> Evidence:
    statement = json.loads(payload)
    if (statement["_type"], statement["predicateType"]) != (STATEMENT, PREDICATE) or canonical(statement) != payload:
        raise _invalid("it is no statement of this kind")
    predicate = statement["predicate"]
    apply_id = str(predicate["apply_id"])
    checkpoint = open_checkpoint(predicate["checkpoint"], key.name, [key], cosigners)
    entries = tuple(_logged(each, checkpoint) for each in predicate["entries"])
    if [each.seq for each in entries] != sorted({each.seq for each in entries}):
        raise _invalid("its entries are not in their order")
    if statement["subject"] != subjects(entries, apply_id) or predicate["told"] != tell(entries, apply_id):
        raise _invalid("what it tells is not what its entries say")
    weighed = decisions.weigh(entries, (), partly=False)
    for why in (*(f"entry {each.seq}: {each.why}" for each in _doubted(weighed)), *_incoherent(entries, apply_id)):
        raise _invalid(why.rstrip("."))
    return Evidence(apply_id, predicate["told"], entries, checkpoint, key, weighed.holding)


def _logged(each: Mapping[str, Any], checkpoint: Checkpoint) -> Event:
    """One entry, once its proof shows that it is in the log."""
    entry, head = each["entry"], checkpoint.head
    hashes = [base64.b64decode(text, validate=True) for text in each["proof"]]
    leaf = leaf_hash(canonical(entry))
    event = Event(**{name: entry[name] for name in FIELDS}, leaf=leaf, root=b"")
    same = set(each) == {"entry", "proof"} and event.canonical() == canonical(entry)
    if not same or not verify_inclusion(leaf, event.seq, head.size, hashes, bytes.fromhex(head.root)):
        raise _invalid(f"entry {entry['seq']} is not in the log that was signed")
    return event


def _doubted(weighed: decisions.Decisions) -> Iterator[Finding]:
    """A signature that nobody can check proves nothing to somebody who has this file alone."""
    yield from weighed.findings
    yield from weighed.unchecked


def _incoherent(entries: Sequence[Event], apply_id: str) -> Iterator[str]:
    """Where what ran is not what was planned and agreed."""
    [started] = [each for each in entries if each.kind == Kind.STEP_STARTED and each.subject == apply_id]
    plan = digest(started.body["plan"]) if started.body["plan"] is not None else None
    for each in entries:
        if each.kind == Kind.PLAN_FROZEN and {each.body["digest"], digest(each.body["plan"])} != {plan}:
            yield f"the plan of entry {each.seq} is not the one that ran"
    asked = [each for each in entries if each.kind == Kind.APPROVAL_REQUESTED]
    own = [each for each in asked if each.subject == started.body["request_id"]]
    if started.body["request_id"] and not own:
        yield "the request that allowed it is not in it"
    for each in own:
        if each.body["plan_digest"] != plan:
            yield f"the request of entry {each.seq} is about another plan"
    yield from otherwise(entries)
    lacking = set(started.body["reviewers"]) - set(_agreed(entries, started))
    if lacking:
        yield f"{', '.join(sorted(lacking))} is said to have agreed, and no signature before it shows that"


def otherwise(entries: Sequence[Event]) -> Iterator[str]:
    """Where what the target was seen to be is not what the outcome of the same apply says it was left as."""
    ended = {each.subject: each for each in reversed(entries) if each.kind == Kind.STEP_FINISHED}
    for each in entries:
        if each.kind == Kind.SCHEMA_SEEN:
            outcome = ended[each.subject].body
            if any(each.body[name] != outcome[name] for name in ("revision", "fingerprint")):
                yield f"the state of entry {each.seq} is not what the outcome of {each.subject} says"


def _agreed(entries: Sequence[Event], started: Event) -> Iterator[str]:
    for each in entries:
        if each.kind in decisions.SIGNED and each.seq < started.seq:
            said = each.body["statement"]
            if said["decision"] in _AGREED:
                yield str(said["reviewer"])


def _invalid(why: str) -> EvidenceInvalidError:
    return EvidenceInvalidError(
        f"This evidence does not hold: {why}.",
        hint="Keep the file as it is, and compare it with the ledger: `mcp-migrate ledger verify`.",
    )
