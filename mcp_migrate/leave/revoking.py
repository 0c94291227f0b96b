"""Was a launch token or a grant taken back before its end, and which of them hold now?

Whoever has the ledger may take one back: to stop needs no leave. Nobody gives it back; a new one is signed instead.
Every server that shares the ledger sees it at its next call, and under a target's lock before the first statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mcp_migrate.errors import InvalidArgumentsError, NotPermittedError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.ledger.walking import walk
from mcp_migrate.model import Caller

_TAKEN_BACK = {Kind.LAUNCH_SIGNED: Kind.LAUNCH_REVOKED, Kind.GRANT_SIGNED: Kind.GRANT_REVOKED}
_CALLED = {Kind.LAUNCH_SIGNED: "launch token", Kind.GRANT_SIGNED: "grant"}


@dataclass(frozen=True, slots=True)
class Proof:
    """A launch token or a grant that was made for this ledger, by its name there. `principal` is who acts by it."""

    kind: Kind
    name: str
    principal: str
    until: str
    by: str

    @property
    def what(self) -> str:
        """What it is, in words."""
        return _CALLED[self.kind]


def refuse_revoked(caller: Caller, ledger: Ledger) -> None:
    """Refuse a caller whose token or grant was taken back. Raises: NotPermittedError."""
    if (why := revoked(caller, ledger)) is not None:
        raise taken_back(caller.principal, why)


def taken_back(principal: str, why: str) -> NotPermittedError:
    """What whoever acted by it is told."""
    return NotPermittedError(
        f"{principal} may do nothing any more by what it was started with: {why}.",
        hint="Ask whoever took it back. The server goes on when it is started anew with another.",
        reasons=[why],
    )


def revoked(caller: Caller, ledger: Ledger) -> str | None:
    """Which token or grant of the caller's was taken back, by whom and why; None while all of them hold."""
    acts_by = [(Kind.LAUNCH_SIGNED, caller.launch), *((Kind.GRANT_SIGNED, grant.grant_id) for grant in caller.grants)]
    for kind, name in acts_by:
        if name is not None and (said := ledger.find(_TAKEN_BACK[kind], name)):
            told = said[0].body
            return f"{told['by']} took the {_CALLED[kind]} {name} back at {said[0].at}: {told['reason']}"
    return None


def revoke(which: str, reason: str, by: str, ledger: Ledger, *, now: datetime) -> tuple[Proof, ...]:
    """Take back a launch token or a grant by its name, or all that a principal acts by; those that held until now.

    Raises:
        InvalidArgumentsError: nothing that holds is called so.
    """
    found = tuple(each for each in holding(ledger, now=now) if which in {each.name, each.principal})
    if not found:
        raise InvalidArgumentsError(
            f"No launch token and no grant that holds is called {which}, or {which}'s.",
            hint="`mcp-migrate tokens list` shows those that hold.",
        )
    said = {"reason": reason, "by": by}
    drafts = [Draft(_TAKEN_BACK[p.kind], {"principal": p.principal, **said}, subject=p.name) for p in found]
    ledger.append(*drafts, at=now)
    return found


def holding(ledger: Ledger, *, now: datetime) -> Iterator[Proof]:
    """Those that are neither over nor taken back, oldest first."""
    for signed, taken in _TAKEN_BACK.items():
        for proof in map(_proof, walk(ledger, kind=signed)):
            if datetime.fromisoformat(proof.until) > now and not ledger.find(taken, proof.name):
                yield proof


def _proof(event: Event) -> Proof:
    said, kind = event.body, Kind(event.kind)
    whose, by = ("to", "by") if kind == Kind.GRANT_SIGNED else ("principal", "signed_by")
    return Proof(kind, str(event.subject), str(said[whose]), str(said["until"]), str(said[by]))
