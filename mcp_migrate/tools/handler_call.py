"""What does the handler of a tool say in one call, and how does it run once that is approved?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mcp_migrate.handlers import Answer, Declaration
from mcp_migrate.handlers import Statement as Declared
from mcp_migrate.migrations.cage.confinement import Confinement
from mcp_migrate.migrations.handled import Handled
from mcp_migrate.migrations.own import Own
from mcp_migrate.model import Approved, Effect, Plan, Statement
from mcp_migrate.tools.applies import applied
from mcp_migrate.tools.desk import Desk, frozen, mistake
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.sending import Sending
from mcp_migrate.tools.source import Source

if TYPE_CHECKING:
    from mcp_migrate.tools.specs import ToolSpec

_LONGEST_ANSWER = 48_000
"""Characters: clients cut what is longer."""


@dataclass(frozen=True, slots=True)
class Said:
    """What `prepare` of a handler said, and whether it has an `execute` of its own."""

    what: Answer | Declaration
    executes: bool


@dataclass(frozen=True, slots=True)
class HandlerCall:
    """The handler of a spec as it was read for this call, what the call gives it, and the target."""

    spec: ToolSpec
    handled: Handled
    given: Mapping[str, Any]
    database: Database

    @classmethod
    def of(cls, spec: ToolSpec, source: Source, arguments: Mapping[str, Any], database: Database) -> HandlerCall:
        """It runs by our own interpreter, behind the walls that the target's tier asks for."""
        confined = replace(database.project.confined, python=None, readable=())
        return cls(spec, handled(spec, source, confined), _given(spec, arguments), database)

    def said(self, rows: Callable[[Mapping[str, Any]], Any]) -> Said:
        """What it says when it is asked; `rows` answers its reads. Raises: ToolFailedError."""
        desk = Desk(self.spec.name, lambda what: self.database.progress(0, 1, what), {"read": rows})
        told = self.handled.ask("prepare_call", desk.answer, given=self.given, about=self._about)
        kind = Answer if told["kind"] == "answer" else Declaration
        try:
            said = Said(kind.model_validate(told["said"]), executes=told["executes"])
        except ValidationError as error:
            raise mistake(self.spec.name, "it declared what cannot be read") from error
        if isinstance(said.what, Declaration) and {*self.spec.effects} <= {Effect.READ}:
            raise mistake(self.spec.name, "it declared statements, and its spec says that it only reads")
        return said

    def own(self, said: Declaration) -> Own:
        """The statements as they will be sent. Raises: ToolFailedError, InvalidArgumentsError."""
        back = None if said.rollback is None else self._frozen(said.rollback)
        return Own(self._frozen(said.statements), back)

    def answered(self, said: Answer) -> Mapping[str, Any]:
        """Under names of its own, so that nothing of it poses as ours. Raises: ToolFailedError: it is too long."""
        if len(json.dumps(said.result, ensure_ascii=False)) > _LONGEST_ANSWER:
            raise mistake(self.spec.name, f"its answer has more than {_LONGEST_ANSWER:,} characters")
        return {"status": "answered", "summary": said.summary, "result": dict(said.result)}

    def work(self, said: Declaration, approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:
        """Do what was approved, as `execute` of the handler goes about it."""
        plan = approved.prepared.plan
        if plan is None:
            raise TypeError("there is no plan to run")
        self.execute(said, plan, run)
        return applied(approved)

    def execute(self, said: Declaration, plan: Plan, run: Callable[[Statement], int]) -> None:
        """Let it ask for the statements of a plan, each in turn. Raises: BeyondDeclaredError, ToolFailedError."""
        sending = Sending(self.handled, plan, self.database.dialect, run)
        desk = Desk(self.spec.name, partial(sending.told, self.database.progress), {"execute": sending.execute})
        declared = said.model_dump(mode="json", include={"statements", "notes"})
        self.handled.ask("execute_call", desk.answer, given=self.given, about=self._about, declared=declared)
        sending.finish()

    @property
    def _about(self) -> Mapping[str, str]:
        return {"target": self.database.name, "dialect": self.database.dialect.name}

    def _frozen(self, statements: Sequence[Declared]) -> tuple[Statement, ...]:
        found = []
        for declared in statements:
            try:
                sql, rows = frozen(declared, self.database.dialect)
            except ValueError as error:
                raise mistake(self.spec.name, str(error)) from error
            found.append(Statement(0, f"tool:{self.spec.name}", sql, rows, batches=declared.batches))
        return tuple(found)


def handled(spec: ToolSpec, source: Source, confined: Confinement) -> Handled:
    """The handler of a spec, from these files, behind these walls."""
    return Handled(spec.name, str(spec.handler), source.files, source.digest, confined, float(spec.deadline))


def _given(spec: ToolSpec, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is the tool's own of the arguments, with the defaults of the rest."""
    known: dict[str, Any] = spec.parameters.get("properties", {})
    defaults = {name: said["default"] for name, said in known.items() if "default" in said}
    return {**defaults, **{name: arguments[name] for name in known if name in arguments}}
