"""What can agents ask for?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.accepting import accept
from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.tools.registry import Found, load, own_spec
from mcp_migrate.tools.specs import ToolSpec, read_spec

app = typer.Typer(no_args_is_help=True)
app.command()(accept)


@app.command("list")
def list_tools(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the tools with their scope and declared effects."""
    wiring = wire(config_file)
    specs, withheld = [tool.spec for tool in wiring.registry], wiring.pinning.withheld(look=True)
    if as_json:
        print_json([{**spec.model_dump(mode="json"), "withheld": spec.name in withheld} for spec in specs])
        return
    for spec in specs:
        until = "  withheld until its words are accepted" if spec.name in withheld else ""
        print(f"{spec.name:<20}  scope {spec.scope:<20}  {', '.join(spec.effects)}{until}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What agents call it, as forget_fax.")],
    python: Annotated[bool, typer.Option("--python", help="With a handler in Python, and a test of it.")] = False,
) -> None:
    """Write the spec of a tool to NAME.yaml in this folder, to be changed; never over one that is there."""
    from mcp_migrate.cli.new_tool import write

    files = write(name, Path.cwd(), python=python)
    print(
        f"Wrote {', '.join(file.name for file in files)}. Change it, try it with `mcp-migrate tools check "
        f"{files[0].name}`, then name its folder in `tool_specs`."
    )


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Specs; the built-in ones without.")] = None,
    target: Annotated[str | None, typer.Option(help="Run the examples on a scratch copy of this target.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Check tool specs: their schemas, their words, and what the statements of their examples do."""
    from mcp_migrate.cli.tool_examples import tried

    found = [Found(own_spec(read_spec(path), path), path) for path in files or ()] or [t.found for t in load({})]
    database = wire(config_file).open_database(target) if target else None
    problems: list[str] = []
    for each in found:
        problems += [f"{each.spec.name}: {problem}" for problem in (*_problems(each.spec), *tried(each, database))]
    for problem in problems:
        print(safe(problem))
    if problems:
        raise typer.Exit(1)
    print(f"{len(found)} tool specs hold.")
    if target is None and any(each.spec.examples for each in found):
        print(
            "Examples in SQL were judged as text alone, those in Python not at all: --target NAME runs both on a copy."
        )


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
