"""A small world for tests through a real client: the shop project, its reviewers, its agents, its ledger."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from mcp import Client, StdioServerParameters

from mcp_migrate.__main__ import identified, load_settings, main
from mcp_migrate.anchors.keeper import Keeper
from mcp_migrate.anchors.keys import verifier_keys
from mcp_migrate.cli.demo_project import make_project
from mcp_migrate.evidence.checking import Evidence, check
from mcp_migrate.evidence.making import make
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.server.app import build_server
from mcp_migrate.server.calls import Calls
from mcp_migrate.server.who import always
from mcp_migrate.settings.anchoring import Checkpoints
from mcp_migrate.signers.sign import generate_key
from mcp_migrate.wiring import Wiring
from tests.command import COMMAND

INTENT = "Bring the shop to where it should be"


@dataclass
class Agent:
    """One connected client and what it was answered. `planned` is as in its world."""

    client: Client
    planned: str = ""

    async def call(self, name: str, /, *, intent: str = INTENT, **arguments: Any) -> Mapping[str, Any]:
        """The structured answer, also of a refusal."""
        result = await self.client.call_tool(name, {"intent": intent, **arguments})
        answer: Mapping[str, Any] = result.structured_content
        assert result.is_error == ("code" in answer)
        return answer

    async def plan_and_apply(self, to: str = "head") -> Mapping[str, Any]:
        plan = await self.call("migration_plan", target="shop", to=to)
        return await self.call("migration_apply", plan_id=plan["plan_id"])


def proved(ledger: Ledger, apply_id: str, folder: Path, **more: Any) -> Evidence:
    """The evidence of an apply, made and checked as somebody does who has the file and the log's key."""
    key = folder / "proving_key"
    if not key.exists():
        generate_key(key)
    told = Checkpoints.model_validate({"origin": "shop.example/ledger", "key": {"file": str(key)}, **more})
    keeper = Keeper(told, ledger, lambda: datetime.now(UTC))
    return check(make(ledger, keeper, apply_id), keeper.keys(), verifier_keys(told.cosigners))


