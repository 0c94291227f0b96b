"""What does the schema of a target look like? The same text that agents read."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, wire
from mcp_migrate.tools.live import read_live
from mcp_migrate.tools.schema_read import shown


def schema(
    target: Annotated[str, typer.Argument(help="A target of the configuration.")],
    tables: Annotated[
        list[str] | None, typer.Option(help="Globs on schema.table or table; give it again for more.")
    ] = None,
    detail: Annotated[Literal["names", "outline", "full"], typer.Option(help="How much of each table.")] = "outline",
    fingerprint: Annotated[bool, typer.Option("--fingerprint", help="Only the fingerprint.")] = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the live schema of a target."""
    database = wire(config_file).open_database(target)
    live = read_live(database)
    if fingerprint:
        print_json({"fingerprint": live.fingerprint}) if as_json else print(live.fingerprint)
        return
    page = shown(database, live, tables=tables or (), detail=detail, cursor=None, limit_chars=sys.maxsize)
    if as_json:
        print_json(page)
        return
    print(page["schema"])
    for line in page.get("unseen", ()):
        print(f"not seen: {line}", file=sys.stderr)
