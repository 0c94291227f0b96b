"""Would anybody outside notice a lost or rewritten record, where does it lie, and can the clock be believed?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from mcp_migrate.cli.doctor.finding import Finding, tried
from mcp_migrate.errors import MigrateError, WitnessFailedError
from mcp_migrate.ledger import Kind
from mcp_migrate.settings.anchoring import Checkpoints, FileWitness, Witness
from mcp_migrate.wiring import Wiring

_SLACK = timedelta(seconds=5)
_AGAIN = "`mcp-migrate ledger checkpoint` hands it over now; a running server does so by itself."


def keeping(wiring: Wiring) -> Iterator[Finding]:
    """All of it."""
    try:
        yield _clock(wiring, datetime.now(UTC))
    except MigrateError:  # what is wrong with the ledger has been said
        return
    yield from _outside(wiring)
    yield from _beside(wiring)


def _clock(wiring: Wiring, now: datetime) -> Finding:
    """A clock that was set back makes entries that do not stand in the order of their times."""
    head = wiring.ledger.head()
    newest = wiring.ledger.read(since=head.size - 1, limit=1) if head.size else ()
    ahead = datetime.fromisoformat(newest[0].at) - now if newest else timedelta()
    if ahead > _SLACK:
        said = f"it is {ahead.total_seconds():.0f} s behind the ledger's newest entry: set back, or another's is ahead"
        return Finding("clock", "fails", said, "Set it by NTP on each machine that writes to the ledger.")
    return Finding("clock", "ok", "not behind the ledger's newest entry")


def _outside(wiring: Wiring) -> Iterator[Finding]:
    """Who else knows the ledger's head, and since when."""
    about, wanted = "ledger, known outside", wiring.settings.checkpoints
    if wanted is None or not wanted.witnesses:
        said = f"by nobody: who owns {wiring.ledger.place} could rewrite it unnoticed, or lose it for good"
        fix = "Name `checkpoints` with a witness that its owner cannot write (docs/ledger.md), and back it up."
        yield Finding(about, "note", said, fix)
        return
    for witness in wanted.witnesses:
        yield tried(f"{about} by {witness.name}", partial(_kept, witness, wanted, wiring))


def _kept(witness: Witness, wanted: Checkpoints, wiring: Wiring) -> str:
    """How old the newest checkpoint is that it has. Raises: WitnessFailedError."""
    took = wiring.ledger.last(Kind.WITNESS_TOOK, where={"witness": witness.name})
    if not took:
        raise WitnessFailedError("It has never taken a checkpoint.", hint=_AGAIN)
    age = datetime.now(UTC) - datetime.fromisoformat(str(took[0].body["signed_at"]))
    hours = f"{age.total_seconds() / 3600:.1f} h old"
    if age > wanted.max_age:
        raise WitnessFailedError(f"Its newest checkpoint is {hours}; `ledger verify` fails.", hint=_AGAIN)
    return f"its newest checkpoint is {hours}, of {took[0].body['size']} entries"


def _beside(wiring: Wiring) -> Iterator[Finding]:
    """What is lost together with the record: one disk, or one server, is one accident."""
    try:
        place = _place(wiring.settings.resolved_ledger())
    except MigrateError:  # what is wrong with the ledger has been said
        return
    for name, other in _others(wiring):
        if place is not None and place == other:
            what = "disk" if isinstance(place, int) else f"server ({place})"
            fix = "Keep it, or a witness and a backup of it, elsewhere (`mcp-migrate ledger move`): docs/ledger.md."
            yield Finding("ledger, its place", "note", f"it lies on the same {what} as {name}", fix)


def _others(wiring: Wiring) -> Iterator[tuple[str, int | str | None]]:
    for name, target in wiring.settings.targets.items():
        try:
            yield f"target {name}", _place(target.resolved_url())
        except MigrateError:  # said of that target
            continue
    for witness in wiring.settings.checkpoints.witnesses if wiring.settings.checkpoints else ():
        if isinstance(witness, FileWitness):
            yield f"witness {witness.name}", _device(witness.path)


def _place(url: str) -> int | str | None:
    """The disk of a file, or the host of a server."""
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return _device(Path(parts.database)) if parts.database else None
    return f"{parts.host}:{parts.port or 'its own port'}" if parts.host else None


def _device(path: Path) -> int | None:
    """The number of the disk that a file is or would be on."""
    there = next((each for each in (path.absolute(), *path.absolute().parents) if each.exists()), None)
    return there.stat().st_dev if there else None
