"""By which applies did a target come to where it is, and what takes all of them back?

Several applies are taken back in one plan, the newest first: the ways back that were frozen and signed with each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mcp_migrate.ledger import Ledger
from mcp_migrate.migrations.taking_back import Ground, try_back
from mcp_migrate.model import Plan, Reverse, Statement
from mcp_migrate.tools.applies import Apply, last_applies
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.live import Live
from mcp_migrate.tools.plans import protected

_LOOKED_BACK = 200


def applies_since(ledger: Ledger, live: Live, end: str | None) -> list[Apply]:
    """The applies that led from revision `end` to where a target is, the newest first.

    None at all where they do not account for everything: the schema was changed beside them, or one of them cannot
    be taken back or began before `end`. What was rolled back already does not count.
    """
    found: list[Apply] = []
    at = _Place(live.revision, live.shape)
    for apply in last_applies(ledger, live.target, limit=_LOOKED_BACK):
        if at.revision == end and not at.inside:
            break
        if apply.outcome is not None and apply.outcome["status"] == "failed":
            continue  # nothing of it is there
        step = at.before(apply)
        if step is None:
            return []
        if not (step.inside or at.inside):
            found.append(apply)
        at = step
    return found if at.revision == end and not at.inside else []


@dataclass(frozen=True, slots=True)
class _Place:
    """A revision and a schema on the way back through the applies; `inside` what a rollback has taken back."""

    revision: str | None
    shape: str
    inside: bool = False

    def before(self, apply: Apply) -> _Place | None:
        """Where the target was before this apply; None where that is not certain."""
        plan, went_back = apply.plan, apply.started.body["tool"] == "migration_rollback"
        began = (plan.from_revision, plan.base_fingerprint) == (self.revision, self.shape)
        if self.inside:
            return replace(self, inside=went_back or not began)
        ended = (plan.to_revision, plan.expected_fingerprint) == (self.revision, self.shape)
        if not (apply.applied and ended):
            return None
        if went_back:
            return replace(self, inside=True)
        can = plan.reverse.available and plan.reverse.restores_schema
        return _Place(*plan.origin) if can else None


def rehearsed_back(database: Database, plans: Sequence[Plan], live: Live) -> Plan:
    """The plan that takes these back and keeps what that loses, after it ran on a scratch copy with what was kept.

    Raises:
        RehearsalFailedError: it does not do there what it says.
    """
    plan = protected(database, way_back(plans, live), live)
    if not database.rehearse:
        return replace(plan, untried="the configuration says `rehearsal: {on: off}`")
    ground = Ground(
        database.project,
        database.dialect,
        database.url,
        live=live.schema,
        revisions=live.revisions,
        undone=tuple(each.undo for each in plans if each.undo),
        max_rows=database.max_rows,
    )
    return try_back(plan, ground)


def way_back(plans: Sequence[Plan], live: Live) -> Plan:
    """The plan that takes these applied ones back, the newest first."""
    newest, oldest = plans[0], plans[-1]
    statements = [statement for plan in plans for statement in plan.reverse.statements]
    again = [statement for plan in reversed(plans) for statement in _again(plan)]
    restores = oldest.reverse.restores_schema
    return Plan(
        target=newest.target,
        dialect=newest.dialect,
        from_revision=newest.to_revision,
        to_revision=oldest.origin[0],
        base_fingerprint=live.shape,
        expected_fingerprint=oldest.origin[1] if restores else None,
        version_table=newest.version_table,
        statements=_numbered(statements),
        reverse=Reverse(available=True, restores_schema=True, statements=_numbered(again)),
        doubts=tuple(dict.fromkeys(doubt for plan in plans for doubt in plan.doubts)),
        cage=newest.cage,
    )


def _again(plan: Plan) -> list[Statement]:
    """What the plan itself changed, without what we added to it. The version table is there: going back leaves it."""
    own = [statement for statement in plan.statements if statement.kind in {"change", "version"}]
    return [s for s in own if s.kind != "version" or not s.sql.lstrip().upper().startswith("CREATE")]


def _numbered(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    return tuple(replace(statement, n=n) for n, statement in enumerate(statements, 1))
