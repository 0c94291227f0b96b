"""Does what proves the caller's name hold still, and is it enough for a target?"""

from __future__ import annotations

from datetime import datetime

from mcp_migrate.errors import NotPermittedError
from mcp_migrate.model import PROOFS, Caller
from mcp_migrate.settings import Settings


def refuse_ended(caller: Caller, *, at: datetime) -> None:
    """Refuse whoever is known by what ended while the call waited. Raises: NotPermittedError."""
    if caller.until is not None and at >= caller.until:
        what = "launch token" if caller.launch else "proof of the name"
        raise NotPermittedError(
            f"The {what} of {caller.principal} ended at {caller.until.isoformat()}.",
            hint="Sign in again, or start the server anew with another token: `mcp-migrate launch-token`.",
        )


def refuse_unproven(caller: Caller, target: str, settings: Settings) -> None:
    """Hold what proves the caller's name against what the target's tier asks for. Raises: NotPermittedError."""
    least = settings.identity.least.get(settings.target(target).tier, PROOFS[0])
    if PROOFS.index(caller.assurance) < PROOFS.index(least):
        raise NotPermittedError(
            f"{target} takes calls of {least} or better, and {caller.principal} is {caller.assurance}.",
            hint="Start the server with a launch token, or call the team server: docs/separation.md.",
            missing={"assurance": least},
        )
