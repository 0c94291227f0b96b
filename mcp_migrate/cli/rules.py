"""Which rules judge statements, and what does one of them say?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mcp_migrate.cli.common import JsonOption, print_json
from mcp_migrate.errors import ConfigInvalidError

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_rules(as_json: JsonOption = False) -> None:
    """List every rule with its effects by database."""
    from mcp_migrate.rules.catalogue import catalogue

    rules = catalogue()
    if as_json:
        print_json([_facts(name) for name in rules])
        return
    for name, by_dialect in rules.items():
        said = "; ".join(f"{dialect}: {', '.join(sorted(rule.effects)) or '-'}" for dialect, rule in by_dialect.items())
        print(f"{name:<34}  {said}")


@app.command()
def show(rule: Annotated[str, typer.Argument(metavar="ID", help="Its id.")], as_json: JsonOption = False) -> None:
    """Show one rule: what it finds, why that matters, who waits, and the safer way."""
    from mcp_migrate.rules.catalogue import catalogue
    from mcp_migrate.rules.docs import entry
    from mcp_migrate.settings.problems import nearest

    if rule not in catalogue():
        hint = nearest(rule, catalogue()) or "`mcp-migrate rules list` shows them."
        raise ConfigInvalidError(f"There is no rule {rule[:80]!r}.", hint=hint)
    if as_json:
        print_json(_facts(rule))
        return
    print(entry(rule))


def _facts(name: str) -> dict[str, Any]:
    from mcp_migrate.rules.catalogue import catalogue
    from mcp_migrate.rules.docs import facts

    return {"id": name, "dialects": {dialect: facts(rule) for dialect, rule in catalogue()[name].items()}}
