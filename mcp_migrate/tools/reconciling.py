"""Is a target what the record left it as? What changed since that no recorded apply explains, and what is gone again.

Each apply records what the target was afterwards, and so does each acceptance: the newest of these is the base. Where
none is on the record there is nothing to explain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from mcp_migrate.errors import UnreconciledError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import Plan
from mcp_migrate.schema import Schema, fingerprint, shape, short_fingerprints
from mcp_migrate.settings import Settings

_LOOKED_BACK = 50
"""States of a target that are looked through for what brought an object where it was."""
_SHOWN, _NAMED = 500, 5

How = Literal["added", "removed", "altered"]


@dataclass(frozen=True, slots=True)
class Base:
    """What something on the record left the target as. `objects` is None where it was recorded before they were."""

    name: str
    at: str
    revision: str | None
    fingerprint: str | None
    objects: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is not what the record left it as; `gone` is the apply whose effect on it is undone."""

    how: How
    object: str
    gone: str | None = None


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What no recorded apply explains; one of both differs at least."""

    base: Base
    revision: str | None
    differences: tuple[Difference, ...]
    schema_differs: bool

    @property
    def moved(self) -> bool:
        """Whether the version table says something else than the record left in it."""
        return self.revision != self.base.revision

    @property
    def gone(self) -> Mapping[str, list[str]]:
        """The applies of which an effect is gone, with the objects."""
        found: dict[str, list[str]] = {}
        for each in self.differences:
            if each.gone is not None:
                found.setdefault(each.gone, []).append(each.object)
        return found

    def shown(self) -> dict[str, Any]:
        """The JSON form."""
        told = [{"how": each.how, "object": each.object, "gone": each.gone} for each in self.differences[:_SHOWN]]
        return {
            "since": self.base.name,
            "since_at": self.base.at,
            "summary": self.summary(),
            "revision": {"recorded": self.base.revision, "now": self.revision} if self.moved else None,
            "differences": told,
            "differences_total": len(self.differences),
            "gone": {name: objects[:_SHOWN] for name, objects in self.gone.items()},
        }

    def summary(self) -> str:
        """One sentence."""
        named = [f"{each.how} {each.object}" for each in self.differences[:_NAMED]]
        more = len(self.differences) - len(named)
        parts = [", ".join(named) + (f" and {more} more" if more else "")] if named else []
        if self.schema_differs and not named:
            parts.append("the schema is another one, and the record does not say what of it")
        if self.moved:
            parts.append(f"the version table says {self.revision or 'base'}, not {self.base.revision or 'base'}")
        parts += [f"the effect of {name} on {', '.join(on[:_NAMED])} is gone" for name, on in self.gone.items()]
        return f"Since {self.base.name}: {'; '.join(parts)}."


def base_of(ledger: Ledger, target: str) -> Base | None:
    """What the record left the target as, if anything did."""
    seen = next(iter(ledger.last(Kind.SCHEMA_SEEN, where={"target": target})), None)
    ended = ledger.last(Kind.STEP_FINISHED, limit=_LOOKED_BACK, where={"target": target, "status": "applied"})
    newest = next((event for event in ended if event.body.get("fingerprint")), None)
    if newest is not None and (seen is None or (seen.seq < newest.seq and seen.subject != newest.subject)):
        # From before states were recorded, or settled after its server died: the outcome alone says what it left.
        return _base(newest)
    return _base(seen) if seen is not None else None


def unexplained(ledger: Ledger, target: str, revisions: Sequence[str], schema: Schema) -> Unexplained | None:
    """What is not as the record left it; None where it is, or where nothing is on the record."""
    base, revision = base_of(ledger, target), ", ".join(revisions) or None
    if base is None:
        return None
    # An outcome that was settled says the shape, without owners and grants.
    same = {None, fingerprint(schema), *([shape(schema)] if base.objects is None else [])}
    differs = base.fingerprint not in same
    if not differs and revision == base.revision:
        return None
    found = differences(short_fingerprints(schema), [base, *_earlier(ledger, target, base)]) if differs else ()
    return Unexplained(base, revision, found, differs)


def differences(now: Mapping[str, str], states: Sequence[Base]) -> tuple[Difference, ...]:
    """What the objects of now are not any more, by the states that the record knows, the newest first."""
    before = states[0].objects
    if before is None:
        return ()
    return tuple(
        Difference(_how(before.get(name), now.get(name)), name, _gone(name, now.get(name), states))
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    )


def refuse_unexplained(ledger: Ledger, settings: Settings, plan: Plan, schema: Schema) -> None:
    """Refuse to change a target of a tier where somebody has to sign first for what nothing explains.

    Raises:
        UnreconciledError: there is such a change.
    """
    if settings.target(plan.target).tier not in settings.reconcile.block:
        return
    found = _found(ledger, plan, schema)
    if found is not None:
        raise UnreconciledError(
            f"{plan.target} was changed by something that is not on the record. {found.summary()}",
            hint=f"Nothing ran. A person runs `mcp-migrate ledger reconcile {plan.target}`, and a reviewer signs for "
            "what it finds; or the change is taken back where it was made.",
            unexplained=found.shown(),
        )


def since_it_began(ledger: Ledger, plan: Plan, schema: Schema) -> dict[str, Any]:
    """What people are shown, and sign for, of a plan that goes on with an apply that stopped part way.

    Nobody can tell what is the doing of that apply from what is not where both are on one object. To undo has to stay
    possible in an incident, so this is not refused: policy asks a person on the tiers where it would be.
    """
    found = _found(ledger, plan, schema)
    return {"unexplained": found.shown()} if found else {}


def _found(ledger: Ledger, plan: Plan, schema: Schema) -> Unexplained | None:
    """What nothing explains where a plan starts."""
    return unexplained(ledger, plan.target, [plan.from_revision] if plan.from_revision else [], schema)


def _earlier(ledger: Ledger, target: str, base: Base) -> Iterator[Base]:
    for event in ledger.last(Kind.SCHEMA_SEEN, limit=_LOOKED_BACK, where={"target": target}):
        if event.subject != base.name:
            yield _base(event)


def _base(event: Event) -> Base:
    body = event.body
    return Base(str(event.subject), event.at, body["revision"], body["fingerprint"], body.get("objects"))


def _how(before: str | None, now: str | None) -> How:
    if before is None:
        return "added"
    return "removed" if now is None else "altered"


def _gone(name: str, now: str | None, states: Sequence[Base]) -> str | None:
    """The newest apply that changed this object, where it is again what it was before that."""
    for after, before in pairwise(states):
        held, had = (after.objects or {}).get(name), (before.objects or {}).get(name)
        if held != had:
            return after.name if had == now else None
    return None
