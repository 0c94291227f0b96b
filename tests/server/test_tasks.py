"""Whose is a call that waits in the background?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import Caller
from mcp_migrate.server.tasks import Tasks, _TaskParams

pytestmark = pytest.mark.anyio

_ANSWER = {"request_id": "req_1", "expires_at": "2036-01-02T00:00:00+00:00", "status": "approval_required"}
_BODY = {"principal": "agent:one", "tool": "apply", "call_arguments": {}, "answer": _ANSWER}


@pytest.mark.proves("pausing-tasks", "oauth-scopes")
@pytest.mark.parametrize(
    ("caller", "known"),
    [
        (Caller("agent:one"), True),
        (Caller("agent:one", tools=("migration_*",)), True),
        (Caller("agent:one", tools=("schema_read",)), False),
        (Caller("agent:two"), False),
    ],
)
async def test_a_task_is_its_principals_and_no_lesser_tokens(tmp_path: Path, caller: Caller, known: object) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.append(Draft(Kind.CALL_PARKED, _BODY, subject="task_1"), at=datetime(2026, 1, 2, tzinfo=UTC))
        parking: Any = SimpleNamespace(ledger=ledger, request_status=lambda _id: "expired")
        tasks = Tasks(parking, lambda _context: caller, _unasked, {"apply": "migration_apply"}.__getitem__)
        context: Any = SimpleNamespace()
        try:
            told = await tasks.get(context, _TaskParams(task_id="task_1"))
        except MCPError as error:
            told = {"status": str(error)}
    assert told["status"] == ("completed" if known else "There is no such task")


async def _unasked(*_: object) -> Any:
    raise AssertionError
