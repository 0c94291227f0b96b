"""Serve a team, hand the suite's requests on with a token, and let it look at both protocol eras."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import uvicorn
from starlette.requests import Request
from starlette.responses import StreamingResponse

from mcp_migrate.server.http.serving import listen
from tests.server.issuer import issuing
from tests.team import for_a_team, serving
from tests.world import World

REVISIONS = ("2025-11-25", "2026-07-28")
_EXPECTED = Path(__file__).with_name("expected.yml")
_OF_THE_CONNECTION = frozenset({"connection", "transfer-encoding", "content-length"})


class Relay:
    """The suite cannot sign in, so what it sends gets a token here and is otherwise as it was."""

    def __init__(self) -> None:
        self.to, self.token = "", ""
        self._client = httpx2.AsyncClient(timeout=60)

    async def __call__(self, scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        request = Request(scope, receive)  # type: ignore[arg-type]
        headers = [(n, v) for n, v in request.headers.raw if n.decode() not in _OF_THE_CONNECTION]
        headers.append((b"authorization", f"Bearer {self.token}".encode()))
        asked = self._client.build_request(
            request.method, self.to + request.url.path, headers=headers, content=await request.body()
        )
        answer = await self._client.send(asked, stream=True)
        told = {name: value for name, value in answer.headers.items() if name not in _OF_THE_CONNECTION}
        await StreamingResponse(answer.aiter_raw(), answer.status_code, told)(scope, receive, send)  # type: ignore[arg-type]


def main(folder: Path) -> int:
    """The exit code of the suite: 0 where it passes but for what is listed."""
    relay, opened = Relay(), listen("127.0.0.1:0")
    ours = f"http://localhost:{opened.getsockname()[1]}"
    config = uvicorn.Config(relay, lifespan="off", log_level="warning")
    threading.Thread(target=uvicorn.Server(config).run, args=([opened],), daemon=True).start()
    world = World(folder / "shop")
    with issuing() as issuer:
        for_a_team(world, issuer, ours)
        with serving(world, issuer) as team:
            relay.to, relay.token = f"http://127.0.0.1:{team.port}", issuer.token()
            return max(_judged(f"{ours}/mcp", revision, folder) for revision in REVISIONS)


def _judged(url: str, revision: str, folder: Path) -> int:
    words = ("server", "--url", url, "--requirements", revision, "--expected-failures", _EXPECTED)
    return subprocess.run(["conformance", *words, "-o", revision], cwd=folder, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
