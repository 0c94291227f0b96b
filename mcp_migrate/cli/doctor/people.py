"""Who can sign, is anybody's key within an agent's reach, who could act alone, and is anybody told?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from mcp_migrate.approvals.reach import able
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.cli.doctor.finding import Finding, State, tried
from mcp_migrate.errors import ConfigInvalidError, MigrateError
from mcp_migrate.leave.alone import Changing, alone
from mcp_migrate.ledger import Kind
from mcp_migrate.model import ANYBODY, Assurance, Tier
from mcp_migrate.settings import ApprovalRule, Settings
from mcp_migrate.settings.channels import Channel
from mcp_migrate.settings.local import private_beside
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.roster import Roster
from mcp_migrate.wiring import Wiring

_ENROL = "`mcp-migrate reviewers enroll NAME` lets somebody in: docs/review.md."
_MAKE_A_KEY = "`ssh-keygen -t ed25519` makes a key of yours, which then counts here."


def people(wiring: Wiring, *, notify: bool) -> Iterator[Finding]:
    """All of it. With `notify` each channel is sent a test."""
    settings = wiring.settings
    try:
        roster = reviewers(settings, wiring.ledger)
    except MigrateError:  # what is wrong with the ledger has been said
        return
    yield from _enough(settings, roster)
    yield from within_reach(roster, private_beside(Path.home()))
    yield from who_is_alone(settings, wiring.registry.changing)
    if not settings.notify and roster.people:
        fix = "Name a channel under `notify`: docs/notify.md."
        yield Finding("notices", "note", "nobody is told of what waits: reviewers have to look themselves", fix)
    for channel in settings.notify:
        yield _sent(channel) if notify else _told(channel, wiring)


def _enough(settings: Settings, roster: Roster) -> Iterator[Finding]:
    """Whether whatever waits for people can end."""
    if not roster.people:
        fix = _ENROL if settings.path else _MAKE_A_KEY
        yield Finding("reviewers", "note", "nobody can sign, so whatever needs an approval cannot happen", fix)
        return
    yield Finding("reviewers", "ok", f"{len(roster.people)}: {', '.join(sorted(roster.people))}")
    for index, rule in enumerate(settings.approvals):
        yield from _quorum(f"approvals[{index}]", rule, roster)
    destroying = [
        name for name, t in settings.targets.items() if t.tier is Tier.PRODUCTION and not t.unsafe_software_keys
    ]
    if destroying and not able(roster.people.values(), roster, ANYBODY, Assurance.VERIFIED):
        said = (
            f"nobody has a key that proves who signs, so nothing destructive or unknown can happen on {destroying[0]}"
        )
        fix = "A passkey or a security key with its PIN does: `mcp-migrate reviewers enroll NAME`, docs/review.md."
        yield Finding("reviewers, verified", "note", said, fix)


def _quorum(about: str, rule: ApprovalRule, roster: Roster) -> Iterator[Finding]:
    asked = rule.require
    level = Assurance.PRESENCE if asked.assurance == "hardware" else Assurance(asked.assurance)
    can = len(able(roster.people.values(), roster, asked.from_, level))
    if can < asked.count:
        group = "anybody" if asked.from_ == ANYBODY else asked.from_
        said = f"asks {asked.count} of {group} ({level}), and {can} can: what it is about cannot happen"
        yield Finding(about, "fails", said, f"{_ENROL} Or ask for fewer, or for less of their keys.")


def within_reach(roster: Roster, lines: Iterable[str]) -> Iterator[Finding]:
    """Keys of reviewers and admins whose private half lies in this account's home."""
    for line in lines:
        try:
            key = parse_public_key(line)
        except ConfigInvalidError:  # one that cannot sign for us
            continue
        holder = roster.holder(key.fingerprint)
        whose = f"reviewer {holder[0].name}" if holder else "an admin" if key.fingerprint in roster.admins else None
        if whose and not key.kind.startswith("sk-"):
            said = f"the private key {key.fingerprint} of {whose} lies in ~/.ssh: an agent with a shell here can sign"
            fix = (
                "Keep it on a security key (ssh-keygen -t ed25519-sk), or under another account or on another machine."
            )
            yield Finding("keys within reach", "note", said, fix)


def who_is_alone(settings: Settings, own: Collection[Changing] = ()) -> Iterator[Finding]:
    """In production nobody acts alone; elsewhere it is said where policy separates steps."""
    for name, target in settings.targets.items():
        who = alone(settings, name, own=own)
        about, said = f"target {name}, alone", f"{'; '.join(who) or 'nobody'} could bring a change in"
        if target.tier is Tier.PRODUCTION or settings.separated(name):
            state: State = "ok" if not who else "fails" if target.tier is Tier.PRODUCTION else "note"
            fix = "Set `separation` for its tier, or a rule that asks people of each effect: docs/separation.md."
            yield Finding(about, state, said, fix if who else "")


def _told(channel: Channel, wiring: Wiring) -> Finding:
    """What the record says of it; nothing is sent."""
    about = f"channel {channel.name}"
    sent = wiring.ledger.last(Kind.NOTICE_SENT, where={"channel": channel.name})
    failed = wiring.ledger.last(Kind.NOTICE_FAILED, where={"channel": channel.name})
    if failed and (not sent or failed[0].seq > sent[0].seq):
        fix = "Mend it, and try it with `mcp-migrate doctor --notify`."
        return Finding(about, "fails", f"its last notice was not taken: {failed[0].body['why']}", fix)
    if not sent:
        return Finding(about, "note", "it has never been used", "Try it with `mcp-migrate doctor --notify`.")
    return Finding(about, "ok", f"it took its last notice at {sent[0].at}")


def _sent(channel: Channel) -> Finding:
    from mcp_migrate.notices import sample
    from mcp_migrate.notifiers import notifier_for

    def send() -> str:
        notifier_for(channel).send(sample(channel, datetime.now(UTC)))
        return "it took a test"

    return tried(f"channel {channel.name}", send)
