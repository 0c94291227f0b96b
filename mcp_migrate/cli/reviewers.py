"""Who may decide?"""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Who may decide."""


@app.command("list")
def list_reviewers(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the enrolled reviewers with their groups and the fingerprints of their keys."""
    from mcp_migrate.signers.keys import parse_public_key
    from mcp_migrate.signers.passkey import parse_passkey

    reviewers = {
        name: {
            "groups": list(reviewer.groups),
            "keys": [parse_public_key(line).fingerprint for line in reviewer.ssh_keys]
            + [parse_passkey(line).fingerprint for line in reviewer.passkeys],
        }
        for name, reviewer in wire(config_file).settings.reviewers.items()
    }
    if as_json:
        print_json(reviewers)
        return
    for name, reviewer in reviewers.items():
        print(f"{safe(name)}  {', '.join(reviewer['groups']) or '-'}  {'  '.join(reviewer['keys'])}")
    if not reviewers:
        print("Nobody is enrolled: whatever needs approval cannot happen.")


@app.command()
def enroll(
    name: Annotated[str, typer.Argument(help="The reviewer, as the configuration names them.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    config_file: ConfigOption = None,
) -> None:
    """Open the page on which NAME makes a passkey; an admin then adds the line it shows to the configuration."""
    from mcp_migrate.web.enrolling import known
    from mcp_migrate.web.serving import open_pages

    known(name)
    wiring = wire(config_file)
    pages = open_pages(wiring.settings, wiring.ledger, port=port)
    print(f"{name} makes the passkey at {pages.origin}/enrol/{name}", flush=True)
    pages.serve()
