"""What can agents ask for?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, wire
from mcp_migrate.tools.specs import load, read_spec

app = typer.Typer(no_args_is_help=True)


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
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Specs; the built-in ones without.")] = None,
) -> None:
    """Check tool specs, parameters' JSON Schema included."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    specs = [read_spec(path) for path in files] if files else [tool.spec for tool in load(())]
    for spec in specs:
        try:
            Draft202012Validator.check_schema(spec.input_schema)
            Draft202012Validator.check_schema(spec.output)
        except SchemaError as error:
            print(f"{spec.name}: its JSON Schema does not hold: {error.message}")
            raise typer.Exit(1) from error
    print(f"{len(specs)} tool specs hold.")
