"""How does the live schema differ from models, revisions, another target or a plan? One page of it at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcp_migrate.approvals.limits import open_scopes
from mcp_migrate.errors import InvalidArgumentsError, NotPermittedError
from mcp_migrate.leave.delegation import not_handed_on
from mcp_migrate.leave.proving import refuse_unproven
from mcp_migrate.leave.scoping import asked, outside
from mcp_migrate.model import Granted, Plan, Prepared, digest
from mcp_migrate.schema import Change
from mcp_migrate.tools.comparing import Comparison, Others, compare, counts
from mcp_migrate.tools.interface import Database, Workbench, answer
from mcp_migrate.tools.plans import find_plan

_PAGE = 30_000
"""Characters of changes in one answer: clients cut results of about 50 kB."""


class SchemaDiff:
    """Reads the target, and whatever it is held against that the caller may read too."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Compare, on scratch databases; the target is only read."""

        def plan(plan_id: str) -> Plan:
            return find_plan(bench.ledger, plan_id, now=None)

        def database(name: str) -> Database:
            return _permitted(granted, bench, name)

        said = granted.call.arguments
        found = compare(bench.database(granted), said.get("against", "head"), Others(database, plan))
        return answer(granted, shown(found, tables=said.get("tables") or (), cursor=said.get("cursor")))


def shown(found: Comparison, *, tables: Sequence[str] = (), cursor: str | None = None) -> Mapping[str, Any]:
    """The JSON form of a comparison: one page of the changes of `tables`, after `cursor`.

    Raises:
        InvalidArgumentsError: `cursor` is not one of this comparison.
    """
    changes = found.about(tables)
    start = _start(changes, cursor)
    page = _page(changes[start:])
    end = start + len(page)
    return {
        "in_sync": found.in_sync,
        "against": found.against,
        "summary": found.summary,
        "direction": f"What would have to change in the live schema of {found.target} to become {found.against}.",
        "changes": page,
        "changes_total": len(found.changes),
        "changes_matching": len(changes),
        "counts": counts(changes),
        "next_cursor": f"{end}-{_mark(changes)}" if end < len(changes) else None,
        "hint": "Narrow with `tables` (globs on schema.table), or go on with `next_cursor`."
        if end < len(changes)
        else None,
    }


def _page(changes: Sequence[Change]) -> list[Mapping[str, Any]]:
    page: list[Mapping[str, Any]] = []
    room = _PAGE
    for change in changes:
        item = change.shown()
        room -= len(json.dumps(item)) + 2
        if page and room < 0:
            break
        page.append(item)
    return page


def _start(changes: Sequence[Change], cursor: str | None) -> int:
    if cursor is None:
        return 0
    place, _, mark = cursor.partition("-")
    if not (place.isascii() and place.isdecimal()) or mark != _mark(changes):
        raise InvalidArgumentsError(
            "That cursor belongs to another comparison, or the schema has changed.", hint="Compare again."
        )
    return int(place)


def _mark(changes: Sequence[Change]) -> str:
    """Which list of changes a cursor belongs to."""
    return digest([[c.kind, c.object, c.before, c.after] for c in changes]).partition(":")[2][:12]


def _permitted(granted: Granted, bench: Workbench, name: str) -> Database:
    """Another target, if the caller might have asked for that one itself, now and in this very way."""
    call = replace(granted.call, target=name)
    refuse_unproven(call.caller, name, bench.settings)
    what = asked(call, bench.settings, scope_name=granted.scope_name)
    scopes = bench.settings.workflows[granted.workflow].scopes
    now = open_scopes(call, bench.settings, bench.ledger, scope_name=granted.scope_name, now=call.at)
    covered = any(outside(scope, what, opened=index in now) is None for index, scope in enumerate(scopes))
    if not covered or not_handed_on(call.caller.grants, what):
        raise NotPermittedError(
            f"No scope of workflow {granted.workflow!r} lets {call.principal} read {name[:100]}.",
            hint=f"Ask {granted.owner} for a scope that names it.",
            missing={"tool": granted.scope_name, "target": name},
        )
    return bench.open_database(name)
