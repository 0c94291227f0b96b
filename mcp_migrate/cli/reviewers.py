"""Who may decide?"""

from __future__ import annotations

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

    reviewers = {
        name: {
            "groups": list(reviewer.groups),
            "keys": [parse_public_key(line).fingerprint for line in reviewer.ssh_keys],
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
