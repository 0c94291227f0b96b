"""Which answers are a question to people?"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.server.pausing import waits
from mcp_migrate.server.tasks import _REMEMBERED, _keep


@pytest.mark.parametrize(
    ("answer", "waiting"),
    [
        ({"status": "approval_required", "needs": {}}, True),
        ({"status": "approval_required", "needs": {}, "not_before": None}, True),
        ({"status": "approval_required", "needs": {"too_few": [{"group": "dba", "asked": 2, "able": 1}]}}, False),
        ({"status": "approval_required", "not_before": "2026-11-25T02:00:00+00:00"}, False),
        ({"status": "applied"}, False),
        ({"schema": "approval_required"}, False),
    ],
)
def test_only_what_people_have_yet_to_decide_pauses(answer: dict[str, Any], waiting: bool) -> None:  # noqa: FBT001  a table
    assert waits(answer) is waiting


def test_a_server_that_lives_long_remembers_the_newest_of_its_tasks_alone() -> None:
    among: dict[str, int] = {}
    for n in range(_REMEMBERED + 5):
        _keep(among, f"task_{n}", n)
    assert len(among) == _REMEMBERED
    assert list(among.values())[-1] == _REMEMBERED + 4
    assert "task_0" not in among
