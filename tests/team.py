"""A team's server in a process of its own, the issuer it believes, and clients with tokens."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.command import COMMAND
from tests.server.issuer import NAME, Issuer
from tests.world import INTENT, Agent, World


@dataclass(frozen=True)
class Team:
    """One running server of a team."""

    process: subprocess.Popen[str]
    issuer: Issuer
    port: int
    planned: str = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return httpx2.get(self.url + path, headers=headers, timeout=60)

    def post(self, body: bytes = b"{}", /, *, path: str = "/mcp", **headers: str) -> httpx2.Response:
        """A request by hand; underscores in the names of headers are hyphens."""
        said = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.post(self.url + path, content=body, headers={**said, **named}, timeout=60)

    @asynccontextmanager
    async def agent(self, token: str | None = None, *, mode: str = "auto", **options: Any) -> AsyncIterator[Agent]:
        """A client with a token, in one era or the other."""
        headers = {"authorization": f"Bearer {token or self.issuer.token()}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
            async with Client(transport, mode=mode, **options) as client:
                yield Agent(client, self.planned)

    def stop(self) -> int:
        """Ask it to end as a service manager does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def for_a_team(world: World, issuer: Issuer, url: str, **oauth: Any) -> None:
    """Say in the configuration how a team is served at `url`, and let the issuer make tokens for it."""
    key = world.folder / "state.key"
    key.write_text("k" * 40)
    said = {"issuer": NAME, "jwks": issuer.url, **oauth}
    http = {"url": url, "state_keys": [f"${{file:{key}}}"], "oauth": said}
    world.configure(lambda config: config.update(http=http, review={"url": url}))
    issuer.audience = f"{url}/mcp"


@contextmanager
def serving(
    world: World, issuer: Issuer, *, port: int | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Team]:
    """The server of a configuration that `for_a_team` made, or one of its replicas."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--http", f"127.0.0.1:{port or 0}", "--config", world.config],
        cwd=Path(__file__).parents[1],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None:
            raise TypeError("it has no output")
        line = process.stdout.readline()
        try:
            yield Team(process, issuer, int(line.rstrip(".\n").rpartition(" ")[2]), world.planned)
        finally:
            process.kill()


async def paused(agent: Agent, plan_id: str, state: str | None = None) -> Any:
    """Apply by hand, as a client that drives the rounds of a paused call itself."""
    arguments = {"intent": INTENT, "plan_id": plan_id}
    answers: types.InputResponses | None = {"review": types.ElicitResult(action="accept")} if state else None
    return await agent.client.session.call_tool(
        "migration_apply", arguments, input_responses=answers, request_state=state, allow_input_required=True
    )


async def shown(_context: Any, _asked: Any) -> types.ElicitResult:
    """A client that can show addresses."""
    return types.ElicitResult(action="accept")
