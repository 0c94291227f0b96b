"""How does one request stand: who decided what, does it hold, was it withdrawn, reopened, used?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from mcp_migrate.approvals.breaking import Broken, broken
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.errors import ApprovalInvalidError, SelfApprovalError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import ANYBODY
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Decision

Status = Literal["pending", "approved", "denied", "withdrawn", "expired", "used"]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A decision on the record: what it is worth, or why it counts for nothing."""

    event: Event
    held: Decision | None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger holds about one request."""

    request: Event
    decisions: tuple[Weighed, ...]
    lifted: frozenset[str]
    withdrawn: bool
    used: bool
    glass: Broken | None = None

    @property
    def denials(self) -> tuple[Decision, ...]:
        """The denials that hold, whether lifted since or not."""
        return tuple(w.held for w in self.decisions if w.held and w.held.verdict == "deny")

    @property
    def binding(self) -> tuple[Decision, ...]:
        """The denials that nobody has lifted, where they are enough to end it."""
        return tuple(each for each in self.denials if each.nonce not in self.lifted) if self.denied else ()

    @property
    def denied(self) -> bool:
        """Whether as many people said no as it takes: one, where policy does not say as many as to approve."""
        by_group = _by_group(self.request) if self.request.body["quorum"].get("deny") == "quorum" else ((ANYBODY, 1),)
        return not short_of(by_group, self.denials)

    @property
    def approvals(self) -> tuple[Decision, ...]:
        """The approvals that hold; who said no as well approves nothing."""
        against = {denial.reviewer for denial in self.denials}
        found = (w.held for w in self.decisions if w.held and w.held.verdict == "approve")
        return tuple(each for each in found if each.reviewer not in against)

    def still_needed(self, now: datetime) -> int:
        """Signatures of further people, beside those that may be used now or later."""
        return short_of(_by_group(self.request), [each for each in self.approvals if now <= each.ends])

    @property
    def ended(self) -> bool:
        """Whether no decision can bring it to life any more, whatever the time."""
        return self.used or self.withdrawn or self.denied

    def status(self, now: datetime) -> Status:
        if self.used:
            return "used"
        if self.denied:
            return "denied"
        if self.withdrawn:
            return "withdrawn"
        if not self.still_needed(now) or (self.glass is not None and now <= self.glass.ends):
            return "approved"
        return "expired" if datetime.fromisoformat(self.request.body["expires_at"]) <= now else "pending"


def short_of(by_group: Iterable[tuple[str, int]], decisions: Iterable[Decision]) -> int:
    """How many people are missing at least: 0 where each group has as many as it has to."""
    groups: dict[str, set[str]] = {}
    for each in decisions:
        groups.setdefault(each.stands_for, set()).update(each.groups)
    signed = Counter(group for mine in groups.values() for group in {ANYBODY, *mine})
    return max((count - signed[group] for group, count in by_group if count > signed[group]), default=0)


def _by_group(request: Event) -> Iterable[tuple[str, int]]:
    """Of which groups how many; requests of before asked for people who are in all groups at once."""
    asked = request.body["quorum"]
    named: Mapping[str, int] = asked.get("by_group") or dict.fromkeys(asked["groups"] or [ANYBODY], asked["count"])
    return named.items()


def status_of(request: Event, ledger: Ledger, settings: Settings, *, now: datetime) -> Status:
    """How `request` stands now, by a clock that cannot be set back."""
    return standing(request, ledger, settings).status(ledger.no_earlier(now, since=request))


def standing(request: Event, ledger: Ledger, settings: Settings) -> Standing:
    """Read everything about `request` and hold it against the enrolled keys."""
    request_id = request.body["request_id"]
    return Standing(
        request=request,
        decisions=tuple(_weighed(request, Kind.APPROVAL_DECIDED, ledger, settings)),
        lifted=frozenset(
            nonce
            for weighed in _weighed(request, Kind.APPROVAL_REOPENED, ledger, settings)
            if weighed.held
            for nonce in weighed.held.lifts
        ),
        withdrawn=any(e.workflow == request.workflow for e in ledger.find(Kind.APPROVAL_WITHDRAWN, request_id)),
        used=bool(ledger.find(Kind.APPROVAL_CONSUMED, request_id)),
        glass=broken((w.held for w in _weighed(request, Kind.APPROVAL_BROKEN, ledger, settings) if w.held), settings),
    )


def _weighed(request: Event, kind: Kind, ledger: Ledger, settings: Settings) -> Iterator[Weighed]:
    events = ledger.find(kind, request.body["request_id"])
    if not events:
        return
    from mcp_migrate.signers import decisions  # cryptography loads when there is one to check

    checks = {Kind.APPROVAL_REOPENED: decisions.check_reopening, Kind.APPROVAL_BROKEN: decisions.check_breaking}
    held, roster = checks.get(kind, decisions.check), reviewers(settings, ledger)
    for event in events:
        try:
            refuse_other_ledger(event.body, request, ledger)
            yield Weighed(event, held(event.body, request.body, settings, roster))
        except (ApprovalInvalidError, SelfApprovalError) as error:
            yield Weighed(event, None, error.sentence)


def refuse_other_ledger(decision: Mapping[str, Any], request: Event, ledger: Ledger) -> None:
    """Hold the ledger's head that the reviewer saw and signed against this ledger.

    Raises:
        ApprovalInvalidError: they saw another ledger, or this one before the request was in it.
    """
    said = decision.get("statement")
    if request.body["format"] == "mcp-migrate/request/1" or not isinstance(said, Mapping):
        return  # those decisions name a head too, and nobody promised to hold it against anything
    head = said.get("ledger")
    size = head.get("size") if isinstance(head, Mapping) else None
    seen = isinstance(size, int) and request.seq < size <= ledger.head().size and ledger.root_at(size)
    if not seen or {"size": size, "root": seen} != head:
        raise ApprovalInvalidError(
            "This decision does not count: its reviewer saw another ledger than this one.",
            hint="Keep both ledgers as evidence; `mcp-migrate ledger verify` looks into this one.",
        )
