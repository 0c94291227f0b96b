"""Do different people take the steps of a change?

A person is known by every mark that there is of them: the principal they call as, whose `people` says it is, and the
subjects that an issuer named. Who shares a mark with another is the same person, under whatever name. Nothing here
reads anything but what it is given; `before` collects it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mcp_migrate.errors import NotSeparatedError
from mcp_migrate.leave.delegation import delegators
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import Caller, Party, Prepared
from mcp_migrate.settings import Settings, Step

Taken = Literal["plan", "apply", "validate", "approve"]
_DID: dict[Taken, str] = {"plan": "planned", "apply": "applied", "validate": "validated", "approve": "approved"}


@dataclass(frozen=True, slots=True)
class Taker:
    """Who took one step of a change. `proven` says that somebody vouched for the name."""

    step: Taken
    name: str
    marks: frozenset[str]
    proven: bool = True


def taker(step: Taken, caller: Caller, settings: Settings) -> Taker:
    """Who takes this step now."""
    return _taker(step, caller.principal, caller.told(), settings)


def step_of(prepared: Prepared) -> Step | None:
    """Which step of a change a call is, if any."""
    if prepared.validates is not None:
        return "validate"
    if prepared.plan is None:
        return None
    return "apply" if prepared.work else "plan"


def before(prepared: Prepared, settings: Settings, ledger: Ledger) -> tuple[Taker, ...]:
    """Who took the steps before this call, where that matters. A plan that is on no record is the call's own."""
    if not settings.separated(prepared.granted.call.target):
        return ()
    match step_of(prepared):
        case "apply" if prepared.plan is not None:
            found = tuple(_planners(prepared.plan.plan_id, prepared.undoes, settings, ledger))
            return found or (taker("plan", prepared.granted.call.caller, settings),)
        case "validate":
            started = ledger.find(Kind.STEP_STARTED, str(prepared.validates))
            return tuple(each for event in started for each in _of_apply(event, settings, ledger))
        case _:
            return ()


def planned_at(prepared: Prepared, ledger: Ledger) -> datetime | None:
    """When the plan that a call runs was made last; None where the call makes it itself."""
    found = ledger.find(Kind.PLAN_FROZEN, prepared.plan.plan_id) if prepared.plan and prepared.work else ()
    return datetime.fromisoformat(found[-1].at) if found else None


def refuse_same(
    step: Step | None, caller: Caller, taken: Iterable[Taker], settings: Settings, *, target: str | None
) -> None:
    """Hold who takes a step against who took those before it.

    Raises:
        NotSeparatedError: it is one person, or one of them is a name that anybody could have given.
    """
    separated = settings.separated(target)
    if step is None or step not in separated:
        return
    me = taker(step, caller, settings)
    others = [each for each in taken if each.step == "approve" or each.step in separated]
    if not me.proven:
        raise _refused(
            f"On {target} {_listed(separated)} need different people, and nobody vouches that this is {me.name}",
            f"Start the server with a launch token (`mcp-migrate launch-token {me.name}`), or call the team server.",
            step,
            me,
        )
    for each in others:
        if not each.proven:
            again = "Have it planned again" if each.step == "plan" else "Have somebody else look at it"
            why = f"this was {_DID[each.step]} as {each.name}, and nobody vouched for that name"
            raise _refused(f"On {target} {why}", f"{again}, by a principal with a launch token.", step, each)
        if each.marks & me.marks:
            same = me.name if each.name == me.name else f"{me.name} is one person with {each.name}, who"
            raise _refused(
                f"{same} {_DID[each.step]} this, and may not {step} it on {target}",
                "Another person's principal has to: `mcp-migrate config explain PRINCIPAL` says who may.",
                step,
                each,
            )


def marks(names: Collection[str], parties: Collection[Party], settings: Settings) -> frozenset[str]:
    """By what a person is known. What stands before a colon says what kind of principal it is, not whose."""
    known = {*names, *(name.partition(":")[2] or name for name in names)}
    whole, bare = {_whole(party) for party in parties}, {party.subject for party in parties}
    whose = {person for name in known | whole | bare if (person := settings.person_of(name))}
    return frozenset(f"name {name.casefold()}" for name in known | whose) | frozenset(f"subject {p}" for p in whole)


def people(principal: str, caller: Mapping[str, Any], settings: Settings) -> frozenset[str]:
    """The names that a principal's person goes by, whoever says so."""
    found = subjects(caller)
    known = marks([principal, *delegators(caller), *(party.subject for party in found)], found, settings)
    return frozenset(mark.removeprefix("name ") for mark in known if mark.startswith("name "))


def subjects(caller: Mapping[str, Any]) -> tuple[Party, ...]:
    """Those that a recorded caller is or acts for."""
    found = [caller.get("party"), *(caller.get("chain") or ())]
    return tuple(Party(each["subject"], each.get("issuer")) for each in found if each)


def _whole(party: Party) -> str:
    """A subject with its issuer, since two may give one name. Both may have spaces in them."""
    return f"{party.issuer or ''} {party.subject}".strip()


def _taker(step: Taken, principal: str, caller: Mapping[str, Any], settings: Settings) -> Taker:
    proven = caller.get("assurance", "claimed") != "claimed"
    return Taker(step, principal, marks([principal, *delegators(caller)], subjects(caller), settings), proven)


def _of_apply(started: Event, settings: Settings, ledger: Ledger) -> Iterator[Taker]:
    said = started.body
    yield _taker("apply", said["principal"], said.get("caller") or {}, settings)
    for reviewer in said.get("reviewers", ()):
        yield Taker("approve", reviewer, marks([reviewer], (), settings))
    undoes = said.get("undoes") or (said.get("automatic") or {}).get("apply_id")
    yield from _planners(said.get("plan_id"), undoes, settings, ledger)


def _planners(plan_id: str | None, undoes: str | None, settings: Settings, ledger: Ledger) -> Iterator[Taker]:
    """Whoever planned it; the way back of an apply was planned with the apply."""
    for frozen in ledger.find(Kind.PLAN_FROZEN, plan_id) if plan_id else ():
        principal = str(frozen.body.get("principal") or "nobody who was named")
        yield _taker("plan", principal, frozen.body.get("caller") or {}, settings)
    for started in ledger.find(Kind.STEP_STARTED, undoes) if undoes else ():
        yield from _planners(started.body.get("plan_id"), started.body.get("undoes"), settings, ledger)


def _refused(sentence: str, hint: str, step: Step, other: Taker) -> NotSeparatedError:
    return NotSeparatedError(f"{sentence}.", hint=hint, step=step, taken=other.step, by=other.name)


def _listed(steps: Iterable[str]) -> str:
    return ", ".join(sorted(steps))
