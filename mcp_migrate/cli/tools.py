"""What can agents ask for?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.errors import ConfigInvalidError, MigrateError
from mcp_migrate.model import Effect
from mcp_migrate.tools.registry import Found, RegisteredTool, load
from mcp_migrate.tools.specs import ToolSpec, read_spec

if TYPE_CHECKING:
    from mcp_migrate.model import Judgement, Statement

app = typer.Typer(no_args_is_help=True)

_NEW = """\
# A tool of your own: docs/own-tools.md. Try it with `mcp-migrate tools check {file} [--target NAME]`.
name: {name}
title: {title}
description: Says in one or two sentences what it does, for people and models.
effects: [data, destructive]   # its statements may have no others
parameters:
  type: object
  properties:
    email: {{type: string}}
  required: [email]
# Values are bound, names are quoted: {{email}}, {{table:table}}, {{column:identifier}}.
sql: UPDATE customers SET fax = NULL WHERE email = {{email}}
# check: SELECT 1 FROM customers WHERE email = ''   # returns no rows before and after, or nothing is done
rollback: []                   # what else takes it back; rows that it loses come back by themselves
examples:                      # what `tools check` tries
  - {{email: ada@example.com}}
"""


@app.command("list")
def list_tools(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the tools with their scope and declared effects."""
    specs = [tool.spec for tool in wire(config_file).registry]
    if as_json:
        print_json([spec.model_dump(mode="json") for spec in specs])
        return
    for spec in specs:
        print(f"{spec.name:<20}  scope {spec.scope:<20}  {', '.join(spec.effects)}")


@app.command()
def new(name: Annotated[str, typer.Argument(help="What agents call it, as forget_fax.")]) -> None:
    """Write the spec of a tool in SQL to NAME.yaml in this folder, to be changed; never over one that is there."""
    file = Path(f"{name}.yaml")
    text = _NEW.format(name=name, file=file, title=name.replace("_", " ").capitalize())
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
        read_spec(file)
    except FileExistsError as error:
        raise ConfigInvalidError(f"{file} is there already.", hint="Choose another name.") from error
    except ConfigInvalidError:
        file.unlink()
        raise
    print(
        f"Wrote {file}. Change it, try it with `mcp-migrate tools check {file}`, then name its folder in `tool_specs`."
    )


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Specs; the built-in ones without.")] = None,
    target: Annotated[str | None, typer.Option(help="Run the examples on a scratch copy of this target.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Check tool specs: their schemas, their words, and what the statements of their examples do."""
    specs = [read_spec(path) for path in files] if files else [tool.spec for tool in load(())]
    problems = [f"{spec.name}: {problem}" for spec in specs for problem in _problems(spec)]
    for spec in specs:
        problems += [f"{spec.name}: {problem}" for problem in _tried(spec, target, config_file)]
    for problem in problems:
        print(safe(problem))
    if problems:
        raise typer.Exit(1)
    print(f"{len(specs)} tool specs hold.")
    if target is None and any(spec.examples for spec in specs):
        print("Their examples were judged as text alone; --target NAME runs them on a scratch copy of a target.")


def _problems(spec: ToolSpec) -> Iterator[str]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    from mcp_migrate.tools.lint import lint

    try:
        Draft202012Validator.check_schema(spec.input_schema)
        Draft202012Validator.check_schema(spec.output)
    except SchemaError as error:
        yield f"its JSON Schema does not hold: {error.message}"
    yield from lint(spec)


def _tried(spec: ToolSpec, target: str | None, config_file: Path | None) -> Iterator[str]:
    """What is wrong with the examples, each judged as text, or on a scratch copy of a target."""
    tool = RegisteredTool(Found(spec, Path(spec.name)))
    for number, example in enumerate(spec.examples if spec.sql else (), 1):
        try:
            tool.check_arguments({"intent": "Trying an example", "target": target or "any", **example})
            judged = _on_target(spec, example, target, config_file) if target else _alone(spec, example)
        except MigrateError as error:
            yield f"example {number}: {error.sentence}"
            continue
        for dialect, statement, judgement in judged:
            known = {*spec.effects, Effect.READ} | (set() if target else {Effect.UNKNOWN})  # a text alone proves little
            if beyond := judgement.effects - known:
                yield (
                    f"example {number}: on {dialect} `{statement.sql}` is {', '.join(sorted(beyond))}, which `effects` "
                    f"does not say: {judgement.why}"
                )


Judged = tuple[str, "Statement", "Judgement"]


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


def _on_target(spec: ToolSpec, example: Mapping[str, Any], target: str, config_file: Path | None) -> Iterator[Judged]:
    """The statements of the plan that came of it on a scratch copy of the target."""
    from mcp_migrate.rules import judge
    from mcp_migrate.tools.live import read_live
    from mcp_migrate.tools.sql_tool import SqlTool

    tool, database = SqlTool(spec), wire(config_file).open_database(target)
    live = read_live(database)
    plan = tool.plan(tool.arguments(example), database, live)
    judgements = judge(plan.statements, dialect=plan.dialect, schema=live.schema)
    yield from zip([target] * len(judgements), plan.statements, judgements, strict=True)
