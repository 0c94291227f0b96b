"""What has to be there before steps can have credentials of their own?"""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_migrate.brokers.address import parse
from mcp_migrate.brokers.mysql_user import procedures_sql
from mcp_migrate.brokers.roles import roles_sql, sealed_sql
from mcp_migrate.cli.common import ConfigOption, wire
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings import Target
from mcp_migrate.settings.credentials import STORE, Credentials

app = typer.Typer(no_args_is_help=True)


@app.callback()
def credentials() -> None:
    """Keep `sql` a word of its own: more may come."""


@app.command()
def sql(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="With roles or accounts of steps.")],
    broker: Annotated[str | None, typer.Option(help="The broker (default: by the owner, or the URL).")] = None,
    database: Annotated[str | None, typer.Option(help="What the database is called (default: likewise).")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Print what an admin of the server runs once, so that steps can have roles or accounts. Nothing is run here."""
    found = wire(config_file).settings.target(target)
    given = found.credentials
    if given.broker == "mysql-user":
        print(_procedures(found, broker, database), end="")
    elif given.broker == "postgres-sealed":
        print(_sealed(given, broker, database), end="")
    elif given.broker == "postgres-role" and (given.mint is not None or given.reader_role is not None):
        print(_roles(given, broker, database), end="")
    else:
        raise ConfigInvalidError(
            f"The steps of {target} have neither roles by `postgres-role` with a `reader_role` or `mint`, nor accounts "
            "by `mysql-user`.",
            hint="docs/credentials.md says what other ways need.",
        )


def _roles(given: Credentials, broker: str | None, database: str | None) -> str:
    owner = str(given.owner_role)
    stem = owner.removesuffix("_owner")
    return roles_sql(
        owner=owner,
        reader=given.reader_role or f"{stem}_reader",
        broker=broker or f"{stem}_broker",
        database=database or stem,
        mint=given.mint,
    )


def _sealed(given: Credentials, runner: str | None, database: str | None) -> str:
    owner = str(given.owner_role)
    stem = owner.removesuffix("_owner")
    names = {name: f"{stem}_{name}" for name in ("keeper", "sealer")}
    more = {"owner": owner, "reader": str(given.reader_role), "runner": runner or f"{stem}_runner"}
    return sealed_sql({**names, **more, "store": STORE, "database": database or stem})


def _procedures(target: Target, broker: str | None, database: str | None) -> str:
    if broker is None or database is None:
        url = parse(target.resolved_url())
        broker, database = broker or str(url.username), database or str(url.database)
    return procedures_sql(mint=str(target.credentials.mint), database=database, broker=broker)
