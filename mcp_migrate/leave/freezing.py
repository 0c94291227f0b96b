"""Is a target frozen, by whom and why, and who let it go on?

Whoever has the ledger may freeze: to stop needs no leave. To thaw takes an admin's signature where there are admins.
Every server that shares the ledger sees both at its next call. A file or an address may say `freeze` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError, TargetFrozenError
from mcp_migrate.leave.signals import signalled
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.model import canonical
from mcp_migrate.settings import Settings

FORMAT, NAMESPACE = "mcp-migrate/thaw/1", "thaw@mcp-migrate"
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


def frozen(target: str, settings: Settings, ledger: Ledger) -> Frozen | None:
    """What keeps `target` as it is, if anything."""
    for what in (target, EVERYTHING):
        if (found := standing(what, settings, ledger)) is not None:
            return found
    said = signalled(target, settings)
    return Frozen(target, said.reason, said.source, ends="it ends when that says so") if said else None


def standing(what: str, settings: Settings, ledger: Ledger) -> Frozen | None:
    """The newest freeze of exactly this, unless it was lifted."""
    events = ledger.find(Kind.TARGET_FROZEN, what)
    if not events or any(_lifts(thaw, events[-1], settings) for thaw in ledger.find(Kind.TARGET_THAWED, what)):
        return None
    said = events[-1]
    return Frozen(what, str(said.body["reason"]), str(said.body["by"]), said.at, said.seq)


def refuse_frozen(target: str | None, found: Frozen | None) -> None:
    """Refuse whatever would change a target that is frozen. Raises: TargetFrozenError."""
    if found is None:
        return
    since = f" since {found.since}" if found.since else ""
    raise TargetFrozenError(
        f"{target} is frozen{since} by {found.by}: {found.reason}.",
        hint=f"Nothing ran. Read and plan meanwhile; {found.ends}.",
        frozen={"what": found.what, "by": found.by, "entry": found.seq},
    )


def freeze(what: str, reason: str, by: str, settings: Settings, ledger: Ledger, *, now: datetime) -> None:
    """Have nothing change `what` from now on. Raises: UnknownTargetError."""
    if what != EVERYTHING:
        settings.target(what)
    ledger.append(Draft(Kind.TARGET_FROZEN, {"target": what, "reason": reason, "by": by}, subject=what), at=now)


def statement(found: Frozen, reason: str, *, by: str, key: str | None, at: datetime, nonce: str) -> dict[str, Any]:
    """What lifts this freeze and no other; it is signed where there are admins."""
    said = {"format": FORMAT, "target": found.what, "lifts": found.seq, "frozen_at": found.since}
    return {**said, "reason": reason, "by": by, "key": key, "signed_at": at.isoformat(), "nonce": nonce}


def thaw(entry: Mapping[str, Any], settings: Settings, ledger: Ledger, *, now: datetime) -> None:
    """Lift a freeze.

    Raises:
        InvalidArgumentsError: nothing is frozen so. ApprovalInvalidError: no admin signed this.
    """
    what = str(entry["statement"]["target"])
    events = ledger.find(Kind.TARGET_FROZEN, what)
    if standing(what, settings, ledger) is None:
        raise InvalidArgumentsError(f"No freeze of {what} stands.", hint="`mcp-migrate doctor` shows what is frozen.")
    draft = Draft(Kind.TARGET_THAWED, entry, subject=what)
    _check(entry, events[-1], settings)
    ledger.append(draft, at=now)


def _lifts(thawed: Event, freeze: Event, settings: Settings) -> bool:
    try:
        _check(thawed.body, freeze, settings)
    except ApprovalInvalidError:
        return False
    return thawed.seq > freeze.seq


def _check(entry: Mapping[str, Any], freeze: Event, settings: Settings) -> None:
    """Hold what is said to lift a freeze against it, and against the admins' keys. Raises: ApprovalInvalidError."""
    said = entry.get("statement")
    about = (FORMAT, freeze.body["target"], freeze.seq, freeze.at)
    told = said if isinstance(said, Mapping) else {}
    if (told.get("format"), told.get("target"), told.get("lifts"), told.get("frozen_at")) != about:
        raise _invalid("it lifts another freeze")
    if settings.admins:
        from mcp_migrate.signers.roster import configured  # cryptography loads when there is something to check
        from mcp_migrate.signers.sshsig import verify

        key = configured(settings).admins.get(str(told.get("key")))
        if key is None:
            raise _invalid("it is signed by no key under `admins`")
        verify(canonical(dict(told)), str(entry.get("signature")), key, namespace=NAMESPACE)


def _invalid(why: str) -> ApprovalInvalidError:
    return ApprovalInvalidError(f"This does not thaw anything: {why}.", hint="Sign with `mcp-migrate thaw --key`.")
