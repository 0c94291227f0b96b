"""Does each signature on the record hold, by a key that was its reviewer's when it was made?

What holds no more is told apart from what nobody can check any more: a key that is in no record and no configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.ledger import Event, Finding, Head, Kind
from mcp_migrate.signers.decisions import check_signature
from mcp_migrate.signers.roster import parse_key
from mcp_migrate.signers.sshsig import key_in
from mcp_migrate.signers.statements import difference

if TYPE_CHECKING:
    from mcp_migrate.signers.keys import PublicKey
    from mcp_migrate.signers.passkey import Passkey

SIGNED = frozenset({Kind.APPROVAL_DECIDED, Kind.APPROVAL_REOPENED, Kind.APPROVAL_BROKEN})
KINDS = SIGNED | {Kind.CONFIG_LOADED, Kind.REVIEWER_ENROLLED, Kind.APPROVAL_REQUESTED}
"""The entries that this is found out from."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A head that a reviewer signed with a decision that holds, in which entry and when."""

    seq: int
    by: str
    head: Head
    at: str


@dataclass(slots=True)
class Decisions:
    """What the signatures on the record are worth."""

    holding: int = 0
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Finding] = field(default_factory=list)
    witnessed: list[Witnessed] = field(default_factory=list)


def weigh(events: Sequence[Event], lines: Iterable[str], *, partly: bool) -> Decisions:
    """Go through the record in order. `lines` are keys known besides; `partly` says that its beginning is left out."""
    found, requests = Decisions(), dict[str, Event]()
    enrolled: Mapping[str, Any] = {}
    keys = _keys(lines)
    for event in events:
        if event.kind == Kind.CONFIG_LOADED:
            enrolled = event.body.get("keys", {})
            keys |= _keys(_lines(event))
        elif event.kind == Kind.REVIEWER_ENROLLED:
            keys |= _keys(_lines(event))
        elif event.kind == Kind.APPROVAL_REQUESTED:
            requests.setdefault(str(event.subject), event)
        elif event.kind in SIGNED:
            _weigh(event, requests.get(str(event.subject)), enrolled, keys, found, partly=partly)
    return found


def _keys(lines: Iterable[str]) -> dict[str, PublicKey | Passkey]:
    """The keys in lines as reviewers have them, by fingerprint; a line that holds none signed nothing."""
    found = {}
    for line in lines:
        with suppress(ConfigInvalidError):
            key = parse_key(line)
            found[key.fingerprint] = key
    return found


def _lines(event: Event) -> Iterator[str]:
    """The keys that an entry says: of a configuration, or the one that an enrolment lets in."""
    for mine in event.body.get("public_keys", {}).values():
        yield from mine
    said = event.body.get("statement")
    if event.kind == Kind.REVIEWER_ENROLLED and isinstance(said, Mapping):
        yield str(said.get("key"))


def _weigh(
    event: Event,
    request: Event | None,
    enrolled: Mapping[str, Any],
    keys: Mapping[str, PublicKey | Passkey],
    found: Decisions,
    *,
    partly: bool,
) -> None:
    said = event.body.get("statement")
    if not isinstance(said, Mapping):
        found.findings.append(Finding(event.seq, "It is a decision without a statement that was signed."))
        return
    if request is None:
        why = "It decides on a request that is not on the record before it."
        (found.unchecked if partly else found.findings).append(Finding(event.seq, why))
        return
    known = request.body.get("keys", enrolled)
    if said.get("key") not in known.get(str(said.get("reviewer")), ()):
        why = f"It is signed with a key that was not {said.get('reviewer')}'s at that time: {said.get('key')}."
        found.findings.append(Finding(event.seq, why))
        return
    key = keys.get(str(said.get("key"))) or key_in(str(event.body.get("signature")))
    if key is None:
        why = f"The key {said.get('key')} of {said.get('reviewer')} is nowhere to be found, so nobody can check it."
        found.unchecked.append(Finding(event.seq, why))
    elif why_not := _why_not(event, said, request, key):
        found.findings.append(Finding(event.seq, f"Its signature does not hold: {why_not}."))
    else:
        found.holding += 1
        found.witnessed.extend(_witnessed(event, said))


def _why_not(event: Event, said: Mapping[str, Any], request: Event, key: PublicKey | Passkey) -> str | None:
    if key.fingerprint != said.get("key"):
        return "it is by another key than it says"
    if differs := difference(said, request.body):
        return differs
    try:
        check_signature(event.body, key)
    except ApprovalInvalidError as error:
        return error.sentence.rstrip(".")
    return None


def _witnessed(event: Event, said: Mapping[str, Any]) -> Iterator[Witnessed]:
    match said.get("ledger"):
        case {"size": int(size), "root": str(root)}:
            yield Witnessed(
                event.seq, f"{said['reviewer']} (entry {event.seq})", Head(size, root), str(said["decided_at"])
            )
