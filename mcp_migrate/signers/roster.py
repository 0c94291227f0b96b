"""Who may sign, with which keys, and how far does each of them count?

A key is there because the configuration names it, or because an admin or a reviewer let it in with a signature. Nobody
lends more than they have: a reviewer gives no group of which they are no part, a key that they let in proves no more
than the signature that let it in, and of a person and those whom they let in, one is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import STRENGTH, Assurance
from mcp_migrate.settings import Settings
from mcp_migrate.signers.keys import PublicKey, parse_public_key
from mcp_migrate.signers.passkey import Passkey, parse_passkey

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""What stands in an address, a line of YAML and a line of the record as it is."""


@dataclass(frozen=True, slots=True)
class Held:
    """A key of somebody's. `signed_by` is the key that let it in, `since` when; the configuration's have neither."""

    key: PublicKey | Passkey
    at_most: Assurance = Assurance.VERIFIED
    signed_by: str | None = None
    since: str | None = None

    @property
    def fingerprint(self) -> str:
        return self.key.fingerprint


@dataclass(frozen=True, slots=True)
class Person:
    """A reviewer. `vouched_by` is the reviewer who let them in; an admin stands for nobody."""

    name: str
    groups: frozenset[str]
    email: str | None = None
    keys: tuple[Held, ...] = ()
    vouched_by: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A signed word on one key, whose signature holds. `signer` is a reviewer's name; None where an admin signed."""

    act: str
    reviewer: str
    key: PublicKey | Passkey
    groups: frozenset[str]
    email: str | None
    signer: str | None
    signed_by: str
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who may sign now, and the keys of the admins. `names` are those that only an admin gives to a key."""

    people: Mapping[str, Person]
    admins: Mapping[str, PublicKey] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def holder(self, fingerprint: object) -> tuple[Person, Held] | None:
        """Whose key this is."""
        each = ((person, held) for person in self.people.values() for held in person.keys)
        return next((found for found in each if found[1].fingerprint == fingerprint), None)

    def chain(self, name: str) -> Iterator[Person]:
        """This person, who let them in, and so on."""
        person = self.people.get(name)
        while person is not None:
            yield person
            person = self.people.get(person.vouched_by) if person.vouched_by else None

    def stands_for(self, name: str) -> str:
        """As whom this person is counted."""
        return [*self.chain(name)][-1].name


def configured(settings: Settings) -> Roster:
    """Those of the configuration. A line that holds no key can sign nothing, and the others still can."""
    people = {
        name: Person(name, frozenset(who.groups), who.email, tuple(map(Held, _keys(who.ssh_keys, who.passkeys))))
        for name, who in settings.reviewers.items()
    }
    admins = {key.fingerprint: key for key in _keys(settings.admins) if isinstance(key, PublicKey)}
    alone = settings.break_glass.people if settings.break_glass else ()
    return Roster(people, admins, frozenset({*people, *alone}))


def parse_key(line: str) -> PublicKey | Passkey:
    """A line of a .pub file, or of a passkey. Raises: ConfigInvalidError."""
    return parse_passkey(line) if line.startswith("passkey/") else parse_public_key(line)


def weaker(one: Assurance, other: Assurance) -> Assurance:
    """What both prove."""
    return min(one, other, key=STRENGTH.index)


def after(roster: Roster, said: Enrolment, *, at: str) -> Roster:
    """The roster once `said` is on the record. Raises: ApprovalInvalidError: it does not count, and why."""
    return _without(roster, said) if said.act == "remove" else _with(roster, said, at)


def _with(roster: Roster, said: Enrolment, at: str) -> Roster:
    if roster.holder(said.key.fingerprint) is not None:
        raise refused(f"the key {said.key.fingerprint} is enrolled already")
    person, signer = roster.people.get(said.reviewer), roster.people.get(said.signer or "")
    if person is None and said.reviewer.casefold() in {name.casefold() for name in roster.people}:
        raise refused(f"{said.reviewer} differs from another reviewer's name by its case alone")
    if person is not None and (person.groups, person.email) != (said.groups, said.email):
        raise refused(f"{said.reviewer} has other groups or another e-mail; remove their keys first to change them")
    if signer is not None:
        _refuse_lending(roster, said, signer)
    kept = person or Person(said.reviewer, said.groups, said.email, vouched_by=said.signer)
    at_most = said.assurance if signer else Assurance.VERIFIED
    keys = (*kept.keys, Held(said.key, at_most, said.signed_by, at))
    people = {**roster.people, said.reviewer: replace(kept, keys=keys)}
    return replace(roster, people=people, names=roster.names | {said.reviewer})


def _refuse_lending(roster: Roster, said: Enrolment, signer: Person) -> None:
    if said.reviewer != signer.name and said.reviewer in roster.names:
        raise refused(f"only {said.reviewer} or an admin may give {said.reviewer} a key")
    if more := said.groups - signer.groups:
        raise refused(f"{signer.name} is not in {', '.join(sorted(more))} and cannot put others there")


def _without(roster: Roster, said: Enrolment) -> Roster:
    """The key goes, and with it every key that it let in."""
    found = roster.holder(said.key.fingerprint)
    if found is None or found[0].name != said.reviewer:
        raise refused(f"the key {said.key.fingerprint} is not one of {said.reviewer}'s")
    person, held = found
    signer = roster.people.get(said.signer or "")
    if signer and signer.name != person.name and held.signed_by not in {each.fingerprint for each in signer.keys}:
        raise refused(f"{signer.name} removes only keys of their own and those that they let in")
    gone = _let_in(roster, held.fingerprint)
    kept = {name: _fewer(each, gone) for name, each in roster.people.items()}
    return replace(roster, people={name: each for name, each in kept.items() if each.keys})


def _fewer(person: Person, gone: frozenset[str]) -> Person:
    return replace(person, keys=tuple(held for held in person.keys if held.fingerprint not in gone))


def _let_in(roster: Roster, fingerprint: str) -> frozenset[str]:
    gone, more = frozenset[str](), frozenset({fingerprint})
    while more - gone:
        gone |= more
        more = frozenset(h.fingerprint for p in roster.people.values() for h in p.keys if h.signed_by in gone)
    return gone


def _keys(*groups: tuple[str, ...]) -> Iterator[PublicKey | Passkey]:
    for line in (line for lines in groups for line in lines):
        with suppress(ConfigInvalidError):
            yield parse_key(line)


def refused(why: str) -> ApprovalInvalidError:
    return ApprovalInvalidError(
        f"This enrolment does not count: {why}.",
        hint="`mcp-migrate reviewers list` shows who is enrolled, and by whom.",
    )
