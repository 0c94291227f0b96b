"""Does an apply stand that was to be taken back by itself if its checks fail, and did its server die before that?

Nobody knows then whether they hold, or they fail and nobody took it back. Nothing else is applied to that target until
it is taken back, or is found to hold. It is not taken back without being asked: whoever asked for it has gone, and what
was written since is for somebody to decide about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.errors import ValidationFailedError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.tools.applies import Apply, applies_back
from mcp_migrate.tools.live import Where

_LOOKED_BACK = 20


@dataclass(frozen=True, slots=True)
class LeftStanding:
    """The apply, and the checks that are known to fail since; none where its server died before it said."""

    apply: Apply
    checks: tuple[Mapping[str, Any], ...]

    def shown(self) -> Mapping[str, Any]:
        """The JSON form, with the calls that go on from here."""
        calls = ("migration_rollback", "migration_validate")
        return {
            "apply_id": self.apply.apply_id,
            "checks": list(self.checks),
            "next": [{"tool": tool, "arguments": {"apply_id": self.apply.apply_id}} for tool in calls],
        }


def left_standing(ledger: Ledger, live: Where) -> LeftStanding | None:
    """The newest apply of a target, if it was left so and the target is still where it ended."""
    newest = next((a for a in applies_back(ledger, live.target) if not _failed_alone(a)), None)
    if newest is None or not newest.applied or not newest.started.body.get("auto_rollback"):
        return None
    plan, outcome = newest.plan, newest.outcome or {}
    checks = tuple(outcome.get("checks_failed") or ())
    settled = not checks and not outcome.get("recovered")
    here = live.revision == plan.to_revision and plan.expected_fingerprint in {None, live.shape}
    if settled or not here or not plan.reverse.available or _held_since(ledger, newest):
        return None
    return LeftStanding(newest, checks)


def refuse_left_standing(found: LeftStanding | None) -> None:
    """Refuse whatever would build on it. Raises: ValidationFailedError."""
    if found is None:
        return
    name = found.apply.apply_id
    failing = ", ".join(str(check["name"]) for check in found.checks)
    known = f"Checks fail since {name} ({failing})" if failing else f"Nobody knows whether the checks hold since {name}"
    raise ValidationFailedError(
        f"{known}, and its server ended before it could take it back.",
        hint="Nothing ran. Call migration_rollback with this apply_id. Or call migration_validate with it: if all it "
        "asks holds, or a person has mended what does not, that frees the target.",
        status="applied",
        left_standing=found.shown(),
    )


def _failed_alone(apply: Apply) -> bool:
    """Whether nothing of it stands; but one that was to take another back and failed by its own was the attempt."""
    outcome = apply.outcome
    if outcome is None or outcome["status"] != "failed":
        return False
    return bool(outcome.get("recovered")) or apply.started.body["tool"] != "migration_rollback"


def _held_since(ledger: Ledger, apply: Apply) -> bool:
    """Whether a validation found that everything holds, after it was applied."""
    about: dict[str | tuple[str, ...], str] = {("about", "apply_id"): apply.apply_id}
    ends = ledger.last(Kind.CALL_FINISHED, limit=_LOOKED_BACK, where=about)
    return any(event.seq > apply.started.seq and event.body["about"].get("ok") is True for event in ends)
