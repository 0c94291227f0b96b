"""What would stop this configuration from working, and what does this machine leave open?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

import typer

from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.brokers import broker_for
from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.errors import MigrateError
from mcp_migrate.leave.alone import alone
from mcp_migrate.leave.freezing import all_frozen
from mcp_migrate.model import Tier
from mcp_migrate.settings import Settings
from mcp_migrate.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    state: Literal["ok", "note", "fails"]
    said: str


def doctor(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say what would stop this configuration from working; exit 1 when something would."""
    findings = list(_look(wire(config_file)))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{finding.state:<6} {safe(finding.about)}: {safe(finding.said)}")
    if any(finding.state == "fails" for finding in findings):
        raise typer.Exit(1)


def _look(wiring: Wiring) -> Iterator[Finding]:
    where = wiring.settings.path
    yield Finding("configuration", "ok" if where else "note", str(where or "none was found: this is the local profile"))
    if where:
        yield _tried("configuration, vouched for", partial(_vouched, wiring))
    yield _tried("ledger", partial(_ledger, wiring))
    yield from _left_open(wiring)
    yield from _reviewers(wiring)
    yield from who_is_alone(wiring.settings)
    yield from _frozen(wiring)
    yield from _cages()
    for name in wiring.settings.targets:
        yield _tried(f"target {name}", partial(_reach, wiring, name))
        yield from _credentials(wiring, name)
        yield _tried(f"target {name}, its project", partial(_describe, wiring, name))
        yield _tried(f"target {name}, its scratch database", partial(_scratch, wiring, name))


def _tried(about: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(about, "ok", look())
    except MigrateError as error:
        return Finding(about, "fails", f"{error.code}: {error.sentence} {error.hint}")


def _reviewers(wiring: Wiring) -> Iterator[Finding]:
    try:
        roster = reviewers(wiring.settings, wiring.ledger)
    except MigrateError:  # what is wrong with the ledger has been said
        return
    if not roster.people:
        yield Finding("reviewers", "note", "nobody can sign, so whatever needs an approval cannot happen")


def who_is_alone(settings: Settings) -> Iterator[Finding]:
    """In production nobody acts alone; elsewhere it is said where policy separates steps."""
    for name, target in settings.targets.items():
        who = alone(settings, name)
        about = f"target {name}, alone"
        if who and target.tier is Tier.PRODUCTION:
            yield Finding(about, "fails", f"{'; '.join(who)} could bring a change in: set `separation` for production")
        elif target.tier is Tier.PRODUCTION or settings.separated(name):
            yield Finding(about, "note" if who else "ok", f"{'; '.join(who) or 'nobody'} could bring a change in")


def _frozen(wiring: Wiring) -> Iterator[Finding]:
    for name in wiring.settings.targets:
        try:
            for found in all_frozen(name, wiring.settings, wiring.ledger):
                yield Finding(f"target {name}, frozen", "note", found.sentence(name))
        except MigrateError:  # what is wrong with the ledger has been said
            return


def _vouched(wiring: Wiring) -> str:
    held = wiring.policy.vouched()
    return f"by {held.key}, {held.at.isoformat()}" if held else "nobody has to here: docs/policy.md says where"


def _ledger(wiring: Wiring) -> str:
    head = wiring.ledger.head()
    return f"{head.size} entries in {wiring.ledger.place}"


def _left_open(wiring: Wiring) -> Iterator[Finding]:
    try:
        found = wiring.ledger.left_open()
    except MigrateError:  # what is wrong with the ledger has been said
        return
    yield from (Finding("ledger", "note", said) for said in found)


def _cages() -> Iterator[Finding]:
    from mcp_migrate.migrations.cage.tiers import cages, strongest

    used = strongest()
    for cage in cages():
        if cage.missing:
            yield Finding(f"cage {cage.name}", "note", f"not here: {cage.missing}")
        elif cage is used:
            left = ", ".join(cage.open)
            yield Finding(
                f"cage {cage.name}", "note" if left else "ok", f"used; {f'open: {left}' if left else 'closed'}"
            )


def _reach(wiring: Wiring, name: str) -> str:
    database = wiring.open_database(name)
    with database.reader() as reader:
        revisions = reader.revisions(database.version_table)
    return f"{database.dialect.name}, at {', '.join(revisions) or 'base'}"


def _credentials(wiring: Wiring, name: str) -> Iterator[Finding]:
    about, broker = f"target {name}, its credentials", broker_for(wiring.settings.target(name))
    if not broker.standing:
        found = _tried(about, partial(_try_credential, wiring, name))
        yield found
        if found.state == "fails":
            return
    yield from (Finding(about, "note", said) for said in broker.excess())


def _try_credential(wiring: Wiring, name: str) -> str:
    """What an apply would be given, which nothing is done with."""
    database = wiring.open_database(name)
    with (
        wiring.pipeline.keys() as keys,
        keys.credential(name, Purpose.APPLY) as url,
        database.dialect.open_reader(url) as reader,
    ):
        reader.server()
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
