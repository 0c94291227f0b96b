"""Did the last apply of a target stop part way, and how does one go on from there?

Until it is finished or taken back nothing else runs on that target: another plan could run a statement a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mcp_migrate.dialects.interface import Reader, Scratch
from mcp_migrate.dialects.told import Left
from mcp_migrate.errors import PlanStaleError, RenderFailedError
from mcp_migrate.ledger import Ledger
from mcp_migrate.migrations.resuming import Ground, Stopped, finish, only_on_the_schema, undo
from mcp_migrate.model import Plan, Statement
from mcp_migrate.tools.applies import Apply, applies_back, find_apply
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.live import Live, Where

FINISH, UNDO = "finish", "undo"


@dataclass(frozen=True, slots=True)
class PartWay:
    """The apply that stopped last, and those that it went on with, the oldest first."""

    chain: tuple[Apply, ...]

    @property
    def apply(self) -> Apply:
        return self.chain[-1]

    @property
    def ran(self) -> tuple[Statement, ...]:
        """Everything that stands, in order."""
        return tuple(s for apply in self.chain for s in apply.plan.statements if s.n in _said(apply, "ran", ()))

    @property
    def uncertain(self) -> Statement | None:
        """The statement of the last apply that may stand."""
        return next((s for s in self.apply.plan.statements if s.n == _said(self.apply, "uncertain")), None)

    @property
    def rest(self) -> tuple[Statement, ...]:
        """The statements of the last apply that certainly do not stand."""
        stands = {*_said(self.apply, "ran", ()), _said(self.apply, "uncertain")}
        return tuple(s for s in self.apply.plan.statements if s.n not in stands)

    def shown(self) -> Mapping[str, Any]:
        """The JSON form, with the calls that go on from here."""
        plan, target = self.apply.plan, self.apply.started.body["target"]
        uncertain, left = self.uncertain, _said(self.apply, "left")
        back = plan.resumes is None or plan.resumes.direction == FINISH
        return {
            "apply_id": self.apply.apply_id,
            "plan_id": plan.plan_id,
            "ran": [_told(s) for s in plan.statements if s.n in _said(self.apply, "ran", ())],
            "not_ran": [_told(s) for s in self.rest],
            **({"uncertain": _told(uncertain)} if uncertain else {}),
            **({"left": left} if left else {}),
            "next": [_call(target, way) for way in ([FINISH, UNDO] if back else [FINISH])],
        }

    def stopped(self, reader: Reader) -> Stopped:
        """What the planner has to know. What was left counts for as long as it is there."""
        plan, at = self.apply.plan, self.uncertain or next(iter(self.rest), None)
        recorded = _said(self.apply, "left")
        left = reader.left_by(at) if recorded and at else None
        if left is not None and left != Left(**recorded):
            left = None
        begun = self.chain[0].plan
        return Stopped(self.apply.apply_id, begun, plan, self.ran, self.rest, self.uncertain, left)


def part_way(ledger: Ledger, live: Where) -> PartWay | None:
    """The apply that stopped part way on this target, unless the target was brought elsewhere since."""
    newest = next(
        (a for a in applies_back(ledger, live.target) if a.outcome and a.outcome["status"] != "failed"),
        None,
    )
    if newest is None or newest.outcome is None or newest.outcome["status"] != "partially_applied":
        return None
    found = PartWay(tuple(reversed(list(_chain(ledger, newest)))))
    return None if _moved(found, live) else found


def refuse_part_way(found: PartWay | None, plan: Plan | None = None) -> None:
    """Refuse whatever does not go on from here. Raises: PlanStaleError."""
    if found is None or (plan and plan.resumes and plan.resumes.apply_id == found.apply.apply_id):
        return
    done = len(found.apply.plan.statements) - len(found.rest)
    raise PlanStaleError(
        f"{found.apply.apply_id} stopped part way: {done} statements of it stand or may stand.",
        hint='Nothing ran. Call migration_plan with to: "finish" for the statements that did not run, or with '
        'to: "undo" to take back those that did.',
        part_way=found.shown(),
    )


def plan_from(database: Database, live: Live, found: PartWay, direction: str) -> Plan:
    """The plan that finishes, or takes back.

    Raises:
        PlanStaleError: the target is not where that apply stopped. RenderFailedError: there is no such way.
    """
    begun, resumes = found.chain[0].plan, found.apply.plan.resumes
    if direction == UNDO and resumes is not None and resumes.direction == UNDO:
        raise RenderFailedError(
            f"{found.apply.apply_id} was taking back already.", hint='Plan with to: "finish" to take back the rest.'
        )

    @contextmanager
    def fresh() -> Iterator[Scratch]:
        made = any(s.kind == "version" and s.sql.lstrip().upper().startswith("CREATE") for s in begun.statements)
        table = None if made else begun.version_table
        with database.project.standing_at(database.dialect, database.url, begun.from_revision, table) as scratch:
            yield scratch

    with database.reader() as reader:
        stopped = found.stopped(reader)
    ground = Ground(database.dialect, database.url, live.schema, live.revision, fresh)
    return finish(stopped, ground) if direction == FINISH else undo(stopped, ground)


def _chain(ledger: Ledger, newest: Apply) -> Iterator[Apply]:
    """The newest first; each plan says which apply it went on with."""
    apply: Apply | None = newest
    while apply is not None:
        yield apply
        resumes = apply.plan.resumes
        apply = find_apply(ledger, resumes.apply_id) if resumes else None


def _moved(found: PartWay, live: Where) -> bool:
    """Whether a person brought the target to a revision by hand: to the end of the plan, or back to where it began."""
    begun, plan = found.chain[0].plan, found.apply.plan
    here = (live.revision, live.shape)
    if (begun.from_revision, begun.base_fingerprint) == (plan.to_revision, plan.expected_fingerprint):
        return False  # it changes rows alone, so that the schema never shows where it is
    if here == (plan.to_revision, plan.expected_fingerprint):
        return True
    if here == (begun.from_revision, begun.base_fingerprint):
        may_stand = [*found.ran, *([found.uncertain] if found.uncertain else [])]
        changed = [s for s in may_stand if s.kind == "change"]
        return bool(changed) and all(map(only_on_the_schema, changed))
    known = {begun.from_revision, plan.from_revision, plan.to_revision, *(s.revision for s in begun.statements)}
    return live.revision not in known


def _said(apply: Apply, name: str, default: Any = None) -> Any:
    """What the outcome says: of an apply that failed in its details, of a settled one beside its status."""
    outcome = apply.outcome or {}
    return outcome.get("details", outcome).get(name) or default


def _told(statement: Statement) -> Mapping[str, Any]:
    sql = " ".join(statement.sql.split())
    return {"n": statement.n, "revision": statement.revision, "sql": sql[:200]}


def _call(target: str, way: str) -> Mapping[str, Any]:
    return {"tool": "migration_plan", "arguments": {"target": target, "to": way}}
