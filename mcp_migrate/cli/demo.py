"""The whole story, with a real client, a real server and a real database, in a folder that is thrown away."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import typer
from rich.console import Console
from rich.markup import escape

from mcp_migrate.cli.common import safe
from mcp_migrate.cli.demo_project import ORDERS, make_project

if TYPE_CHECKING:
    from mcp import Client

_INTENT = "Bring the shop schema to the newest revision"


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder, to look around in it.")] = False,
) -> None:
    """Show the whole story on a scratch SQLite project, in under a minute, with nothing to set up."""
    from mcp_migrate.signers.sign import generate_key

    folder = Path(tempfile.mkdtemp(prefix="mcp-migrate-demo-")).resolve()
    try:
        public = generate_key(folder / "grace_key")
        config = make_project(folder, reviewer_key=f"{public.line} grace")
        anyio.run(_Demo(folder, config).tell)
    except* _DemoFailedError as group:
        print(f"The demo failed: {_first(group)}", file=sys.stderr)
        raise typer.Exit(1) from None
    finally:
        if keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder)


class _DemoFailedError(Exception):
    """The story did not go as it must."""


def _first(error: BaseException) -> BaseException:
    """The error inside the groups that task groups wrap around it."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


class _Demo:
    """Plays the agent and the reviewer, and says what happens."""

    def __init__(self, folder: Path, config: Path) -> None:
        self._folder = folder
        self._config = config
        self._out = Console(highlight=False, soft_wrap=True)
        self._chapter = 0

    async def tell(self) -> None:
        """Tell every chapter; raise when one does not end as it must."""
        from mcp import Client, StdioServerParameters

        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "mcp_migrate", "serve", "--config", str(self._config)],
            cwd=self._folder,
        )
        async with Client(server) as client:
            self._client: Client = client
            await self._look()
            await self._additive()
            apply_id = await self._destructive()
            await self._rollback(apply_id)
            await self._incident_downgrade()
            await self._incident_autogenerate()
        self._ledger()
        self._out.print("\n[bold green]✓ The demo is complete: governed, signed, exact, on the record.[/]")

    async def _look(self) -> None:
        self._title("The agent looks around")
        tools = await self._client.list_tools()
        self._say("agent", f"connects over stdio and finds {len(tools.tools)} tools")
        schema = await self._call("schema_read", target="shop")
        self._quote(schema["schema"])
        diff = await self._call("schema_diff", target="shop", against="head")
        self._say("server", diff["summary"])

    async def _additive(self) -> None:
        self._title("An additive change just runs")
        plan = await self._call("migration_plan", target="shop", to="b2")
        self._show(plan)
        done = await self._call("migration_apply", plan_id=plan["plan_id"])
        self._expect(done["status"] == "applied", done)
        self._say("server", f"applied: the shop is at {done['revision']}; no person was bothered")

    async def _destructive(self) -> str:
        self._title("A destructive change stops")
        plan = await self._call("migration_plan", target="shop", to="c3")
        self._show(plan)
        waiting = await self._call("migration_apply", plan_id=plan["plan_id"])
        self._expect(waiting["status"] == "approval_required", waiting)
        request = waiting["request_id"]
        self._say("server", f"approval required: {request}; nothing has run")
        await self._self_approval(plan["plan_id"], request)
        self._title("A person decides")
        self._quote(self._command("approvals", "show", request).stdout)
        signed = self._command("approvals", "approve", request, "--key", str(self._folder / "grace_key"))
        self._expect(signed.returncode == 0, signed.stderr)
        self._say("grace", signed.stdout.strip())
        done = await self._call("migration_apply", plan_id=plan["plan_id"])
        self._expect(done["status"] == "applied", done)
        self._say("server", f"exactly the signed statements ran: the shop is at {done['revision']}")
        return str(done["apply_id"])

    async def _self_approval(self, plan_id: str, request: str) -> None:
        from mcp_migrate.signers.sign import generate_key

        self._title("The agent tries to approve itself")
        generate_key(self._folder / "agent_key")
        forged = self._command(
            "approvals", "approve", request, "--as", "grace", "--key", str(self._folder / "agent_key")
        )
        self._expect(forged.returncode == 1, forged.stdout)
        self._say("server", f"refused: {forged.stderr.strip().splitlines()[0]}")
        again = await self._call("migration_apply", plan_id=plan_id)
        self._expect(again["status"] == "approval_required", again)
        self._say("agent", "asks again; it still waits")

    async def _rollback(self, apply_id: str) -> None:
        self._title("It can be rolled back")
        done = await self._call("migration_rollback", apply_id=apply_id)
        self._expect(done["status"] == "applied", done)
        self._say(
            "server",
            f"rolled back to {done['revision']}; the column is back with every value in it, as the plan had said",
        )

    async def _incident_downgrade(self) -> None:
        self._title('Incident: an agent downgrades to base "to verify"')
        stopped = await self._call(
            "migration_rollback", target="shop", to="base", intent="Verify that the downgrade works"
        )
        self._expect(stopped["status"] == "approval_required", stopped)
        self._expect(stopped["rows"].get("main.orders") == ORDERS, stopped)
        rows = ", ".join(f"{n} rows of {table}" for table, n in stopped["rows"].items())
        self._say("server", f"stopped; it would have destroyed {rows}")

    async def _incident_autogenerate(self) -> None:
        self._title('Incident: an autogenerated "add wish list" drops what the models do not know')
        plan = await self._call("migration_plan", target="shop", to="c3")
        request = (await self._call("migration_apply", plan_id=plan["plan_id"]))["request_id"]
        self._command("approvals", "approve", request, "--key", str(self._folder / "grace_key"))
        await self._call("migration_apply", plan_id=plan["plan_id"])
        made = await self._call("revision_create", target="shop", message="add wish list", source="models")
        self._say("agent", f"writes revision {made['revision']}: “add wish list”")
        refused = await self._call(
            "migration_plan", target="shop", expects={"effects": ["additive"]}, refusal="intent_exceeded"
        )
        for difference in refused["details"]["differences"]:
            self._say("server", f"refused: {safe(difference)}")
        drops = [s["why"] for s in refused["details"]["statements"] if "destructive" in s["effects"]]
        self._expect(bool(drops), refused)
        for why in drops:
            self._say("server", safe(why))

    def _ledger(self) -> None:
        self._title("The ledger tells, and shows tampering")
        verified = self._command("ledger", "verify")
        self._expect(verified.returncode == 0, verified.stdout)
        self._say("server", verified.stdout.strip())
        self._tamper()
        caught = self._command("ledger", "verify", config=self._folder / "tampered" / "mcp-migrate.yaml")
        self._expect(caught.returncode == 1, caught.stdout)
        self._say("server", "a copy in which one intent was rewritten: " + " ".join(caught.stdout.split()))

    def _tamper(self) -> None:
        copy = self._folder / "tampered"
        shutil.copytree(self._folder, copy, ignore=shutil.ignore_patterns("tampered"))
        with sqlite3.connect(copy / ".mcp-migrate" / "ledger.db") as database:
            names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for (name,) in names:
                database.execute(f'DROP TRIGGER "{name}"')
            database.execute("UPDATE events SET body = replace(body, 'Verify that', 'Grace said') WHERE seq > 3")
        database.close()

    async def _call(
        self, tool: str, *, intent: str = _INTENT, refusal: str | None = None, **arguments: Any
    ) -> Mapping[str, Any]:
        result = await self._client.call_tool(tool, {"intent": intent, **arguments})
        body: Mapping[str, Any] = result.structured_content
        code = body.get("code") if result.is_error else None
        self._expect(code == refusal, body)
        shown = ", ".join(f"{key}={value}" for key, value in arguments.items())
        self._say("agent", f"{tool}({shown})")
        return body

    def _command(self, *words: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  our own program with words of our own
            [sys.executable, "-m", "mcp_migrate", *words, "--config", str(config or self._config)],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def _show(self, plan: Mapping[str, Any]) -> None:
        self._say("server", plan["summary"])
        for statement in plan["statements"]:
            if statement.get("effects"):
                self._quote(f"{safe(statement['sql'].strip())}   [{', '.join(statement['effects'])}]")

    def _title(self, text: str) -> None:
        self._chapter += 1
        self._out.print(f"\n[bold]{self._chapter}. {escape(text)}[/]")

    def _say(self, who: str, what: str) -> None:
        colour = {"agent": "cyan", "server": "yellow", "grace": "green"}[who]
        self._out.print(f"  [{colour}]{who:>6}[/]  {escape(safe(what))}")

    def _quote(self, text: str) -> None:
        for line in text.rstrip().splitlines():
            self._out.print(f"          [dim]{escape(line)}[/]")

    def _expect(self, held: object, found: object) -> None:
        if not held:
            raise _DemoFailedError(f"the story broke off here: {found}")
