"""What did principals hand on, from whom to whom, and what is left of it for this call?

A worker has no leave of its own: it has what each grant of its chain hands on, of what the first of the chain has by
the configuration. Every grant is asked of every call, so that a chain only narrows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import NotPermittedError
from mcp_migrate.leave.revoking import refuse_revoked
from mcp_migrate.leave.scoping import Asked
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.ledger.walking import walk
from mcp_migrate.model import Caller, Classified, Effect, Grant
from mcp_migrate.settings import Settings, matches

if TYPE_CHECKING:
    from mcp_migrate.signers.keys import PublicKey

_LONGEST = 3
"""Grants of one chain."""


def made(text: str, chain: Sequence[Grant], settings: Settings, ledger: Ledger, *, now: datetime) -> Grant:
    """Put a new grant on the record, behind those that its maker acts by. Raises: NotPermittedError."""
    from mcp_migrate.signers.granting import check

    grant = check(text.strip(), _keys(settings))
    _fit([*chain, grant], settings, now)
    ledger.append(Draft(Kind.GRANT_SIGNED, grant.told(), subject=grant.grant_id), at=now)
    return grant


def chain_of(
    texts: Iterable[str], principal: str, settings: Settings, ledger: Ledger, *, now: datetime
) -> tuple[Grant, ...]:
    """The grants that `principal` acts by, in the order in which they were handed on. Raises: NotPermittedError."""
    from mcp_migrate.signers.granting import check, refused

    said = [text.strip() for text in texts]
    if len(said) > _LONGEST:  # before any signature is looked at: over HTTP anybody with a token sends them
        raise refused(f"its chain has more than {_LONGEST} grants")
    chain = tuple(check(text, _keys(settings)) for text in said)
    for grant in chain:
        if not ledger.find(Kind.GRANT_SIGNED, grant.grant_id):
            raise refused("it was not made for this ledger")
    if chain:
        _fit(chain, settings, now)
        if chain[-1].to != principal:
            raise refused(f"it is {chain[-1].to}'s, not {principal}'s")
        refuse_revoked(Caller(principal, grants=chain), ledger)
    return chain


def refuse_without(caller: Caller, settings: Settings) -> None:
    """A worker acts by a grant, and nobody else does. Raises: NotPermittedError."""
    _name, workflow = settings.workflow_of(caller.principal)
    if caller.principal in workflow.workers and not caller.grants:
        raise NotPermittedError(
            f"{caller.principal} acts only by what a principal of its workflow hands on to it, and nobody did.",
            hint="Start its server with --grant FILE, as `mcp-migrate delegate` writes one; over HTTP it is a header.",
            missing={"grant": caller.principal},
        )


def not_handed_on(grants: Iterable[Grant], asked: Asked) -> str | None:
    """Which grant does not cover what is asked, and why; None where all do."""
    for grant in grants:
        whose = f"what {grant.by} handed on to {grant.to}"
        if asked.at >= grant.until:
            return f"{whose} ended at {grant.until.isoformat()}"
        if not matches(asked.tool, grant.tools):
            return f"{whose} is {', '.join(grant.tools)}, not {asked.tool}"
        if asked.target is not None and not matches(asked.target, grant.targets):
            return f"{whose} is for {', '.join(grant.targets)}, not {asked.target}"
    return None


def beyond_handed_on(grants: Iterable[Grant], classified: Classified, spent: frozenset[str]) -> str | None:
    """Which grant does not cover what would really happen, and why; None where all do."""
    for grant in grants:
        whose = f"what {grant.by} handed on to {grant.to}"
        if excess := classified.asked - {Effect.READ, *grant.effects}:
            return f"{whose} does not include {', '.join(sorted(excess))}"
        if classified.prepared.work is None:
            continue
        strange = [name for name in classified.objects if grant.objects and not matches(name, grant.objects)]
        if strange:
            return f"{whose} does not include {', '.join(strange[:5])}"
    return used_up(grants, spent) if classified.prepared.work else None


def used_up(grants: Iterable[Grant], spent: frozenset[str]) -> str | None:
    """Which grant is among those that are spent, in words; None where none is."""
    gone = next((grant for grant in grants if grant.grant_id in spent), None)
    return f"what {gone.by} handed on to {gone.to} was used as often as it may be" if gone else None


def spent(grants: Iterable[Grant], ledger: Ledger, *, before: str | None = None) -> frozenset[str]:
    """The grants by which as many changes began as may: before that of the call `before`, where one is named."""
    counted = (grant for grant in grants if grant.uses is not None)
    return frozenset(g.grant_id for g in counted if _used(g.grant_id, ledger, before) >= (g.uses or 0))


def on_behalf(request: Mapping[str, Any]) -> str:
    """On whose behalf a request is made, for whoever reads it; nothing where it is the principal's own."""
    names = ", ".join(delegators(request))
    return f", on behalf of {names}," if names else ""


def delegators(caller: Mapping[str, Any]) -> tuple[str, ...]:
    """On whose behalf a recorded caller acts by grants."""
    return tuple(str(grant["by"]) for grant in caller.get("grants") or ())


def _used(grant_id: str, ledger: Ledger, before: str | None) -> int:
    """How many changes began by a grant before that of the call `before`, or at all."""
    signed = ledger.find(Kind.GRANT_SIGNED, grant_id)
    since = walk(ledger, since=signed[0].seq if signed else 0, kind=Kind.STEP_STARTED)
    begun = takewhile(lambda event: before is None or event.call_id != before, since)
    callers = (event.body.get("caller") or {} for event in begun)
    return sum(any(g["grant_id"] == grant_id for g in caller.get("grants") or ()) for caller in callers)


def _fit(chain: Sequence[Grant], settings: Settings, now: datetime) -> None:
    """Whether each grant was made by whoever had the one before it, and the first by a principal with leave of its own.

    Raises:
        NotPermittedError: they do not, it is too long, it comes back to somebody, or it is over.
    """
    from mcp_migrate.signers.granting import refused

    first, last = chain[0], chain[-1]
    name, workflow = settings.workflow_of(first.by)
    if first.by not in workflow.principals:
        raise refused(f"{first.by} has no leave of its own to hand on")
    if any(one.to != other.by for one, other in pairwise(chain)):
        raise refused("its chain has a gap")
    everybody = [first.by, *(grant.to for grant in chain)]
    if len({*everybody}) < len(everybody) or len(chain) > _LONGEST:
        raise refused(f"its chain comes back to somebody, or has more than {_LONGEST} grants")
    if settings.workflow_of(last.to)[0] != name or last.to not in workflow.workers:
        raise refused(f"{last.to} is no worker of workflow {name}")
    if any(now >= grant.until for grant in chain):
        raise refused("it is over, or one that it rests on is")


def _keys(settings: Settings) -> dict[str, list[PublicKey]]:
    from mcp_migrate.signers.keys import parse_public_key

    return {name: [parse_public_key(line) for line in lines] for name, lines in settings.delegators.items()}
