"""Apply a plan, and die without a word at the n-th step: run as a process of its own by `test_crashes.py`.

A step is the return from one of the functions below: between two of them target and ledger do not change.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from mcp_migrate.__main__ import Wiring, load_settings
from mcp_migrate.ledger import Ledger
from mcp_migrate.model import Call
from mcp_migrate.pipeline import Watch


def main(config: str, plan_id: str, deadly: int) -> None:
    wiring = Wiring(load_settings(Path(config)))
    wiring.pipeline  # noqa: B018  what is loaded before the call is no step of it
    _mine(deadly)
    call = Call(
        call_id=f"call_{deadly:020d}",
        tool="migration_apply",
        arguments={"plan_id": plan_id, "intent": "Die on the way"},
        intent="Die on the way",
        principal="agent:demo",
        at=_now(),
    )
    wiring.run(call, wiring.registry["migration_apply"], watch=Watch())


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _mine(deadly: int) -> None:
    from mcp_migrate.dialects import mysql, sqlite
    from mcp_migrate.dialects.mysql.writer import MysqlWriter
    from mcp_migrate.dialects.postgresql.writer import PostgresWriter
    from mcp_migrate.dialects.sqlite import writer
    from mcp_migrate.dialects.sqlite.writer import SqliteWriter

    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def mined(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def call(*arguments: Any, **keywords: Any) -> Any:
            result = original(*arguments, **keywords)
            step()
            return result

        return call

    places = [
        (Ledger, "append"),
        *((kind, name) for kind in (SqliteWriter, PostgresWriter, MysqlWriter) for name in ("leave_mark", "run")),
        (PostgresWriter, "_commit"),
        (MysqlWriter, "_commit"),
        (mysql.MySQL, "clear_marks"),
        (writer, "_commit"),
        (sqlite.Sqlite, "clear_marks"),
    ]
    for place, name in places:
        setattr(place, name, mined(getattr(place, name)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
