"""Does an applied migration still hold?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mcp_migrate.dialects.interface import Reader
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.schema.text import clean
from mcp_migrate.settings import Check
from mcp_migrate.tools.applies import Apply, find_apply
from mcp_migrate.tools.interface import Workbench, answer
from mcp_migrate.tools.live import Live, read_live

_SHOWN = 20
_COUNTED = 1_000
"""How far the rows of a project's own check are counted."""

_SECONDS = 10.0
"""How long one question about the database's own state may take."""

_AS_PLANNED = "constraints were checked on all rows"
"""A plan may leave a constraint unchecked on purpose: the expected fingerprint says whether it did."""


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
            checks += _healthy(reader, kept=live.shape == apply.plan.expected_fingerprint)
            checks += [_own(reader, check) for check in bench.settings.target(database.name).checks]
        return answer(granted, {"ok": all(check["ok"] for check in checks), "checks": checks})


def _promised(apply: Apply, live: Live) -> Iterator[Mapping[str, Any]]:
    """What the plan said, held against the target."""
    plan = apply.plan
    yield _same("outcome recorded", "applied", apply.outcome["status"] if apply.outcome else "in flight")
    yield _same("revision", plan.to_revision or "base", ", ".join(live.revisions) or "base")
    if plan.expected_fingerprint is not None:
        yield _same("schema fingerprint", plan.expected_fingerprint, live.shape)


def _healthy(reader: Reader, *, kept: bool) -> Iterator[Mapping[str, Any]]:
    """What the database knows of itself. With `kept`, the schema is the planned one to the letter."""
    for name, faults in reader.faults(seconds=_SECONDS).items():
        shown = "; ".join(clean(fault) for fault in faults[:_SHOWN]) + (" …" if len(faults) > _SHOWN else "")
        planned = kept and name == _AS_PLANNED and bool(faults)
        detail = f"left unchecked as planned: {shown}" if planned else shown or "yes"
        yield {"name": name, "ok": planned or not faults, "detail": detail}


def _own(reader: Reader, check: Check) -> Mapping[str, Any]:
    """A check of the project: how many rows it returned, never what is in them."""
    counted = reader.count_returned(check.sql, at_most=_COUNTED + 1, seconds=check.within)
    more = "more than " if counted.rows > _COUNTED else ""
    detail = f"returned {more}{min(counted.rows, _COUNTED)} rows, expected none" if counted.rows else "no rows"
    if counted.why_not is not None:
        detail = f"could not be asked: {clean(counted.why_not)}"
    return {
        "name": check.name,
        "ok": counted.why_not is None and not counted.rows,
        "detail": detail,
        "sql": check.sql,
    }


def _same(name: str, expected: str, found: str) -> Mapping[str, Any]:
    ok = expected == found
    return {"name": name, "ok": ok, "detail": found if ok else f"expected {expected}, found {found}"}
