"""Does an applied migration still hold?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.applies import find_apply
from mcp_migrate.tools.interface import Workbench, answer
from mcp_migrate.tools.live import read_live


class MigrationValidate:
    """Compares the target with what the plan promised."""

    def target_of(self, arguments: Mapping[str, Any], bench: Workbench) -> str:
        """The target of the apply."""
        return find_apply(bench.ledger, arguments["apply_id"]).plan.target

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read the target once and check."""
        apply = find_apply(bench.ledger, granted.call.arguments["apply_id"])
        plan, live = apply.plan, read_live(bench.database(granted), plan=apply.plan)
        checks = [
            _check("outcome recorded", "applied", apply.outcome["status"] if apply.outcome else "in flight"),
            _check("revision", plan.to_revision or "base", ", ".join(live.revisions) or "base"),
        ]
        if plan.expected_fingerprint is not None:
            checks.append(_check("schema fingerprint", plan.expected_fingerprint, live.shape))
        return answer(granted, {"ok": all(check["ok"] for check in checks), "checks": checks})


def _check(name: str, expected: str, found: str) -> Mapping[str, Any]:
    ok = expected == found
    return {"name": name, "ok": ok, "detail": found if ok else f"expected {expected}, found {found}"}
