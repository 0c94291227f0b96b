"""What do the statements of a tool's examples do, and is that what its spec says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import MigrateError
from mcp_migrate.model import Effect
from mcp_migrate.tools.registry import Found, RegisteredTool

if TYPE_CHECKING:
    from mcp_migrate.model import Judgement, Plan, Statement
    from mcp_migrate.tools.handler_call import HandlerCall
    from mcp_migrate.tools.interface import Database
    from mcp_migrate.tools.live import Live
    from mcp_migrate.tools.source import Source
    from mcp_migrate.tools.specs import ToolSpec

Judged = tuple[str, "Statement", "Judgement"]
"""The name of a database or target, and what a statement does there."""


def tried(found: Found, database: Database | None) -> Iterator[str]:
    """What is wrong with the examples, each judged as text, or on a scratch copy of a target."""
    tool, spec = RegisteredTool(found), found.spec
    if spec.is_python and (problems := tuple(_unfit(found))):
        yield from problems
        return
    examples = spec.examples if spec.sql or (spec.is_python and database) else ()
    for number, example in enumerate(examples, 1):
        try:
            tool.check_arguments({"intent": "Trying an example", "target": "any", **example})
            judged = tuple(_on_target(found, example, database) if database else _alone(spec, example))
        except MigrateError as error:
            yield f"example {number}: {error.sentence}"
            continue
        yield from (f"example {number}: {line}" for line in _beyond(spec, judged, sure=database is not None))


def _beyond(spec: ToolSpec, judged: Sequence[Judged], *, sure: bool) -> Iterator[str]:
    known = {*spec.effects, Effect.READ} | (set() if sure else {Effect.UNKNOWN})  # a text alone proves little
    for name, statement, judgement in judged:
        if beyond := judgement.effects - known:
            yield (
                f"on {name} `{statement.sql}` is {', '.join(sorted(beyond))}, which `effects` does not say: "
                f"{judgement.why}"
            )


def _alone(spec: ToolSpec, example: Mapping[str, Any]) -> Iterator[Judged]:
    """The statements by their text, in each database they are for."""
    from mcp_migrate.dialects import dialect_for
    from mcp_migrate.rules import judge
    from mcp_migrate.tools.sql_tool import SqlTool

    tool = SqlTool(spec)
    for name in spec.dialects or ("postgresql", "sqlite", "mariadb"):
        statements = tool.statements(tool.arguments(example), dialect_for(name))
        judgements = judge(statements, dialect=name, schema=None)
        yield from zip([name] * len(statements), statements, judgements, strict=True)


def _on_target(found: Found, example: Mapping[str, Any], database: Database) -> Iterator[Judged]:
    """The statements of the plan that came of it on a scratch copy of the target."""
    from mcp_migrate.rules import judge
    from mcp_migrate.tools.live import read_live
    from mcp_migrate.tools.sql_tool import SqlTool

    live = read_live(database)
    if found.spec.is_python:
        plan = _declared(found, example, database, live)
    else:
        tool = SqlTool(found.spec)
        plan = tool.plan(tool.arguments(example), database, live)
    statements = plan.statements if plan else ()
    judgements = judge(statements, dialect=database.dialect.name, schema=live.schema)
    yield from zip([database.name] * len(judgements), statements, judgements, strict=True)


def _declared(found: Found, example: Mapping[str, Any], database: Database, live: Live) -> Plan | None:
    """The plan of what a handler declared, once both of its halves ran; None where it answered."""
    from mcp_migrate.handlers import Answer
    from mcp_migrate.tools.handler_call import HandlerCall
    from mcp_migrate.tools.own_plans import plan_for
    from mcp_migrate.tools.reading import Reading

    call = HandlerCall.of(found.spec, _source(found), example, database)
    with database.reader() as reader:
        said = call.said(Reading(found.spec.name, lambda _tables: None, database.dialect, live.schema, reader).rows)
    if isinstance(said.what, Answer):
        call.answered(said.what)
        return None
    plan = plan_for(call.own(said.what), database, live)
    if said.executes:
        with _scratch(call, plan, live) as run:
            call.execute(said.what, plan, run)
    return plan


@contextmanager
def _scratch(call: HandlerCall, plan: Plan, live: Live) -> Iterator[Callable[[Statement], int]]:
    """What sends the statements of a plan to a scratch copy of the target."""
    from mcp_migrate.dialects.interface import Limits
    from mcp_migrate.tools.own_plans import copy_of

    with (
        copy_of(call.database, live) as scratch,
        call.database.dialect.open_rehearsal(scratch, plan.statements, limits=Limits()) as writer,
    ):
        yield writer.run


def _unfit(found: Found) -> Iterator[str]:
    """Where the handler takes other arguments than the spec says, or cannot be loaded."""
    from mcp_migrate.migrations.cage.confinement import Confinement
    from mcp_migrate.tools.handler_call import handled

    try:
        loaded = handled(found.spec, _source(found), Confinement())
        fields: Mapping[str, bool] = loaded.ask("check_call", lambda _asked: None)["fields"]
    except MigrateError as error:
        yield error.sentence
        return
    parameters = found.spec.parameters
    named: Mapping[str, Any] = parameters.get("properties", {})
    for name in sorted(fields.keys() ^ named.keys()):
        yield f"{name} is in {'the handler' if name in fields else '`parameters`'} alone"
    for name in sorted(fields.keys() & named.keys()):
        given = name in parameters.get("required", ()) or "default" in named[name]
        if fields[name] and not given:
            yield f"{name} has to be given to the handler, and `parameters` neither requires it nor has a default"


def _source(found: Found) -> Source:
    from mcp_migrate.tools.source import Source

    return found.source or Source.read(found.file.parent)
