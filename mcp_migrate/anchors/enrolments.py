"""Was each key that was let in or taken out by a signature signed for by whom it could be, when it was?

Whose keys those are is on the record with each configuration. One is recorded when the first call meets it, so that
between two records either of them can be the one that held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from mcp_migrate.anchors.decisions import Witnessed
from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.ledger import Event, Finding, Head, Kind
from mcp_migrate.signers.enrolment import check
from mcp_migrate.signers.roster import Enrolment, Held, Person, Roster, parse_key
from mcp_migrate.signers.sshsig import key_in

if TYPE_CHECKING:
    from mcp_migrate.signers.keys import PublicKey
    from mcp_migrate.signers.passkey import Passkey

SIGNED = frozenset({Kind.REVIEWER_ENROLLED, Kind.REVIEWER_REMOVED})
KINDS = SIGNED | {Kind.CONFIG_LOADED}


@dataclass(slots=True)
class Enrolments:
    """What the signatures under them are worth."""

    holding: int = 0
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Finding] = field(default_factory=list)
    witnessed: list[Witnessed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Configured:
    """Whose keys counted by one configuration; `seq` is where it was recorded."""

    seq: float
    admins: frozenset[str]
    keys: Mapping[str, Sequence[str]]


@dataclass(slots=True)
class _Keys:
    """What signatures made of the keys so far. `out` are those that were taken out, wherever they come from."""

    let_in: dict[str, tuple[str, PublicKey | Passkey, str]] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)

    def after(self, said: Enrolment) -> None:
        if said.act == "enrol":
            self.let_in[said.key.fingerprint] = said.reviewer, said.key, said.signed_by
            self.out.discard(said.key.fingerprint)
            return
        gone = {said.key.fingerprint}
        while more := {each for each, (_, _, by) in self.let_in.items() if by in gone} - gone:
            gone |= more
        self.out |= gone

    def held(self, configured: Sequence[_Configured]) -> Iterator[tuple[str, PublicKey | Passkey]]:
        lines = ((name, line) for each in configured for name, lines in each.keys.items() for line in lines)
        for name, line in lines:
            with suppress(ConfigInvalidError):
                yield name, parse_key(line)
        yield from ((name, key) for name, key, _ in self.let_in.values())


def weigh(
    events: Sequence[Event], now: Mapping[str, Sequence[str]], admins: Sequence[str], *, partly: bool
) -> Enrolments:
    """Go through the record in order; `partly` says that its beginning is left out.

    `now` are the reviewers' keys in the configuration of now, and `admins` the fingerprints of its admins.
    """
    loaded = [_of(event) for event in events if event.kind == Kind.CONFIG_LOADED]
    loaded.append(_Configured(inf, frozenset(admins), now))
    found, keys = Enrolments(), _Keys()
    for event in events:
        if event.kind in SIGNED:
            after = next(n for n, each in enumerate(loaded) if each.seq > event.seq)
            _weigh(event, _roster(event.body, loaded[max(0, after - 1) : after + 1], keys), keys, found, partly=partly)
    return found


def _of(event: Event) -> _Configured:
    return _Configured(event.seq, frozenset(event.body.get("admins", ())), event.body.get("public_keys", {}))


def _weigh(event: Event, roster: Roster, keys: _Keys, found: Enrolments, *, partly: bool) -> None:
    try:
        said = check(event.body, roster)
    except ApprovalInvalidError as error:
        why = Finding(event.seq, f"Its signature does not hold. {error.sentence}")
        (found.unchecked if partly else found.findings).append(why)
        return
    keys.after(said)
    found.holding += 1
    match event.body["statement"]:
        case {"ledger": {"size": int(size), "root": str(root)}, "signed_at": str(at)} if size <= event.seq:
            by = f"{said.signer or 'an admin'}, on {said.reviewer} (entry {event.seq})"
            found.witnessed.append(Witnessed(event.seq, by, Head(size, root), at))
        case _:
            found.findings.append(Finding(event.seq, "Its signer saw another ledger than this one."))


def _roster(entry: Mapping[str, Any], near: Sequence[_Configured], keys: _Keys) -> Roster:
    """Who could sign just then. An admin's key is in the signature itself, and its fingerprint on the record."""
    people: dict[str, Person] = {}
    for name, key in keys.held(near):
        if key.fingerprint not in keys.out:
            mine = people.get(name, Person(name, frozenset()))
            people[name] = Person(name, frozenset(), keys=(*mine.keys, Held(key)))
    admin = key_in(str(entry.get("signature")))
    known = {fingerprint for each in near for fingerprint in each.admins}
    return Roster(people, {admin.fingerprint: admin} if admin and admin.fingerprint in known else {})
