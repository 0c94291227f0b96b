"""A tool that a team wrote in Python: its handler says what it would do, and the server does that or nothing.

What it declares is planned, tried, judged, approved and kept like a tool in SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from mcp_migrate.handlers import Answer
from mcp_migrate.leave.stopped_tools import refuse_stopped
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.applies import run_plan
from mcp_migrate.tools.handler_call import HandlerCall
from mcp_migrate.tools.interface import Workbench, answer
from mcp_migrate.tools.live import read_live
from mcp_migrate.tools.own_plans import plan_for, prepared, refuse_dialect
from mcp_migrate.tools.reading import Reading, refuse_outside
from mcp_migrate.tools.source import Source

if TYPE_CHECKING:
    from mcp_migrate.tools.specs import ToolSpec


@dataclass(frozen=True, slots=True)
class PythonTool:
    """One spec whose `handler` is a class in the folder where the spec lies, as all of it was when it was read."""

    spec: ToolSpec
    source: Source

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Let the handler look, and plan what it declares; the target is only read."""
        database = bench.database(granted)
        refuse_dialect(self.spec, database)
        call = HandlerCall.of(self.spec, self.source, granted.call.arguments, database)
        refuse_stopped(self.spec.name, call.handled.source, bench.settings, bench.ledger)
        live = read_live(database, identify=True)
        with database.reader() as reader:
            refuse = partial(refuse_outside, granted, bench.settings)
            reading = Reading(self.spec.name, refuse, database.dialect, live.schema, reader)
            said = call.said(reading.rows)
        about = {"tool_source": call.handled.source, "summary": said.what.summary, "reads": sorted(reading.read)}
        if isinstance(said.what, Answer):
            return answer(granted, call.answered(said.what), about=about)
        plan = plan_for(call.own(said.what), database, live)
        work = partial(call.work, said.what) if said.executes else run_plan
        found = prepared(granted, self.spec, database, live, plan=plan, work=work, **about)
        return replace(found, objects=tuple(sorted(reading.read)))
