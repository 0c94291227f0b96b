"""What do the larger entries say?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.approvals.binding import fingerprints
from mcp_migrate.model import Classified, Plan
from mcp_migrate.settings import Settings, changed, rights


def configured(
    settings: Settings,
    before: Mapping[str, Any] | None,
    *,
    by: Mapping[str, str],
    signed: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Whose keys count and who may do what, and who gained or lost what since the configuration `before`."""
    from mcp_migrate.signers.roster import configured  # cryptography loads when it has changed

    roster, now = configured(settings), rights(settings)
    body = {
        "digest": settings.digest,
        "path": str(settings.path),
        "by": dict(by),
        "signed": dict(signed) if signed else None,
        "keys": fingerprints(roster),
        "admins": sorted(roster.admins),
        "public_keys": public(settings),
        "rights": list(now),
    }
    if before is None:
        return body
    change = changed(before.get("rights", ()), now)
    return {**body, "before": before["digest"], "gained": list(change.gained), "lost": list(change.lost)}


def public(settings: Settings) -> dict[str, list[str]]:
    """The keys themselves, so that what they signed can be verified when they are in no configuration any more."""
    return {name: [*who.ssh_keys, *who.passkeys] for name, who in settings.reviewers.items()}


def words(plan: Plan | None) -> str:
    """All that a plan says in SQL: names that are in it are no rows."""
    return "\n".join(statement.sql for statement in plan.statements) if plan else ""


def rule(classified: Classified) -> dict[str, Any]:
    return {"effects": sorted(classified.effects), "objects": list(classified.objects)}
