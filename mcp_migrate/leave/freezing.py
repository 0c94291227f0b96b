"""Is a target frozen, by whom and why, and who let it go on?

Whoever has the ledger may freeze: to stop needs no leave. To thaw takes an admin's signature where there are admins.
Each freeze stands until a thaw names it, so that what one person lifts leaves what another keeps. Every server that
shares the ledger sees both at its next call. A file or an address may say `freeze` as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError, TargetFrozenError
from mcp_migrate.leave.signals import signalled
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.settings import Settings

FORMAT, NAMESPACE = "mcp-migrate/thaw/2", "thaw@mcp-migrate"
_ONE = "mcp-migrate/thaw/1"
"""The form before this one: it names one freeze, in two fields."""
EVERYTHING = "*"
"""In place of a target: all of them."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """Why nothing changes a target now, and what ends it. `seq` is the entry that says so; None where none does."""

    what: str
    reason: str
    by: str
    since: str | None = None
    seq: int | None = None
    ends: str = "somebody has to lift it with `mcp-migrate thaw`"

    def sentence(self, target: str) -> str:
        """That it keeps `target`, since when, and why."""
        entry = f" (entry {self.seq})" if self.seq is not None else ""
        since = f" since {self.since}" if self.since else ""
        return f"{target} is frozen{since} by {self.by}{entry}: {self.reason}."

    def shown(self) -> dict[str, Any]:
        """The JSON form."""
        return {"what": self.what, "by": self.by, "reason": self.reason, "since": self.since, "entry": self.seq}


def frozen(target: str, settings: Settings, ledger: Ledger) -> Frozen | None:
    """What keeps `target` as it is, if anything."""
    return next(all_frozen(target, settings, ledger), None)


def all_frozen(target: str, settings: Settings, ledger: Ledger) -> Iterator[Frozen]:
    """Everything that keeps `target` as it is: each of it is enough."""
    for what in (target, EVERYTHING):
        yield from standing(what, settings, ledger)
    said = signalled(target, settings)
    if said is not None:
        yield Frozen(target, said.reason, said.source, ends="it ends when that says so")


def standing(what: str, settings: Settings, ledger: Ledger) -> tuple[Frozen, ...]:
    """The freezes of exactly this that no thaw names, the newest first."""
    events = ledger.find(Kind.TARGET_FROZEN, what)
    thaws = ledger.find(Kind.TARGET_THAWED, what) if events else ()
    left = (event for event in reversed(events) if not any(_lifts(thaw, event, settings, ledger) for thaw in thaws))
    return tuple(Frozen(what, str(e.body["reason"]), str(e.body["by"]), e.at, e.seq) for e in left)


def refuse_frozen(target: str | None, found: Frozen | None) -> None:
    """Refuse whatever would change a target that is frozen. Raises: TargetFrozenError."""
    if found is None:
        return
    raise TargetFrozenError(
        found.sentence(str(target)),
        hint=f"Nothing ran. Read and plan meanwhile; {found.ends}.",
        frozen={"what": found.what, "by": found.by, "entry": found.seq},
    )


def freeze(what: str, reason: str, by: str, settings: Settings, ledger: Ledger, *, now: datetime) -> int:
    """Have nothing change `what` from now on; the entry that says so. Raises: UnknownTargetError."""
    if what != EVERYTHING:
        settings.target(what)
    body = {"target": what, "reason": reason, "by": by}
    [entry] = ledger.append(Draft(Kind.TARGET_FROZEN, body, subject=what), at=now)
    return entry.seq


def statement(found: Sequence[Frozen], reason: str, *, by: str, at: datetime, nonce: str) -> dict[str, Any]:
    """What lifts these freezes of one thing and no others. Where there are admins one signs it, and `key` is theirs."""
    lifts = [{"entry": each.seq, "frozen_at": each.since} for each in found]
    said = {"format": FORMAT, "target": found[0].what, "lifts": lifts}
    return {**said, "reason": reason, "by": by, "key": None, "signed_at": at.isoformat(), "nonce": nonce}


def thaw(entry: Mapping[str, Any], settings: Settings, ledger: Ledger, *, now: datetime) -> None:
    """Lift freezes.

    Raises:
        InvalidArgumentsError: one that it names does not stand. ApprovalInvalidError: no admin signed this.
    """
    what, lifts = str(entry["statement"]["target"]), _named(entry["statement"])
    stand = {(each.seq, each.since) for each in standing(what, settings, ledger)}
    if not lifts or not stand.issuperset(lifts):
        raise InvalidArgumentsError(f"No such freeze of {what} stands.", hint="`mcp-migrate doctor` shows what does.")
    _check(entry, settings)
    ledger.append(Draft(Kind.TARGET_THAWED, entry, subject=what), at=now)


def _lifts(thawed: Event, freeze: Event, settings: Settings, ledger: Ledger) -> bool:
    """Whether a thaw that holds names this freeze; a signature that was found good once is not checked again."""
    said = thawed.body.get("statement")
    if not isinstance(said, Mapping) or said.get("target") != freeze.body["target"]:
        return False
    if (freeze.seq, freeze.at) not in _named(said) or thawed.seq < freeze.seq:
        return False
    good = ledger.remembered(_Good)
    known = (thawed.seq, settings.admins)
    if known not in good:
        try:
            _check(thawed.body, settings)
        except ApprovalInvalidError:
            return False
        good.add(known)
    return True


class _Good(set[tuple[int, tuple[str, ...]]]):
    """The thaws of one ledger that hold, each by its entry and the admins whose keys it was held against."""


def _named(said: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """The freezes that a statement names, each by its entry and its time; whoever has the ledger may write anything."""
    if said.get("format") == _ONE:
        return [(said.get("lifts"), said.get("frozen_at"))]
    lifts = said.get("lifts")
    named = (each for each in (lifts if isinstance(lifts, list) else ()) if isinstance(each, Mapping))
    return [(each.get("entry"), each.get("frozen_at")) for each in named]


def _check(entry: Mapping[str, Any], settings: Settings) -> None:
    """Hold what is said to lift freezes against its form, and the admins' keys. Raises: ApprovalInvalidError."""
    said = entry["statement"]
    if said.get("format") not in {FORMAT, _ONE}:
        raise _invalid("it is of no form that is known")
    if settings.admins:
        from mcp_migrate.signers.admins import check_admin  # cryptography loads when there is something to check

        check_admin(entry, settings, namespace=NAMESPACE, refused=_invalid)


def _invalid(why: str) -> ApprovalInvalidError:
    return ApprovalInvalidError(f"This does not thaw anything: {why}.", hint="Sign with `mcp-migrate thaw --key`.")