class World:
    """The shop in a folder. Its database stands at revision ``a1`` and holds rows; ``b2`` adds a column and ``c3``
    drops one. `planned` is the plan that `prepare` made."""

    planned: str = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, Any] = {}
        self.keys = {"grace": folder / "grace_key", "agent": folder / "agent_key"}
        public = {name: generate_key(path) for name, path in self.keys.items()}
        self.config = make_project(folder, reviewer_key=f"{public['grace'].line} grace")

    def prepare(self, *applied: str, plan: str) -> World:
        """Have an agent apply some revisions and plan another: for a world that is copied for each test."""

        async def go() -> None:
            async with self.agent() as agent:
                for revision in applied:
                    assert (await agent.plan_and_apply(revision))["status"] == "applied"
                self.planned = (await agent.call("migration_plan", target="shop", to=plan))["plan_id"]

        anyio.run(go)
        return self

    def copied(self, folder: Path) -> World:
        """The same world in another folder, with all that happened in it."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        other = copy(self)
        other.folder, other.config, other.known = folder, folder / self.config.name, {}
        other.keys = {name: folder / key.name for name, key in self.keys.items()}
        return other

    @property
    def database(self) -> Path:
        return self.folder / "shop.db"

    def enroll(self, name: str, *, groups: tuple[str, ...] = ("dba",), email: str | None = None) -> Path:
        """Add a reviewer with a key of their own to the configuration."""
        path = self.folder / f"{name}_key"
        key = generate_key(path)
        entry = {"ssh_keys": [key.line], "groups": list(groups), "email": email or f"{name}@example.com"}
        self.configure(lambda value: value["reviewers"].update({name: entry}))
        self.keys[name] = path
        return path

    def configure(self, change: Any) -> None:
        """Change the configuration file."""
        value = yaml.safe_load(self.config.read_text())
        change(value)
        self.config.write_text(yaml.safe_dump(value, sort_keys=False))

    def write_revision(self, revision: str, down: str | None, upgrade: str, downgrade: str = "pass") -> Path:
        """Add a revision to the project."""
        path = self.folder / "migrations" / "versions" / f"{revision}_test.py"
        body = (
            f'"""{revision}"""\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
            f"revision = {revision!r}\ndown_revision = {down!r}\n\n\n"
            f"def upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    {downgrade}\n"
        )
        path.write_text(body)
        return path

    def write_slow_revision(self) -> None:
        """Add revision ``s1``, whose apply takes a second or two."""
        numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 2000000) SELECT n FROM c"
        self.write_revision(
            "s1",
            "a1",
            'op.create_table("big", sa.Column("n", sa.Integer()))\n    op.execute("INSERT INTO big ' + numbers + '")',
            'op.drop_table("big")',
        )

    @asynccontextmanager
    async def agent(
        self,
        principal: str = "agent:demo",
        *,
        mode: str = "auto",
        pages: bool = False,
        knowing: bool = False,
        token: Path | None = None,
        grants: Sequence[Path] = (),
        **options: Any,
    ) -> AsyncIterator[Agent]:
        """A client of the real server, in this process; `pages` serves those of reviewers as well.

        A `knowing` one remembers of the project what the one before it saw, as only a server that lives on does.
        Production is vouched for, unless a test pins keys itself.
        """
        self.vouch_for_production()
        wiring = Wiring(load_settings(self.config), serves_pages=pages, pinned_in=[self.pinned])
        if knowing:
            wiring.databases.known = self.known
        caller = identified(wiring, principal, token, grants)
        server = build_server(wiring.registry, wiring, always(caller), Calls())
        async with Client(server, mode=mode, **options) as client:
            yield Agent(client, self.planned)

    def stdio(self, *words: str) -> StdioServerParameters:
        """How a client starts the real server."""
        return StdioServerParameters(
            command=COMMAND[0],
            args=[*COMMAND[1:], "serve", "--config", str(self.config), *words],
            env={name: value for name, value in os.environ.items() if name.startswith(("COVERAGE_", "PYTHONPATH"))},
            cwd=self.folder,
        )

    @asynccontextmanager
    async def stdio_agent(self, *words: str, mode: str = "auto", **options: Any) -> AsyncIterator[Agent]:
        """A client of the real server in a process of its own."""
        async with Client(self.stdio(*words), mode=mode, **options) as client:
            yield Agent(client, self.planned)

    @property
    def pinned(self) -> Path:
        """Where keys are pinned that vouch for the configuration, for whoever is asked in this process."""
        return self.folder / "trusted_keys"

    def vouch_for_production(self) -> None:
        """Nothing changes a production target by a configuration that nobody vouches for."""
        if "tier: production" in self.config.read_text() and not self.pinned.exists():
            self.vouch()

    def vouch(self) -> None:
        """Sign the configuration as it is now with a key that is pinned."""
        if "vouching" not in self.keys:
            self.keys["vouching"] = self.folder / "vouching_key"
            self.pinned.write_text(f"{generate_key(self.keys['vouching']).line}\n")
        assert self.here("config", "sign", "--key", str(self.keys["vouching"])).returncode == 0

    def launch(self, principal: str, *words: str) -> Path:
        """A launch token of `principal`, signed by the admin, in a file of ours alone."""
        done = self.here("launch-token", principal, "--key", str(self.keys["admin"]), *words)
        assert done.returncode == 0, done.stderr
        path = self.folder / f"{principal.replace(':', '_')}.token"
        path.touch(mode=0o600)
        path.write_text(done.stdout)
        return path

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of our commands as a person would."""
        return subprocess.run(
            [*COMMAND, *words, "--config", str(self.config)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def approvals(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of our commands on approvals in this process."""
        return self.here("approvals", *words)

    def here(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of our commands in this process: the same code, without its start."""
        said, wrong = io.StringIO(), io.StringIO()
        line = [*words, "--config", str(self.config)]
        with redirect_stdout(said), redirect_stderr(wrong), pytest.raises(SystemExit) as ended:
            main(line)
        code = ended.value.code
        return subprocess.CompletedProcess(
            line, code if isinstance(code, int) else 0, said.getvalue(), wrong.getvalue()
        )

    def sign(self, request_id: str, *more: str, by: str = "grace", verdict: str = "approve") -> None:
        """Let a reviewer decide on the command line, with `more` on it."""
        words = ["--reason", "not like this", *more] if verdict == "deny" else more
        done = self.approvals(verdict, request_id, "--key", str(self.keys[by]), *words)
        assert done.returncode == 0, done.stderr

    def events(self, kind: Kind | None = None) -> tuple[Event, ...]:
        """What the ledger holds."""
        ledger = Ledger.open(f"sqlite:///{self.folder}/.mcp-migrate/ledger.db")
        try:
            return ledger.read(kind=kind, limit=10_000)
        finally:
            ledger.close()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the shop's database directly."""
        with sqlite3.connect(self.database) as database:
            rows = database.execute(sql).fetchall()
        database.close()
        return rows

    def columns(self, table: str) -> set[str]:
        return {row[1] for row in self.query(f"PRAGMA table_info({table})")}
