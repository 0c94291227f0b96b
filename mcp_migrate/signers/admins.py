"""Did an admin sign this? The keys are those under `admins`, where the configuration names any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError
from mcp_migrate.model import canonical
from mcp_migrate.settings import Settings
from mcp_migrate.signers.roster import configured
from mcp_migrate.signers.sshsig import verify


def check_admin(
    entry: Mapping[str, Any], settings: Settings, *, namespace: str, refused: Callable[[str], ApprovalInvalidError]
) -> None:
    """Hold the `signature` of an entry over its `statement` against the key that this names.

    Raises:
        ApprovalInvalidError: no admin made it, in the words of `refused` where the key is none of theirs.
    """
    said = dict(entry["statement"])
    key = configured(settings).admins.get(str(said.get("key")))
    if key is None:
        raise refused("it is signed by no key under `admins`")
    verify(canonical(said), str(entry.get("signature")), key, namespace=namespace)
