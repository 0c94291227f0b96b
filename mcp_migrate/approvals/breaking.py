"""May one of the named people act alone because nobody else can be reached, and who looks at it afterwards?

Both signatures are one person's, with two keys of two levels. A denial, an expiry and who asked mean what they always
do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

from mcp_migrate.ledger import Event
from mcp_migrate.model import STRENGTH, Assurance, Quorum, digest
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Decision

_REVIEW = timedelta(days=7)
"""How long the review of it waits for people."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The glass was broken: both signatures, the weaker first."""

    signatures: tuple[Decision, Decision]

    @property
    def by(self) -> str:
        return self.signatures[0].reviewer

    @property
    def reason(self) -> str:
        return self.signatures[1].reason or ""

    @property
    def ends(self) -> datetime:
        return min(each.ends for each in self.signatures)

    def satisfies(self, asked: Quorum) -> bool:
        """Whether the stronger signature is as strong as what policy asks of anybody."""
        return _rank(self.signatures[1]) >= STRENGTH.index(asked.assurance)


def broken(signatures: Iterable[Decision], settings: Settings) -> Broken | None:
    """Two signatures of one person with two keys that are of both levels; those that last longest, if there are any."""
    if settings.break_glass is None:
        return None
    lower, higher = sorted(STRENGTH.index(Assurance(level)) for level in settings.break_glass.assurance)
    ordered = (sorted(pair, key=_rank) for pair in combinations(signatures, 2))
    found = [
        Broken((weaker, stronger))
        for weaker, stronger in ordered
        if weaker.reviewer == stronger.reviewer and weaker.key != stronger.key
        if _rank(weaker) >= lower and _rank(stronger) >= higher
    ]
    return max(found, key=lambda glass: glass.ends, default=None)


def review(request: Event, glass: Broken, known: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
    """The question that is put to everybody else afterwards. It is none that an apply ever looks for."""
    body = {
        **request.body,
        **known,
        "purpose": "review",
        "intent": f"{glass.by} broke the glass: {glass.reason}",
        "expires_at": (now + _REVIEW).isoformat(),
        "excluded": [glass.by],
        "reviews": {"request_id": request.body["request_id"], "by": glass.by, "reason": glass.reason},
    }
    return {**body, "request_id": "req_" + digest(["review", body]).removeprefix("sha256:")[:20]}


def _rank(decision: Decision) -> int:
    return STRENGTH.index(decision.assurance)
