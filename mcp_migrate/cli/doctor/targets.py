"""Can each target be used as it is promised: reached, planned, and opened by steps that can do no more than theirs?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from mcp_migrate.brokers import broker_for
from mcp_migrate.brokers.interface import Broker, Purpose
from mcp_migrate.brokers.postgres_sealed import PostgresSealed
from mcp_migrate.cli.doctor.finding import Finding, State, failed, tried
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.errors import MigrateError
from mcp_migrate.leave.freezing import all_frozen
from mcp_migrate.model import Tier
from mcp_migrate.tools.live import read_live
from mcp_migrate.tools.reconciling import unexplained
from mcp_migrate.wiring import Wiring

_SLACK, _MOST = 5.0, 60.0
"""Seconds by which the clocks may differ: beyond the second, credentials end at another time than is promised."""
_HOW = "docs/credentials.md has the statements."


def targets(wiring: Wiring) -> Iterator[Finding]:
    """All of it, target by target."""
    for name in wiring.settings.targets:
        about = f"target {name}"
        yield from _frozen(wiring, name)
        yield (reached := tried(about, partial(_reach, wiring, name)))
        if reached.state != "fails":
            yield from _standing(wiring, name)
            yield _on_the_record(wiring, name)
        yield from _credentials(wiring, name)
        yield tried(f"{about}, its project", partial(_describe, wiring, name))
        yield tried(f"{about}, its scratch database", partial(_scratch, wiring, name))


def _frozen(wiring: Wiring, name: str) -> Iterator[Finding]:
    try:
        for found in all_frozen(name, wiring.settings, wiring.ledger):
            yield Finding(f"target {name}, frozen", "note", found.sentence(name), "`mcp-migrate thaw` lifts it.")
    except MigrateError:  # what is wrong with the ledger has been said
        return


def _reach(wiring: Wiring, name: str) -> str:
    database = wiring.open_database(name)
    with database.reader() as reader:
        revisions = reader.revisions(database.version_table)
    return f"{database.dialect.name}, at {', '.join(revisions) or 'base'}"


def _standing(wiring: Wiring, name: str) -> Iterator[Finding]:
    """The clock of the target's server, and what whatever reads there could do."""
    try:
        with wiring.open_database(name).reader() as reader:
            powers, now = reader.powers(), datetime.now(UTC)
    except MigrateError as error:
        yield failed(f"target {name}, its role", error)
        return
    if powers.at is not None:
        yield _clock(f"target {name}, its clock", (powers.at - now).total_seconds())
    standing = broker_for(wiring.settings.target(name)).standing
    yield from _excess(f"target {name}, its role", powers, reads=not standing)
    if powers.unread:
        fix = f"Grant it SELECT there, and USAGE on the schema; {_HOW}"
        yield Finding(f"target {name}, reading", "fails", f"{powers.role} may not read {', '.join(powers.unread)}", fix)


def _on_the_record(wiring: Wiring, name: str) -> Finding:
    """Whether the target is what the last recorded apply left, or a reviewer signed for."""
    about = f"target {name}, on the record"
    try:
        live = read_live(wiring.open_database(name))
        found = unexplained(wiring.ledger, name, live.revisions, live.schema)
    except MigrateError as error:
        return failed(about, error)
    if found is None:
        return Finding(about, "ok", "nothing changed it past us")
    state: State = "fails" if wiring.settings.target(name).tier in wiring.settings.reconcile.block else "note"
    fix = f"If it was meant, `mcp-migrate ledger reconcile {name}` has a reviewer sign for it; or take it back there."
    return Finding(about, state, found.summary(), fix)


def _clock(about: str, ahead: float) -> Finding:
    said = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    if abs(ahead) <= _SLACK:
        return Finding(about, "ok", "the same as ours")
    state: State = "fails" if abs(ahead) > _MOST else "note"
    return Finding(about, state, f"{said}: credentials and kept rows end by it", "Set both by NTP.")


