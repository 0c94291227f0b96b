"""A server process spoken to in JSON lines, so that both sides of a comparison pay the same small price."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Server:
    """One server on pipes."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """Send one request and wait for its result."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())["result"]

    def close(self) -> None:
        self._process.communicate(timeout=30)


def timed(work: Any) -> float:
    """Milliseconds that one call of `work` takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def bare_server(folder: Path) -> list[str]:
    """The command of a one-tool server on the bare SDK."""
    return [sys.executable, str(Path(__file__).with_name("bare.py")), str(folder / "shop.db")]


def our_server() -> list[str]:
    """The command of ours."""
    return [sys.executable, "-m", "mcp_migrate", "serve"]
