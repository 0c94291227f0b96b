"""What would this call do? Asked of the tool, which may only read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.keys import Keys
from mcp_migrate.brokers.sealing import refuse_unsealable
from mcp_migrate.errors import NotPermittedError
from mcp_migrate.model import Call, Granted, Prepared
from mcp_migrate.tools.in_the_way import refuse_in_the_way
from mcp_migrate.tools.interface import Database, Tool, Workbench
from mcp_migrate.tools.live import Start
from mcp_migrate.tools.reconciling import refuse_unexplained, since_it_began
from mcp_migrate.tools.whose import refuse_others, taken_back


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
        NotPermittedError: it planned for another target than the one the scopes were checked on, or takes back what
            another workflow applied.
        PlanStaleError, ValidationFailedError: something unfinished stands there, on which this does not go on.
        NotSealableError: its target runs only sealed plans, and this can be none.
        UnreconciledError: somebody has to sign first for what changed the target without being on the record.
    """
    prepared = tool.prepare(granted, bench)
    plan = prepared.plan
    if plan is None:
        return prepared
    if plan.target != granted.call.target:
        raise NotPermittedError(
            f"{granted.call.tool} planned for {plan.target}, the call is about {granted.call.target}.",
            hint="This is a defect of the tool; report it to its author.",
        )
    refuse_unsealable(plan, bench.settings.target(plan.target))
    if prepared.work is None or prepared.schema is None:
        return prepared
    if plan.goes_back:
        refuse_others(taken_back(bench.ledger, plan), granted)
    starts = Start(plan.target, plan.from_revision, plan.base_fingerprint)
    refuse_in_the_way(bench.ledger, starts, plan=plan, goes_back=prepared.goes_back)
    if plan.resumes is None:
        refuse_unexplained(bench.ledger, bench.settings, plan, prepared.schema)
        return prepared
    return replace(prepared, subject={**prepared.subject, **since_it_began(bench.ledger, plan, prepared.schema)})