def _excess(about: str, powers: Powers, *, reads: bool) -> Iterator[Finding]:
    """What a role could do beyond its step: change anything where it shall only read, or rule the server."""
    if powers.rules:
        said = f"{powers.role} is a superuser: what runs as it is held by nothing but us"
        yield Finding(about, "fails" if reads else "note", said, f"Let it be one that owns this schema alone; {_HOW}")
    elif reads and powers.changes:
        said = f"a step that only reads is {powers.role}, which may change {', '.join(powers.changes)}"
        fix = f"Set `reader_role`, or take that from it (from PUBLIC too, before version 15); {_HOW}"
        yield Finding(about, "fails", said, fix)
    elif powers.role:
        yield Finding(about, "ok", f"{powers.role}, {'only reads' if reads else 'no superuser'}")


def _credentials(wiring: Wiring, name: str) -> Iterator[Finding]:
    target = wiring.settings.target(name)
    about, broker = f"target {name}, its credentials", broker_for(target)
    if not broker.standing:
        found: list[Powers] = []
        yield (outcome := tried(about, partial(_try_credential, wiring, name, found)))
        if outcome.state == "fails":
            return
        found = [] if isinstance(broker, PostgresSealed) else found  # it applies as nobody: the store says the rest
        yield from (each for powers in found for each in _applying(f"{about}, applying", powers, target.tier))
    yield from _store(about, broker)
    fix = "docs/credentials.md says what each broker leaves, and how to leave less."
    try:
        yield from [Finding(about, "note", said, fix) for said in broker.excess()]
    except MigrateError as error:
        yield failed(f"{about}, beyond issuing", error)


def _store(about: str, broker: Broker) -> Iterator[Finding]:
    """Whether the store of sealed plans is as it was shipped, where there is one."""
    if not isinstance(broker, PostgresSealed):
        return
    fix = "`mcp-migrate credentials sql` prints how it should be. Find out who altered it; docs/credentials.md."
    try:
        found = broker.alterations()
    except MigrateError as error:
        yield failed(f"{about}, its store", error)
        return
    yield from [Finding(f"{about}, its store", "fails", said, fix) for said in found]
    if not found:
        yield Finding(f"{about}, its store", "ok", "its functions are those of this version")


def _applying(about: str, powers: Powers, tier: Tier) -> Iterator[Finding]:
    """Too much, which nothing but us holds; or too little, with which a plan fails half way."""
    if powers.rules:
        state: State = "note" if tier is Tier.DEVELOPMENT else "fails"
        said = f"a step that applies acts as {powers.role}, a superuser"
        yield Finding(about, state, said, f"Let `owner_role` be one that owns this schema alone; {_HOW}")
    if powers.foreign:
        said = f"{powers.role}, as which a step applies, does not own {', '.join(powers.foreign)}"
        fix = f"Hand over what migrations alter: ALTER TABLE … OWNER TO {powers.role}; views and sequences likewise."
        yield Finding(about, "fails", said, fix)


def _try_credential(wiring: Wiring, name: str, found: list[Powers]) -> str:
    """What an apply would be given, which nothing is done with."""
    database = wiring.open_database(name)
    with (
        wiring.pipeline.keys() as keys,
        keys.credential(name, Purpose.APPLY) as url,
        database.dialect.open_reader(url) as reader,
    ):
        found.append(reader.powers())
    if keys.left:
        raise keys.left[0]
    return "a credential was issued, opened the target, and is gone"


def _describe(wiring: Wiring, name: str) -> str:
    database = wiring.open_database(name)
    info = database.info
    return f"{len(info.revisions)} revisions, heads {', '.join(info.heads) or 'none'}"


def _scratch(wiring: Wiring, name: str) -> str:
    database = wiring.open_database(name)
    with database.dialect.open_scratch(database.url):
        return "it can be made"
