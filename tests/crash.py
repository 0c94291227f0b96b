"""Apply a plan, and die without a word at the n-th step.

A step is the return from one of the functions below: between two of them target and ledger do not change. Each apply
runs in a fork of one process that has loaded everything: starting Python anew sixty times is what would take long.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from mcp_migrate.__main__ import load_settings
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import Call, Caller, Statement
from mcp_migrate.pipeline import Watch
from mcp_migrate.wiring import Wiring
from tests.world import World

_LOADED = ("psycopg", "pymysql", "postgast", "sqlglot", "sqloxide", "cryptography", "mcp_migrate.pipeline")
BEFORE_OUTCOME, AFTER_OUTCOME = 0, -1
"""In place of a step: just before the outcome of the apply is on the record, and just after."""

_DIALECTS = ("sqlite", "postgresql", "mysql")


@contextmanager
def applies(errors: Path) -> Iterator[Callable[[Path, str, int], int]]:
    """A function that applies a plan and dies at a step or at its outcome: how its process ended, negative by a signal.

    What the processes say is appended to `errors`.
    """
    with (
        errors.open("ab") as said,
        subprocess.Popen(
            [sys.executable, "-m", "tests.crash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=Path(__file__).parents[1],
        ) as parent,
    ):

        def apply(config: Path, plan_id: str, deadly: int) -> int:
            assert parent.stdin
            assert parent.stdout
            print(json.dumps([str(config), plan_id, deadly]), file=parent.stdin, flush=True)
            ended = parent.stdout.readline()
            assert ended, errors.read_text()
            return int(ended)

        yield apply


def serve() -> None:
    """Fork for each line of standard input, and write how the fork ended."""
    for name in (*_LOADED, *(f"mcp_migrate.{part}.{each}" for each in _DIALECTS for part in ("dialects", "rules"))):
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            main(*json.loads(line))
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def main(config: str, plan_id: str, deadly: int) -> None:
    wiring = Wiring(load_settings(Path(config)), pinned_in=[Path(config).parent / "trusted_keys"])
    wiring.pipeline  # noqa: B018  what is loaded before the call is no step of it
    if deadly > 0:
        _mine(deadly)
    else:
        _mine_the_outcome(before=deadly == BEFORE_OUTCOME)
    call = Call(
        call_id=f"call_{abs(deadly):020d}",
        tool="migration_apply",
        arguments={"plan_id": plan_id, "intent": "Die on the way"},
        intent="Die on the way",
        caller=Caller("agent:demo"),
        at=_now(),
    )
    wiring.run(call, wiring.registry["migration_apply"], watch=Watch())


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _mine_the_outcome(*, before: bool) -> None:
    """Die when the first outcome is about to be recorded, or when it just was."""
    append = Ledger.append

    def mined(self: Ledger, *drafts: Draft, at: Any) -> Any:
        outcome = any(draft.kind == Kind.STEP_FINISHED for draft in drafts)
        if not (outcome and before):
            append(self, *drafts, at=at)
        if outcome:
            os.kill(os.getpid(), signal.SIGKILL)

    Ledger.append = mined  # type: ignore[method-assign]


def _mine(deadly: int) -> None:
    from mcp_migrate.brokers.mysql_user import MysqlUser
    from mcp_migrate.brokers.postgres_role import PostgresRole
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

    def mined(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def call(*arguments: Any, **keywords: Any) -> Any:
            result = original(*arguments, **keywords)
            if not _the_same_again(name, arguments):
                step()
            return result

        return call

    places = [
        (Ledger, "append"),
        *((kind, name) for kind in (SqliteWriter, PostgresWriter, MysqlWriter) for name in ("leave_mark", "run")),
        *((kind, "_send") for kind in (PostgresWriter, MysqlWriter)),
        *((kind, name) for kind in (PostgresRole, MysqlUser) for name in ("issue", "revoke")),
        (PostgresWriter, "_commit"),
        (MysqlWriter, "_commit"),
        (mysql.MySQL, "clear_marks"),
        (writer, "_commit"),
        (sqlite.Sqlite, "clear_marks"),
    ]
    for place, name in places:
        setattr(place, name, mined(name, getattr(place, name)))


def _the_same_again(name: str, arguments: tuple[Any, ...]) -> bool:
    """In a transaction there is nothing to see when it was sent; outside, the run ends with a commit, a step itself."""
    statement = next((each for each in arguments if isinstance(each, Statement)), None)
    return statement is not None and statement.transactional == (name == "_send")


def check_uncertain(world: World, body: Mapping[str, Any]) -> None:
    """Uncertain is the statement after those that stand, exactly when it was announced and no end is on the record.

    One further on was announced and never sent: what came before it is committed first.
    """
    sent, ended = (
        {event.body["n"] for event in world.events(kind)} for kind in (Kind.STATEMENT_STARTED, Kind.STATEMENT_FINISHED)
    )
    every = {statement["n"] for statement in world.events(Kind.STEP_STARTED)[0].body["plan"]["statements"]}
    uncertain = body.get("uncertain")
    assert ended <= sent
    if body["status"] == "partially_applied":
        assert {*body["ran"], *body["not_ran"], *([uncertain] if uncertain else [])} == every
        following = max(body["ran"], default=0) + 1
        assert uncertain == (following if following in sent - ended else None)


if __name__ == "__main__":
    serve()
