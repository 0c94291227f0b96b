"""Where is the record to be kept? Moving it to another database, and what an administrator runs there first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from mcp_migrate.ledger.moving import move as move_ledger
from mcp_migrate.ledger.postgresql.place import SCHEMA, checked, grants_sql, schema_sql
from mcp_migrate.settings.references import resolve

_URL = "sqlite:///PATH or postgresql://USER@HOST/NAME; secrets as ${env:NAME} or ${file:PATH}."


def move(
    source: Annotated[str, typer.Argument(metavar="FROM", help=f"Where it is: {_URL}")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Where it is to go on, empty or not there yet.")],
) -> None:
    """Have the ledger go on in another database, as the same tree, verified before and after.

    The old one gets a last entry that says where it went, and takes nothing more: stop its servers first.
    """
    urls = [resolve(url) for url in (source, target)]
    head = move_ledger(urls[0], urls[1], at=datetime.now(UTC))
    print(f"Moved {head.size} entries, root {head.root}; the old ledger takes no more of them.")
    print("Now set `ledger` in the configuration to the new one, and run `mcp-migrate ledger verify`.")


def sql(
    role: Annotated[str | None, typer.Option(help="The login of the server, which may then read and append.")] = None,
    schema: Annotated[str, typer.Option(help="The schema, as `?schema=` in the ledger's URL names it.")] = SCHEMA,
) -> None:
    """Print what makes an empty ledger in a PostgreSQL database, for whoever owns that database to run."""
    print(schema_sql(checked(schema, "schema")), end="")
    if role is not None:
        print(grants_sql(schema, checked(role, "role")), end="")
