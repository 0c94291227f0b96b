"""What is a call told that waits for people?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.approvals.demands import narrower, told
from mcp_migrate.errors import Action
from mcp_migrate.model import Pending

_NOBODY = (
    "Nobody is enrolled who could decide. Tell the person you work for: `mcp-migrate reviewers enroll` lets somebody "
    "in; without a configuration, `ssh-keygen -t ed25519` makes a key that counts once the server is started anew."
)


def needed(pending: Pending, review_url: str | None = None) -> Mapping[str, Any]:
    """The result of a call that waits for people: what they are asked, until when, and what to do meanwhile."""
    classified, asked = pending.permitted.classified, pending.quorum
    who = " and ".join(sorted(asked.groups)) or "the enrolled reviewers"
    return {
        "status": "approval_required",
        "request_id": pending.request_id,
        "review_url": review_url,
        "review_command": f"mcp-migrate approvals show {pending.request_id}",
        "expires_at": pending.expires_at.isoformat(),
        "not_before": pending.not_before.isoformat() if pending.not_before else None,
        "needs": {
            "approvals": pending.missing,
            "from": who,
            "by_group": dict(asked.by_group),
            "assurance": asked.assurance,
            "rules": list(asked.rules),
            "because": told(asked),
            "narrower": narrower(asked.demands, classified),
        },
        "effects": sorted(classified.effects),
        "rows": dict(classified.rows),
        "next": {
            "action": Action.AWAIT_APPROVAL if pending.anybody else Action.ASK_ADMIN,
            "hint": _hint(pending, who, review_url),
        },
    }


def _hint(pending: Pending, who: str, review_url: str | None) -> str:
    if pending.not_before is not None:
        return f"It is approved, and may run from {pending.not_before.isoformat()} on. Make this same call again then."
    if not pending.anybody:
        return f"{_NOBODY} Then make this same call again."
    look = f"open {review_url}" if review_url else f"run `mcp-migrate approvals show {pending.request_id}`"
    return (
        f"Tell the person you work for that {who} must {look} and decide; you cannot. Then make this same call again."
    )
