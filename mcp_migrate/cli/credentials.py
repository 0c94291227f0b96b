"""What has to be there before steps can have credentials of their own?"""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_migrate.brokers.roles import roles_sql
from mcp_migrate.cli.common import ConfigOption, wire
from mcp_migrate.errors import ConfigInvalidError

app = typer.Typer(no_args_is_help=True)


@app.callback()
def credentials() -> None:
    """Keep `sql` a word of its own: more may come."""


@app.command()
def sql(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A target with the broker postgres-role.")],
    broker: Annotated[str | None, typer.Option(help="The broker's own role (default: by the owner's name).")] = None,
    database: Annotated[str | None, typer.Option(help="What the database is called, for the comment.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Print what an admin of the server runs once, so that a role can be made for each step. Nothing is run here."""
    given = wire(config_file).settings.target(target).credentials
    if given.broker != "postgres-role" or given.mint is not None or given.reader_role is None:
        raise ConfigInvalidError(
            f"The steps of {target} are not given roles by `postgres-role` with a `reader_role`.",
            hint="docs/credentials.md says what other ways need.",
        )
    stem = str(given.owner_role).removesuffix("_owner")
    names = {"owner": str(given.owner_role), "reader": given.reader_role, "broker": broker or f"{stem}_broker"}
    print(roles_sql(**names, database=database or stem), end="")
