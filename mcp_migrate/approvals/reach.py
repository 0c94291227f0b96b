"""Could enough people approve this at all? Whoever may not decide on it, or proves too little by any key, cannot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp_migrate.approvals.binding import counts
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.ledger import Ledger
from mcp_migrate.model import ANYBODY, STRENGTH, Assurance, TooFew
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.roster import Held, Person, Roster


def too_few(
    asked: Mapping[str, Any], settings: Settings, ledger: Ledger, *, against: Collection[str] = ()
) -> tuple[TooFew, ...]:
    """The groups of which a request asks more people than could approve it; who is `against` it has said no."""
    roster = reviewers(settings, ledger)
    people = [
        _with_keys_of(asked, person)
        for name, person in roster.people.items()
        if name not in against and counts(name, asked, settings, roster)
    ]
    level, by_group = Assurance(asked["quorum"]["assurance"]), asked["quorum"].get("by_group") or {}
    held = [TooFew(group, count, len(able(people, roster, group, level))) for group, count in by_group.items()]
    return tuple(each for each in held if each.able < each.asked)


def able(people: Iterable[Person], roster: Roster, group: str, level: Assurance) -> set[str]:
    """As whom those are counted who are in `group` and have a key that can prove so much."""
    return {
        roster.stands_for(person.name)
        for person in people
        if group in {ANYBODY, *person.groups} and any(_strength(held) >= STRENGTH.index(level) for held in person.keys)
    }


def _with_keys_of(asked: Mapping[str, Any], person: Person) -> Person:
    """Keys that were let in after it was asked do not decide on it; requests of before name none."""
    if "keys" not in asked:
        return person
    known = asked["keys"].get(person.name, ())
    return replace(person, keys=tuple(held for held in person.keys if held.fingerprint in known))


def _strength(held: Held) -> int:
    """What the key can prove at most, touched and with its PIN."""
    from mcp_migrate.signers.keys import PublicKey

    software = isinstance(held.key, PublicKey) and not held.key.kind.startswith("sk-")
    return min(STRENGTH.index(Assurance.SOFTWARE if software else Assurance.VERIFIED), STRENGTH.index(held.at_most))
