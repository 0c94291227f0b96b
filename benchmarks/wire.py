"""A server process spoken to in JSON lines, so that both sides of a comparison pay the same small price."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
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
        """Send one request and wait for its result, which must be a success: a refusal is soon made."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        result = json.loads(self._process.stdout.readline())["result"]
        assert not result.get("isError"), result
        return result

    def close(self) -> None:
        self._process.communicate(timeout=30)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds that one call of `work` takes, and what it gives."""
    began = time.perf_counter()
    given = work()
    return (time.perf_counter() - began) * 1000, given


def told(name: str, times: Sequence[float]) -> str:
    """One line: the median and the quartiles."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{name:<18} median {middle:8.2f} ms   (quartiles {low:.2f} to {high:.2f}, n = {len(times)})"


def bare_server(*words: str) -> list[str]:
    """The command of a server on the bare SDK; `words` are the target's URL and what else `bare.py` takes."""
    return [sys.executable, str(Path(__file__).with_name("bare.py")), *words]


def our_server() -> list[str]:
    """The command of ours."""
    return [sys.executable, "-m", "mcp_migrate", "serve"]
