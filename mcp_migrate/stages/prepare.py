"""What would this call do? Asked of the tool, which may only read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.keys import Keys
from mcp_migrate.errors import NotPermittedError
from mcp_migrate.model import Call, Granted, Prepared
from mcp_migrate.tools.interface import Database, Tool, Workbench
from mcp_migrate.tools.reconciling import refuse_unexplained


def locate(call: Call, tool: Tool, bench: Workbench) -> Call:
    """The call with the target it is about: from its arguments and the ledger, before anything else is read."""
    return replace(call, target=tool.target_of(call.arguments, bench))


def opened_with(keys: Keys, tool: Tool, bench: Workbench) -> Workbench:
    """The bench on which each target is opened with a credential of this call, when it is first read."""
    purpose = Purpose.READ if tool.only_looks else Purpose.PLAN

    def open_database(name: str) -> Database:
        return replace(bench.open_database(name), opening=partial(keys.url, name, purpose))

    return replace(bench, open_database=open_database)


def prepare(granted: Granted, tool: Tool, bench: Workbench) -> Prepared:
    """Let the tool look at its target and say what it would do.

    Raises:
        NotPermittedError: it planned for another target than the one the scopes were checked on.
        UnreconciledError: somebody has to sign first for what changed the target without being on the record.
    """
    prepared = tool.prepare(granted, bench)
    if prepared.plan is not None and prepared.plan.target != granted.call.target:
        raise NotPermittedError(
            f"{granted.call.tool} planned for {prepared.plan.target}, the call is about {granted.call.target}.",
            hint="This is a defect of the tool; report it to its author.",
        )
    if prepared.plan is not None and prepared.work is not None and prepared.schema is not None:
        refuse_unexplained(bench.ledger, bench.settings, prepared.plan, prepared.schema)
    return prepared
