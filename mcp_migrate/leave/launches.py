"""Which launch tokens were made for this ledger, and whom does one of them stand for?

Each is on the ledger by a name that does not give it away, so that a token for another deployment, signed with the
same key, counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_migrate.errors import NotPermittedError
from mcp_migrate.leave.revoking import refuse_revoked
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import Caller
from mcp_migrate.settings import Settings
from mcp_migrate.settings.private import read_private_line

if TYPE_CHECKING:
    from mcp_migrate.signers.launch import Launch


VARIABLE = "MCP_MIGRATE_LAUNCH_TOKEN"


def read_token(file: Path | None, environ: Mapping[str, str]) -> str | None:
    """The token in a file that nobody else can read, or of the environment; None where there is neither.

    Raises:
        ConfigInvalidError: the file cannot be read, or others can read it too.
    """
    return environ.get(VARIABLE) if file is None else read_private_line(file, "launch token")


def made(text: str, settings: Settings, ledger: Ledger, *, now: datetime) -> Launch:
    """Put a new token on the record. Raises: NotPermittedError: it does not hold."""
    from mcp_migrate.signers.launch import check
    from mcp_migrate.signers.roster import configured

    held = check(text, configured(settings).admins, now=now)
    body = {"principal": held.principal, "until": held.until.isoformat(), "signed_by": held.signed_by}
    ledger.append(Draft(Kind.LAUNCH_SIGNED, body, subject=held.token_id), at=now)
    return held


def launched(text: str, principal: str, settings: Settings, ledger: Ledger, *, now: datetime) -> Launch:
    """What a token that holds here says of `principal`. Raises: NotPermittedError."""
    from mcp_migrate.signers.launch import check
    from mcp_migrate.signers.roster import configured

    held = check(text, configured(settings).admins, now=now)
    if held.principal != principal:
        raise NotPermittedError(
            f"The launch token is {held.principal}'s, not {principal}'s.", hint=f"Start with --as {held.principal}."
        )
    if not ledger.find(Kind.LAUNCH_SIGNED, held.token_id):
        raise NotPermittedError(
            "The launch token was not made for this ledger.",
            hint="Have an admin make one with this configuration: `mcp-migrate launch-token`.",
        )
    refuse_revoked(Caller(principal, launch=held.token_id), ledger)
    return held
