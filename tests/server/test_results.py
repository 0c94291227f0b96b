"""Does a refusal say whose it is to do something about?"""

from __future__ import annotations

import pytest

from mcp_migrate.errors import Action, LockedError, MigrateError, NotPermittedError, TargetUnreachableError
from mcp_migrate.server.results import failed

UNREACHABLE = TargetUnreachableError("The target cannot be reached.", hint="Check that its server runs.")
BUSY = TargetUnreachableError("It was changed while it was read.", hint="Make the same call again.").then(Action.AGAIN)


@pytest.mark.parametrize(
    ("error", "action", "hint"),
    [
        (
            UNREACHABLE,
            "ask_admin",
            "An agent cannot mend this: tell the person you work for. Check that its server runs.",
        ),
        (BUSY, "again", "Make the same call again."),
        (LockedError("Another apply is running.", hint="Call again."), "again", "Call again."),
        (NotPermittedError("No scope allows it.", hint="Ask Ada."), "ask_owner", "Ask Ada."),
    ],
)
def test_what_only_people_can_mend_is_not_told_to_agents_as_their_task(
    error: MigrateError, action: str, hint: str
) -> None:
    result = failed("call_1", error)
    assert result.structured_content
    assert result.structured_content["next"] == {"action": action, "hint": hint}
    assert result.content[0].text.endswith(hint)  # type: ignore[union-attr]  # it is a text
    assert error.action == action
