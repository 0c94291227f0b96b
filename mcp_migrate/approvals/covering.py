"""Did the people who approved a change approve its rollback with it, and is this exactly that rollback?

They signed the digest of the way back. Whatever is another one, or for somebody else, or too late, or the second time,
is a question of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp_migrate.approvals.binding import asked_now, counts, way_back_digest
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.approvals.standing import short_of, standing
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import (
    ALWAYS_APPROVED,
    Classified,
    Covered,
    Effect,
    Permitted,
    Plan,
    Prepared,
    Quorum,
    canonical,
)
from mcp_migrate.schema import Schema
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Decision
    from mcp_migrate.signers.roster import Roster


_NOT_ALONE = ALWAYS_APPROVED | {Effect.DATA}
_NO_ROWS = frozenset({"drop-index", "drop-constraint"})
"""Rules about what has no rows of its own, and is there again or gone again once the schema is as it was."""


@dataclass(frozen=True, slots=True)
class Covering:
    """What people agreed to beforehand. `name` is consumed when it is used: it is good for once."""

    covered: Covered
    reviewers: tuple[str, ...]
    name: str


def covered_until(approvals: Sequence[Decision]) -> datetime | None:
    """Until when all of these cover the rollback; None where one of them does not."""
    moments = [each.rollback_until for each in approvals if each.rollback_until is not None]
    return min(moments) if moments and len(moments) == len(approvals) else None


def covering(
    permitted: Permitted, asked: Quorum, settings: Settings, ledger: Ledger, *, now: datetime
) -> Covering | None:
    """The approval of an apply that covers this rollback of it; None where people have to be asked.

    It is held against the keys and the policy of now: what the rollback asks for has to be there.
    """
    prepared = permitted.classified.prepared
    found = _approved(prepared, ledger)
    if found is None:
        return None
    started, request = found
    name = f"rollback of {request.subject}"
    if not _same_rollback(prepared, request) or ledger.find(Kind.APPROVAL_CONSUMED, name):
        return None
    counted = [each for each in standing(request, ledger, settings).approvals if _used(each, started, ledger)]
    until, roster = covered_until(counted), reviewers(settings, ledger)
    late = ledger.no_earlier(now, since=request)
    if until is None or late > until or len(counted) != len(started.body["reviewers"]):
        return None
    now_asked = {**asked_now(request.body, prepared.granted.call, settings), "quorum": {"never": asked.never}}
    if short_of(asked.by_group, _sufficient(counted, now_asked, asked, settings, roster)):
        return None
    return Covering(Covered(str(request.subject), until), tuple(each.reviewer for each in counted), name)


def _approved(prepared: Prepared, ledger: Ledger) -> tuple[Event, Event] | None:
    """The start of the apply that is to be taken back, and the request that people approved for it."""
    events = ledger.find(Kind.STEP_STARTED, prepared.undoes) if prepared.undoes else ()
    if not events or not events[0].body["request_id"] or events[0].body["broken_glass"]:
        return None
    requests = ledger.find(Kind.APPROVAL_REQUESTED, events[0].body["request_id"])
    return (events[0], requests[0]) if requests else None


def _same_rollback(prepared: Prepared, request: Event) -> bool:
    """Whether the plan is the way back whose digest was signed, on the same database, for the same workflow."""
    plan, body = prepared.plan, request.body
    if plan is None or body["plan"] is None or plan.undo is None or not plan.undo.restores_data:
        return False  # what it would lose beyond what was signed, rows written since, has to be kept at least
    applied = Plan.thaw(body["plan"])
    return (
        (applied.digest, way_back_digest(applied)) == (body["plan_digest"], body["rollback"])
        and is_way_back(plan, applied)
        and (prepared.granted.call.target, prepared.granted.workflow) == (body["target"], body["workflow"])
        and canonical(dict(prepared.identity or {})) == canonical(body["identity"])
    )


def is_way_back(plan: Plan, applied: Plan) -> bool:
    """Whether a plan begins where another ended and runs its way back; of its own it only keeps what that loses."""
    own = [statement for statement in plan.statements if statement.kind != "preserve"]
    numbered = tuple(replace(statement, n=n) for n, statement in enumerate(own, 1))
    return (
        applied.reverse.available
        and numbered == applied.reverse.statements
        and (plan.from_revision, plan.base_fingerprint) == (applied.to_revision, applied.expected_fingerprint)
        and plan.target == applied.target
    )


def beyond_made(back: Classified, before: Schema | None) -> tuple[str, ...]:
    """What a way back would change that the apply did not make: it was there before, or nobody knows what it is.

    That the schema comes back is known of a way back; what becomes of the rows of others is not.
    """
    after = back.prepared.schema
    made = _names(after) - _names(before) if after and before else frozenset[str]()
    plan = back.prepared.plan
    own = {statement.n for statement in plan.statements if statement.kind == "change"} if plan else set[int]()
    asked = (each for each in back.judgements if each.n in own and each.effects & _NOT_ALONE)
    objects = (name for each in asked if not {*each.rules} <= _NO_ROWS for name in each.objects or ("?",))
    return tuple(dict.fromkeys(name for name in objects if name.casefold() not in made))


def _names(schema: Schema) -> frozenset[str]:
    """Tables, columns, indexes and the rest as judgements name them, however a database compares names."""
    found = {f"{other.schema}.{other.name}" for other in schema.others}
    for table in schema.tables:
        found |= {table.qualified, *(f"{table.qualified}.{column.name}" for column in table.columns)}
        found |= {f"{table.schema}.{index.name}" for index in table.indexes}
    return frozenset(name.casefold() for name in found)


def _used(decision: Decision, started: Event, ledger: Ledger) -> bool:
    """Whether this decision is one of those that let the apply run."""
    return any(e.body["apply_id"] == started.subject for e in ledger.find(Kind.APPROVAL_CONSUMED, decision.nonce))


def _sufficient(
    counted: Sequence[Decision], now_asked: Mapping[str, Any], asked: Quorum, settings: Settings, roster: Roster
) -> Iterator[Decision]:
    """Those that would count for what is asked now, of whoever asks now."""
    from mcp_migrate.signers.decisions import lacking

    for each in counted:
        if counts(each.reviewer, now_asked, settings, roster) and lacking(each, asked.groups, asked.assurance) is None:
            yield each
