"""Does the configuration hold, and what does it allow?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, wire
from mcp_migrate.cli.config_diff import diff
from mcp_migrate.cli.simulate import simulate
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.leave.alone import alone
from mcp_migrate.model import Caller
from mcp_migrate.settings import Settings
from mcp_migrate.settings.networks import known_address

app = typer.Typer(no_args_is_help=True)
app.command()(simulate)
app.command()(diff)


@app.command()
def check(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check the configuration; each problem with file, line, column and a suggestion."""
    from mcp_migrate.settings import render

    try:
        wiring = wire(config_file)
        tools = [tool.spec.name for tool in wiring.registry]
        _check_keys(wiring.settings)
    except ConfigInvalidError as error:
        problems = error.details.get("problems", ())
        if as_json:
            print_json({"ok": False, "message": error.sentence, "problems": list(problems)})
        else:
            print(render(problems) if problems else str(error))
        raise typer.Exit(1) from error
    settings = wiring.settings
    result = {
        "ok": True,
        "file": str(settings.path) if settings.path else None,
        "profile": "configuration" if settings.path else "local",
        "digest": settings.digest,
        "targets": {name: target.tier for name, target in settings.targets.items()},
        "workflows": {name: workflow.owner.name for name, workflow in settings.workflows.items()},
        "reviewers": sorted(settings.reviewers),
        "tools": tools,
    }
    if as_json:
        print_json(result)
        return
    print(
        f"{result['file'] or 'local profile'} holds: {len(settings.targets)} targets, "
        f"{len(settings.workflows)} workflows, {len(settings.reviewers)} reviewers, {len(tools)} tools."
    )
    if not settings.reviewers and not settings.admins:
        print("Nobody is enrolled as a reviewer: whatever needs approval cannot happen.")


@app.command()
def explain(
    principal: Annotated[str, typer.Argument(help="Who calls.")],
    tool: Annotated[str | None, typer.Argument(help="One tool; every one without.")] = None,
    target: Annotated[str | None, typer.Argument(help="One target; every one without.")] = None,
    address: Annotated[str | None, typer.Option("--from", metavar="ADDRESS", help="Where it calls from.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a principal may do now, by which scope, and what would be needed."""
    wiring = wire(config_file)
    tools = [tool] if tool else [t.spec.name for t in wiring.registry]
    targets = [target] if target else sorted(wiring.settings.targets)
    now, caller = datetime.now(UTC), Caller(principal, address=_address(address))
    answers = [wiring.explain(caller, name, where, now) for name in tools for where in targets]
    by_target = {where: list(alone(wiring.settings, where, own=wiring.registry.changing)) for where in targets}
    if as_json:
        print_json([{**answer, "alone": by_target[answer["target"]]} for answer in answers])
        return
    for answer in answers:
        rule = answer["rule"][0] if answer["allowed"] else None
        why = f"by scope {rule['scope']}: {', '.join(rule['effects'])}" if rule else "; ".join(answer["needed"])
        print(f"{'allow' if answer['allowed'] else 'DENY '}  {answer['tool']} on {answer['target']}  ({why})")
    for where, who in by_target.items():
        print(f"alone  {'; '.join(who) or 'nobody'} could bring a change into {where} with nobody else's help")


def _address(said: str | None) -> str | None:
    if said is not None and known_address(said) is None:
        raise typer.BadParameter(f"{said!r} is no address, as 10.1.2.3 is", param_hint="--from")
    return known_address(said)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file."""
    from mcp_migrate.settings import json_schema

    print_json(json_schema())


def _check_keys(settings: Settings) -> None:
    from mcp_migrate.signers.roster import parse_key

    lines = (line for reviewer in settings.reviewers.values() for line in (*reviewer.ssh_keys, *reviewer.passkeys))
    for line in (*settings.admins, *lines):
        parse_key(line)
