"""Does what stands on a target stay known, whatever else is tried meanwhile?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.tools.applies import last_applies

AT = datetime(2026, 1, 2, tzinfo=UTC)


def started(target: str, apply_id: str, **more: Any) -> Draft:
    return Draft(Kind.STEP_STARTED, {"target": target, "plan": {"n": 1}, **more}, subject=apply_id)


@pytest.mark.proves("part-way")
def test_what_happens_on_other_targets_pushes_no_apply_out_of_sight(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.append(started("shop", "apply_1"), *(started("sandbox", f"apply_{n}") for n in range(2, 203)), at=AT)
        assert [apply.apply_id for apply in last_applies(ledger, "shop", limit=5)] == ["apply_1"]
