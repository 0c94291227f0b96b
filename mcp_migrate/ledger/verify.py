"""Has anything in the ledger been changed, removed, inserted or reordered since it was written?

Every entry is hashed again, and every root computed again. What the file itself cannot show, a cut tail or a
log rewritten as a whole, shows only against heads known before: what lies beside and those the caller trusts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_migrate.ledger.events import Event, Head
from mcp_migrate.ledger.kinds import Kind
from mcp_migrate.ledger.look import Look, looked_at
from mcp_migrate.ledger.merkle import EMPTY_ROOT, Frontier
from mcp_migrate.ledger.scan import Finding, Scan, scan

__all__ = ["Finding", "Inside", "Known", "Verification", "verify"]


@dataclass(frozen=True, slots=True)
class Known:
    """A head that somebody outside of the log vouches for: as the message names them."""

    by: str
    head: Head


@dataclass(frozen=True, slots=True)
class Inside:
    """Which entries vouch for heads themselves, and how: what was signed stands on the record too."""

    kinds: frozenset[str] = frozenset()
    known: Callable[[Sequence[Event]], Sequence[Known]] = lambda _events: ()


_NOTHING = Inside()


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `head` is that of the entries up to the first bad one; `agreed` are the heads that fit.

    `notes` are what could not be looked at.
    """

    head: Head
    findings: tuple[Finding, ...]
    agreed: tuple[Known, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class _Asked:
    trusted: Sequence[Head]
    known: Sequence[Known]
    since: Head | None
    inside: Inside


def verify(
    ledger_url: str,
    *,
    trusted: Sequence[Head] = (),
    known: Sequence[Known] = (),
    since: Head | None = None,
    inside: Inside = _NOTHING,
    remember: Path | None = None,
) -> Verification:
    """Check the whole ledger, or the entries from `since` on; nothing is changed and no file is made.

    `remember` is the file in which this machine keeps the head of a ledger on a server.

    `since` is trusted to be a head of this log; what is stored beside its last entry has to give its root.

    Raises:
        ConfigInvalidError: the URL names nothing that can keep a ledger.
        LedgerUnavailableError: it cannot be opened, or is not a ledger.
    """
    asked = _Asked(trusted, known, since, inside)
    return looked_at(ledger_url, lambda look: _held(look, asked), remember)


def _held(look: Look, asked: _Asked) -> Verification:
    """Hold all that is known against what a look at the ledger shows."""
    # Heads are known before entries are read: what others append meanwhile must not make one look too new.
    heads = [
        *(Known(look.vouching, head) for head in look.beside),
        *(Known("a trusted head", head) for head in asked.trusted),
        *asked.known,
    ]
    log = _scan(look, asked, {each.head.size for each in heads})
    heads += asked.inside.known([_event(row) for row in log.collected if row[2] in asked.inside.kinds])
    roots = {**_roots(look, {each.head.size for each in heads}, log.frontier.size), **log.roots}
    looked_at = [each for each in heads if asked.since is None or each.head.size >= asked.since.size]
    agreed = tuple(each for each in looked_at if roots.get(each.head.size) == each.head.root.lower())
    cut = [*_disagreeing(looked_at, agreed, log, own=look.vouching), *look.beside_findings]
    altered = [Finding(None, f"{look.what} was altered: {what}.") for what in look.altered()]
    first = [log.bad] if log.bad else []
    head = Head(log.frontier.size, log.frontier.root.hex())
    gone, notes = _purged(log)
    return Verification(head, (*first, *gone, *cut, *altered, *look.damaged()), agreed, (*look.notes, *notes))


def _scan(look: Look, asked: _Asked, sizes: Collection[int]) -> Scan:
    begin, since = Frontier(), asked.since
    if since is not None and since.size:
        held = _stored(look, since.size)
        if held is None or held.root.hex() != since.root:
            why = f"The first {since.size} entries are not those to begin after."
            return Scan(begin, {}, Finding(None, why))
        begin = held
    return scan(look.rows(begin.size), begin, sizes, asked.inside.kinds | {Kind.LEDGER_PURGED})


def _purged(log: Scan) -> tuple[list[Finding], list[str]]:
    """Entries without content of which no later entry says that they were purged, and what is said of the others."""
    told = [_event(row) for row in log.collected if row[2] == Kind.LEDGER_PURGED]
    parts = [(range(each.body["begin"], min(each.body["end"], each.seq)), each) for each in told]
    gone = next((seq for seq in log.purged if not any(seq in part for part, _ in parts)), None)
    findings = [] if gone is None else [Finding(gone, "Its content is gone, and nothing says that it was purged.")]
    return findings, [
        f"entries {part.start} to {part.stop - 1} were purged at {each.at[:19]}, but for those still needed: what they "
        f"said is in {each.subject}, {each.body['digest']}"
        for part, each in parts
    ]


def _stored(look: Look, size: int) -> Frontier | None:
    """The frontier that is stored after `size` entries, whatever it is worth."""
    stored = look.beside_entry(size - 1)[1]
    try:
        return Frontier.from_bytes(size, stored if isinstance(stored, bytes) else b"")
    except ValueError:
        return None


def _roots(look: Look, sizes: Collection[int], largest: int) -> dict[int, str]:
    """The roots after so many entries, of the part of the log that was found good."""
    found = {0: EMPTY_ROOT.hex()}
    for size in sizes:
        if 0 < size <= largest:
            root = look.beside_entry(size - 1)[0]
            found[size] = root.hex() if isinstance(root, bytes) else ""
    return found


def _event(row: Sequence[Any]) -> Event:
    seq, at, kind, workflow, call_id, subject, body, leaf, root, _ = row
    return Event(seq, at, kind, json.loads(body), workflow, call_id, subject, leaf, root)


def _disagreeing(heads: Sequence[Known], agreed: Sequence[Known], log: Scan, *, own: str) -> Iterator[Finding]:
    """Where the log is not what others know of it, with the first entry that can be the bad one.

    Whoever can write the log can write its own head as well: only what others know says how far it is good.
    """
    size = log.frontier.size
    for each in heads:
        reach = min(each.head.size - 1, size)
        still = max((good.head.size for good in agreed if good.by != own and good.head.size <= reach), default=0)
        if each.head.size > size and not log.bad:
            anew = "" if still == size or each.by == own else f", or it was made anew from entry {still} on"
            yield Finding(size if each.by == own else still, f"{_cut(each, size)}{anew}.")
        elif each.head.size <= size and each not in agreed:
            good = f" The first {still} still fit what others know." if still else ""
            yield Finding(still, f"The first {each.head.size} entries are not those {each.by} vouches for.{good}")


def _cut(known: Known, size: int) -> str:
    return f"The log ends after {size} entries, and {known.by} knows {known.head.size}: its end was cut"
