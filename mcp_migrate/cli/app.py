"""Which commands are there?"""

from __future__ import annotations

from typing import Annotated

import typer

from mcp_migrate import __version__
from mcp_migrate.cli import (
    approvals,
    classify,
    config,
    credentials,
    delegate,
    demo,
    diff,
    doctor,
    freezing,
    init,
    launch,
    ledger,
    notify,
    plan,
    report,
    reviewers,
    rules,
    schema,
    seal,
    status,
    tokens,
    tools,
    undo,
    vouching,
)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
app.add_typer(approvals.app, name="approvals", help="What waits for people, and deciding on it.")
app.add_typer(config.app, name="config", help="Check and explain the configuration.")
app.add_typer(credentials.app, name="credentials", help="What steps open targets with.")
app.add_typer(ledger.app, name="ledger", help="Read and verify the record.")
app.add_typer(notify.app, name="notify", help="How people are reached.")
app.add_typer(reviewers.app, name="reviewers", help="Who may decide.")
app.add_typer(rules.app, name="rules", help="How statements are judged.")
app.add_typer(tokens.app, name="tokens", help="Launch tokens and grants that hold.")
app.add_typer(tools.app, name="tools", help="What agents can ask for.")
app.add_typer(undo.app, name="undo", help="What is kept for rollbacks.")
config.app.command("sign")(vouching.sign)
app.command("classify")(classify.classify)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("schema")(schema.schema)
app.command("diff")(diff.diff)
app.command("plan")(plan.plan)
app.command("seal")(seal.seal)
app.command("freeze")(freezing.freeze)
app.command("thaw")(freezing.thaw)
app.command("delegate")(delegate.delegate)
app.command("launch-token")(launch.launch_token)
app.command("status")(status.status)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)


@app.callback(invoke_without_command=True)
def top(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Let AI agents change database schemas under governance."""
    if version:
        print(f"mcp-migrate {__version__}")
        raise typer.Exit


@app.command("serve")
def serve() -> None:
    """Serve MCP on standard input and output (this is what clients start), or to a team over HTTP."""
    raise AssertionError("`serve` is started before this, with options of its own")
