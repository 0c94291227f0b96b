"""What is a call told that waits for people?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mcp_migrate.approvals.demands import narrower, told
from mcp_migrate.errors import Action
from mcp_migrate.model import Pending, TooFew

_NOBODY = (
    "Nobody is enrolled who could decide. Tell the person you work for: `mcp-migrate reviewers enroll` lets somebody "
    "in; without a configuration, `ssh-keygen -t ed25519` makes a key that counts once the server is started anew."
)
_AGAIN = "Then make this same call again."


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
            **({"too_few": [each.told() for each in pending.too_few]} if pending.too_few else {}),
        },
        "effects": sorted(classified.effects),
        "rows": dict(classified.rows),
        "next": {
            "action": Action.ASK_ADMIN if pending.too_few else Action.AWAIT_APPROVAL,
            "hint": _hint(pending, who, review_url),
        },
    }


def hint_of(too_few: Iterable[TooFew]) -> str:
    """Whom to ask where too few people can approve it, and for what."""
    known = tuple(too_few)
    if not any(each.able for each in known):
        return f"{_NOBODY} {_AGAIN}"
    return (
        f"Too few people could ever approve this: {'; '.join(map(str, known))}. Tell the person you work for that an "
        f"admin has to let more of them in (`mcp-migrate reviewers enroll`) or ask for fewer. {_AGAIN}"
    )


def _hint(pending: Pending, who: str, review_url: str | None) -> str:
    if pending.not_before is not None:
        return f"It is approved, and may run from {pending.not_before.isoformat()} on. Make this same call again then."
    if pending.too_few:
        return hint_of(pending.too_few)
    look = f"open {review_url}" if review_url else f"run `mcp-migrate approvals show {pending.request_id}`"
    return f"Tell the person you work for that {who} must {look} and decide; you cannot. {_AGAIN}"
