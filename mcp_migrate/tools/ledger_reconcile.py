"""Does the record explain what a target is, and does somebody sign for what it does not explain?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.ledger import Ledger
from mcp_migrate.ledger.continuing import refuse_other
from mcp_migrate.model import Approved, Effect, Granted, Prepared, Statement
from mcp_migrate.tools.interface import Database, Workbench, answer
from mcp_migrate.tools.live import Live, read_live
from mcp_migrate.tools.part_way import part_way, refuse_part_way
from mcp_migrate.tools.reconciling import Unexplained, base_of, unexplained


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Asked by people, through the same door: no spec names it, so no client can call it.

    Whoever may plan on a target may ask. What is accepted is signed for as if it destroyed something.
    """

    scope: str = "migration_plan"
    only_looks: bool = False
    plans: bool = False
    by_people: bool = True

    def target_of(self, arguments: Mapping[str, Any], _bench: Workbench) -> str:
        return str(arguments["target"])

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Hold the target against the record. Raises: InvalidArgumentsError, PlanStaleError, LedgerCorruptError."""
        database, as_base = bench.database(granted), granted.call.arguments.get("accept_as_base", False)
        if bench.settings.target(database.name).marker:
            _refuse_other_record(database, bench.ledger)
        live = read_live(database, identify=True)
        refuse_part_way(part_way(bench.ledger, live))
        base = base_of(bench.ledger, live.target)
        found = unexplained(bench.ledger, live.target, live.revisions, live.schema)
        if base is None and as_base:
            return _accepting(granted, live, None)
        if as_base:
            raise InvalidArgumentsError(
                f"The record knows {live.target} already, as {base.name if base else ''} left it.",
                hint="Leave out --accept-as-base: what differs from that is signed for.",
            )
        if base is None:
            return answer(granted, _nothing(live))
        return _accepting(granted, live, found) if found else answer(granted, _explained(live, base.name))


def _refuse_other_record(database: Database, ledger: Ledger) -> None:
    """What the target became is nothing to sign for while it is the record that is another one."""
    with database.reader() as reader:
        refuse_other(ledger, reader.heads())


def _accepting(granted: Granted, live: Live, found: Unexplained | None) -> Prepared:
    """People are asked about exactly this schema and these differences."""
    told = found.shown() if found else None
    return Prepared(
        granted,
        purpose="reconcile",
        work=_accept,
        schema=live.schema,
        effects=frozenset({Effect.READ, Effect.DESTRUCTIVE} if found else {Effect.READ}),
        objects=tuple(dict.fromkeys(each.object.partition(" ")[2] for each in found.differences)) if found else (),
        subject={"reconciles": told, "fingerprint": live.fingerprint, "revision": ", ".join(live.revisions) or None},
        identity=live.identity,
    )


def _accept(approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:
    """Nothing is run: the record takes what was signed for as what the target is."""
    del run
    said = approved.prepared.subject
    action = {"action": "none", "hint": "From here on, what changes without a recorded apply is found."}
    return {
        "status": "accepted",
        "fingerprint": said["fingerprint"],
        "revision": said["revision"],
        "next": action,
    }


def _explained(live: Live, by: str) -> Mapping[str, Any]:
    action = {"action": "none", "hint": "There is nothing to sign for."}
    return {"status": "explained", "by": by, "fingerprint": live.fingerprint, "next": action}


def _nothing(live: Live) -> Mapping[str, Any]:
    hint = (
        f"Nothing that is on the record changed {live.target}, so there is nothing to explain. Its first apply is the "
        "base; --accept-as-base makes what it is now the base."
    )
    return {"status": "nothing_recorded", "fingerprint": live.fingerprint, "next": {"action": "none", "hint": hint}}
