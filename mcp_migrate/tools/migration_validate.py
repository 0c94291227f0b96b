"""Does an applied migration still hold?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mcp_migrate.dialects.checks import look, told
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.applies import Apply, find_apply
from mcp_migrate.tools.interface import Workbench, answer
from mcp_migrate.tools.live import Live, read_live


class MigrationValidate:
    """Compares the target with what the plan promised, and asks what the project and the database say of it."""

    def target_of(self, arguments: Mapping[str, Any], bench: Workbench) -> str:
        """The target of the apply."""
        return find_apply(bench.ledger, arguments["apply_id"]).plan.target

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read the target and check; nothing is changed."""
        apply = find_apply(bench.ledger, granted.call.arguments["apply_id"])
        database = bench.database(granted)
        live = read_live(database, plan=apply.plan)
        checks = list(_promised(apply, live))
        with database.reader() as reader:
            found = look(reader, bench.settings.target(database.name).checks)
        checks += told(found, kept=live.shape == apply.plan.expected_fingerprint)
        ok, failed = all(check["ok"] for check in checks), [check["name"] for check in checks if not check["ok"]]
        who = {"applied_by": apply.started.body.get("principal"), "validated_by": granted.call.principal}
        about = {"apply_id": apply.apply_id, "ok": ok, "failed": failed, **who}
        return replace(answer(granted, {"ok": ok, "checks": checks, **who}, about=about), validates=apply.apply_id)


def _promised(apply: Apply, live: Live) -> Iterator[Mapping[str, Any]]:
    """What the plan said, held against the target."""
    plan = apply.plan
    yield _same("outcome recorded", "applied", apply.outcome["status"] if apply.outcome else "in flight")
    yield _same("revision", plan.to_revision or "base", ", ".join(live.revisions) or "base")
    if plan.expected_fingerprint is not None:
        yield _same("schema fingerprint, but for owners and grants", plan.expected_fingerprint, live.shape)


def _same(name: str, expected: str, found: str) -> Mapping[str, Any]:
    ok = expected == found
    return {"name": name, "ok": ok, "detail": found if ok else f"expected {expected}, found {found}"}
