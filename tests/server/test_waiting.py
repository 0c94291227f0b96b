"""Which answers are a question to people?"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.server.pausing import waits


@pytest.mark.parametrize(
    ("answer", "waiting"),
    [
        ({"status": "approval_required"}, True),
        ({"status": "approval_required", "not_before": None}, True),
        ({"status": "approval_required", "not_before": "2026-11-25T02:00:00+00:00"}, False),
        ({"status": "applied"}, False),
        ({"schema": "approval_required"}, False),
    ],
)
def test_only_what_people_have_yet_to_decide_pauses(answer: dict[str, Any], waiting: bool) -> None:  # noqa: FBT001  a table
    assert waits(answer) is waiting
