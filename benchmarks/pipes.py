"""How are servers spoken to, so that nothing but the server is measured?

JSON lines over pipes, with the envelope that clients of protocol 2026-07-28 put on each request. No client library:
its cost would hide the difference between two servers.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
INTENT = "Measure how long this takes"
OURS = (sys.executable, "-m", "mcp_migrate", "serve")
BARE = (sys.executable, str(ROOT / "benchmarks" / "bare_server.py"))
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
TABLES = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(200) NOT NULL UNIQUE, fax VARCHAR(40));
CREATE TABLE products (id INTEGER PRIMARY KEY, name VARCHAR(200) NOT NULL, price INTEGER CHECK (price > 0));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), placed DATETIME);
CREATE TABLE lines (order_id INTEGER REFERENCES orders (id), product_id INTEGER REFERENCES products (id), n INTEGER);
CREATE INDEX orders_by_customer ON orders (customer_id, placed DESC);
CREATE VIEW spent AS SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id;
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
"""
INI = "[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = sqlite:///shop.db\n"
ENV = """from alembic import context
from sqlalchemy import engine_from_config

with engine_from_config(context.config.get_section("alembic")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


class Server:
    """One server process, its pipes in our hands."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._id = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": {**params, "_meta": ENVELOPE}}
        self._in.write(json.dumps(request).encode() + b"\n")
        while line := self._out.readline():
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == self._id:
                return dict(answer["result"])
        raise EOFError(f"{self._process.args} ended without an answer")

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must succeed; its structured answer."""
        result = self.ask("tools/call", name=tool, arguments=arguments)
        assert not result.get("isError"), result
        return dict(result["structuredContent"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in.close()
        self._process.wait(timeout=30)
        self._out.close()


def make_shop(folder: Path) -> None:
    """An Alembic project and a small SQLite database; no configuration, so the local profile serves it."""
    import sqlite3
    from contextlib import closing

    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "migrations" / "env.py").write_text(ENV)
    (folder / "alembic.ini").write_text(INI)
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        database.executescript(TABLES)


def milliseconds(began: float) -> float:
    """Since `began`, by the performance counter."""
    return (time.perf_counter() - began) * 1000


def described(name: str, times: Sequence[float]) -> str:
    """One line: the median and the quartiles, in milliseconds."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{name:<24} {middle:8.2f} ms   (quartiles {low:.2f} to {high:.2f}, n = {len(times)})"
