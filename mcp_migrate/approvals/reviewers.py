"""Whose signature counts now? The configuration's reviewers, and what signed enrolments on the ledger made of them.

Each enrolment is held against the keys that counted when it was recorded, in the ledger's order: who wrote the entry
means nothing. Removing a key takes back what it let in. Who was let in goes with whoever let them in, who was taken out
stays out.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ApprovalInvalidError, MigrateError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.ledger.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mcp_migrate.settings import Settings
    from mcp_migrate.signers.enrolment import Act
    from mcp_migrate.signers.interface import Key
    from mcp_migrate.signers.keys import PublicKey
    from mcp_migrate.signers.passkey import Passkey
    from mcp_migrate.signers.roster import Enrolment, Roster

_KINDS = (Kind.REVIEWER_ENROLLED, Kind.REVIEWER_REMOVED)
_ACTS: Mapping[str, Kind] = {"enrol": Kind.REVIEWER_ENROLLED, "remove": Kind.REVIEWER_REMOVED}
_LONGEST = 200
"""Entries read at once, and characters kept of what somebody tried."""


@dataclass(slots=True)
class _Walk:
    """How far this process has read, and what came of it. `without` are entries that count for nothing, and why."""

    settings: Settings
    roster: Roster
    next: int = 0
    nonces: set[str] = field(default_factory=set)
    removed: dict[str, int] = field(default_factory=dict)
    without: list[tuple[Event, str]] = field(default_factory=list)

    def catch_up(self, ledger: Ledger) -> None:
        """Read what is new."""
        for event in _new(self.next, ledger):
            try:
                self.roster = self._after(event.body, event.kind, event.seq, event.at, ledger)
            except ApprovalInvalidError as error:
                self.without.append((event, error.sentence))
            self.next = event.seq + 1

    def _after(self, entry: Mapping[str, Any], kind: str, seq: int, at: str, ledger: Ledger) -> Roster:
        try:
            said, roster = self.would(entry, kind, seq, at, ledger)
        except ApprovalInvalidError:
            then = _of_then(entry, seq, ledger) if kind == Kind.REVIEWER_REMOVED else None
            if then is None:
                raise
            said, roster = self.would(entry, kind, seq, at, ledger, by=then)
        self.nonces.add(entry["statement"]["nonce"])
        if said.act == "remove":
            self.removed[said.key.fingerprint] = seq
        return roster

    def would(
        self, entry: Mapping[str, Any], kind: str, seq: int, at: str, ledger: Ledger, *, by: Roster | None = None
    ) -> tuple[Enrolment, Roster]:
        """What this entry would make of the roster; `by` is who else may sign it. Raises: ApprovalInvalidError."""
        from mcp_migrate.signers.enrolment import check
        from mcp_migrate.signers.roster import after, refused

        said = check(entry, by or self.roster)
        statement = entry["statement"]
        size = _size_of_this_ledger(statement.get("ledger"), seq, ledger)
        if _ACTS[said.act] != kind or statement["nonce"] in self.nonces:
            raise refused("this very enrolment is on the record already")
        if size <= self.removed.get(said.key.fingerprint, -1):
            raise refused("the key was removed after this was signed")
        return said, after(self.roster, said, at=at)


@dataclass(slots=True)
class _Memory:
    """The walk of one process along one ledger. Another configuration is another beginning."""

    walk: _Walk | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def walked(self, settings: Settings, ledger: Ledger) -> _Walk:
        from mcp_migrate.signers.roster import configured

        with self.lock:
            if self.walk is None or self.walk.settings is not settings:
                self.walk = _Walk(settings, configured(settings))
            self.walk.catch_up(ledger)
            return self.walk


def reviewers(settings: Settings, ledger: Ledger) -> Roster:
    """Everybody whose signature counts now."""
    return ledger.remembered(_Memory).walked(settings, ledger).roster


def of_no_account(settings: Settings, ledger: Ledger) -> tuple[tuple[Event, str], ...]:
    """The entries that let nobody in and take nobody out, each with the reason."""
    return tuple(ledger.remembered(_Memory).walked(settings, ledger).without)


def draft(
    act: Act,
    reviewer: str,
    key: PublicKey | Passkey,
    *,
    signer: str | None,
    signed_by: Key,
    roster: Roster,
    ledger: Ledger,
    now: datetime,
    nonce: str,
    groups: Iterable[str] = (),
    email: str | None = None,
) -> dict[str, Any]:
    """The statement that lets a key in or takes it out. Who is there already keeps their groups and their e-mail."""
    from mcp_migrate.signers.enrolment import statement

    person, head = roster.people.get(reviewer), ledger.head()
    return statement(
        act,
        reviewer=reviewer,
        key=key,
        signer=signer,
        signed_by=signed_by,
        at=now,
        nonce=nonce,
        head={"size": head.size, "root": head.root},
        groups=tuple(groups) or (person.groups if person else ()),
        email=email or (person.email if person else None),
    )


def enrol(entry: Mapping[str, Any], settings: Settings, ledger: Ledger, *, now: datetime) -> Enrolment:
    """Record a signed enrolment or removal. Raises: ApprovalInvalidError: it does not count; that is recorded too."""
    statement = entry.get("statement")
    with refusals_recorded(ledger, now, statement):
        walk, seq = ledger.remembered(_Memory).walked(settings, ledger), ledger.head().size
        kind = _ACTS.get(str(statement.get("act") if isinstance(statement, Mapping) else None), Kind.REVIEWER_ENROLLED)
        said, _ = walk.would(entry, kind, seq, now.isoformat(), ledger)
    ledger.append(Draft(kind, entry, subject=said.reviewer), at=now)
    return said


@contextmanager
def refusals_recorded(ledger: Ledger, now: datetime, attempt: object) -> Iterator[None]:
    """Put on the record whom somebody tried to let in or to take out, and why it did not count."""
    try:
        yield
    except MigrateError as error:
        said = attempt if isinstance(attempt, Mapping) else {}
        parts = ("act", "reviewer", "fingerprint", "signer", "signed_by")
        tried = {part: str(said[part])[:_LONGEST] for part in parts if said.get(part) is not None}
        body = {**tried, "code": error.code, "sentence": error.sentence}
        ledger.append(Draft(Kind.REVIEWER_REFUSED, body, subject=tried.get("reviewer")), at=now)
        raise


def _new(since: int, ledger: Ledger) -> list[Event]:
    found = (event for kind in _KINDS for event in walk(ledger, since=since, kind=kind))
    return sorted(found, key=lambda event: event.seq)


def _of_then(entry: Mapping[str, Any], seq: int, ledger: Ledger) -> Roster | None:
    """An admin, or the owner of a key, who took it out by a key that has left the configuration since.

    The configurations on the record next to the entry know whose it was. Without them a stolen key that was taken out
    would sign again once an admin's key is changed.
    """
    from mcp_migrate.signers.roster import Held, Person, Roster, parse_key
    from mcp_migrate.signers.sshsig import key_in

    said = entry["statement"] if isinstance(entry.get("statement"), Mapping) else {}
    name, signed_by = said.get("signer"), said.get("signed_by")
    for body in _near(seq, ledger):
        admin = key_in(str(entry.get("signature")))
        if name is None and admin and signed_by == admin.fingerprint and signed_by in body.get("admins", ()):
            return Roster({}, {admin.fingerprint: admin})
        if isinstance(name, str) and name == said.get("reviewer"):
            mine = (parse_key(line) for line in body.get("public_keys", {}).get(name, ()))
            if held := tuple(Held(key) for key in mine if key.fingerprint == signed_by):
                return Roster({name: Person(name, frozenset(), keys=held)})
    return None


def _near(seq: int, ledger: Ledger) -> list[Mapping[str, Any]]:
    """The configuration that was recorded last, and the next: one is recorded when the first call meets it."""
    loaded = [*walk(ledger, kind=Kind.CONFIG_LOADED)]
    later = next((n for n, each in enumerate(loaded) if each.seq > seq), len(loaded))
    return [each.body for each in loaded[max(0, later - 1) : later + 1]]


def _size_of_this_ledger(head: object, seq: int, ledger: Ledger) -> int:
    """How many entries the signer saw. Raises: ApprovalInvalidError: those of another ledger, or later ones."""
    from mcp_migrate.signers.roster import refused

    said = head if isinstance(head, Mapping) else {}
    size, root = said.get("size"), said.get("root")
    if not isinstance(size, int) or not 0 <= size <= seq:
        raise refused("whoever signed it saw another ledger than this one")
    if (ledger.root_at(size) != root) if size else seq:  # without an entry there is nothing to have seen
        raise refused("whoever signed it saw another ledger than this one")
    return size
