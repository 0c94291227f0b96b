"""Is each alteration found, and by what? Every one is done to a fresh copy, which is then verified as the ledger is.

What only people outside can find counts as missed where somebody outside knows the ledger, and is told as what it is
where nobody does: then a head that the drill noted beforehand shows what a witness would have found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mcp_migrate.anchors.audit import Audit, Report
from mcp_migrate.drill.alterations import Alteration, Found, Spot, alterations
from mcp_migrate.drill.copies import Copy, copied
from mcp_migrate.errors import CheckpointInvalidError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger import Finding, Head
from mcp_migrate.ledger.checkpoint import make

if TYPE_CHECKING:
    from mcp_migrate.settings import Settings

_BEFORE_THE_END = 6
"""Entries from the altered one to the newest that somebody outside knows, or to the last."""
_LEAST = 3
_FOREIGN = "a checkpoint that another key signed is brought along"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One alteration and what came of it.

    `expected` says that it has to be found with what is configured; `witnessed` is what somebody who had noted the head
    would have found, where nobody else did.
    """

    name: str
    expected: bool
    findings: tuple[Finding, ...]
    witnessed: tuple[Finding, ...] = ()

    @property
    def missed(self) -> bool:
        return self.expected and not self.findings

    @property
    def first_bad(self) -> int | None:
        """From which entry on the log is not to be trusted, where that is known."""
        return min((each.seq for each in self.findings if each.seq is not None), default=None)


@dataclass(frozen=True, slots=True)
class Drill:
    """What was tried on a copy of `head`, of which somebody outside knows the first `outside` entries."""

    head: Head
    outside: int
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not any(each.missed for each in self.attempts)


Told = Callable[[int, int, str], None]
"""Hears which alteration of how many is tried now."""


def drill(settings: Settings, *, now: datetime, into: str | None = None, told: Told = lambda *_: None) -> Drill:
    """Tamper with a copy of the ledger in every known way; the ledger itself is only read.

    Raises:
        ConfigInvalidError: it is on a server, and `into` names no other database for the copy.
        LedgerCorruptError: it does not verify as it is.
        LedgerUnavailableError: it cannot be read, or holds next to nothing.
    """
    asked = Audit(settings, now)
    outside = list(asked.kept())
    with copied(settings.resolved_ledger(), settings.ledger_head, into) as copy:
        copy.renew()
        return _Exercise(_without_witnesses(settings), now, copy, outside, asked.notes).run(told)


def _without_witnesses(settings: Settings) -> Settings:
    """The same, with witnesses that were asked already, and without a bound on their age: that is no tampering."""
    configured = settings.checkpoints
    if configured is None:
        return settings
    changed = configured.model_copy(update={"witnesses": [], "max_age": timedelta.max})
    return settings.model_copy(update={"checkpoints": changed})


@dataclass(slots=True)
class _Exercise:
    settings: Settings
    now: datetime
    copy: Copy
    outside: list[tuple[str, Sequence[str]]]
    unasked: Sequence[str]
    """The witnesses that could not be asked, and why."""

    def run(self, told: Told) -> Drill:
        audit = self._audit()
        before = audit.run(witnesses=self.outside)
        head = before.verification.head
        _check(before, head)
        reach = self._reach(audit, before)
        inside = max(
            (known.head.size for known in before.verification.agreed if known.by != "the head file"), default=0
        )
        signed = [each.seq for each in audit.weighed.witnessed]
        spot = Spot(max(0, (reach or head.size) - _BEFORE_THE_END), head.size, signed[-1] if signed else None)
        ways = list(alterations(self.copy, spot))
        attempts = []
        for n, each in enumerate(ways):
            told(n + 1, len(ways), each.name)
            attempts.append(self._tried(each, spot, before, {Found.SIGNED: inside, Found.OUTSIDE: reach}))
        attempts += self._foreign(before)
        return Drill(head, reach, tuple(attempts), tuple(self._notes(before, reach, spot)))

    def _audit(self) -> Audit:
        return Audit(self.settings, self.now, place=(self.copy.url, self.copy.remember))

    def _reach(self, audit: Audit, before: Report) -> int:
        """How many entries are known to somebody who does not own the database."""
        agreed = {known.head for known in before.verification.agreed}
        opened = [_opened(audit, text) for _, texts in self.outside for text in texts]
        remembered = before.verification.head if self.copy.remember else None
        return max((head.size for head in (*opened, remembered) if head is not None and head in agreed), default=0)

    def _tried(self, way: Alteration, spot: Spot, before: Report, known: dict[Found, int]) -> Attempt:
        self.copy.renew()
        way.do(self.copy, spot)
        first = way.first(spot)
        expected = way.found == Found.INSIDE or known[way.found] > (first or 0)
        findings = _news(self._audit().run(witnesses=self.outside), before)
        if findings:
            return Attempt(way.name, expected, findings)
        noted = self._audit().run(witnesses=self.outside, trusted=[before.verification.head])
        return Attempt(way.name, expected, (), _news(noted, before))

    def _foreign(self, before: Report) -> Iterator[Attempt]:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if self.settings.checkpoints is None:
            return
        own, head = Ed25519PrivateKey.generate(), before.verification.head
        point = own.public_key().public_bytes_raw()
        note = make(self.settings.checkpoints.origin, Head(head.size, "00" * 32), point, own.sign, at=self.now)
        self.copy.renew()
        report = self._audit().run(witnesses=[*self.outside, ("somebody else", [str(note)])])
        yield Attempt(_FOREIGN, expected=True, findings=_news(report, before))

    def _notes(self, before: Report, reach: int, spot: Spot) -> Iterator[str]:
        yield from (*self.unasked, *before.notes)
        if spot.decision is None:
            yield "no signed decision is on the record, so none was forged"
        if self.settings.checkpoints is None:
            yield "no checkpoints are configured, so none was forged, and nobody outside knows this ledger"
        elif reach < spot.size:
            yield f"nobody outside knows what came from entry {reach} on: `mcp-migrate ledger checkpoint` tells them"


def _opened(audit: Audit, text: str) -> Head | None:
    try:
        return audit.open(text).head
    except CheckpointInvalidError:
        return None  # which the report tells


def _check(before: Report, head: Head) -> None:
    if before.verification.findings:
        raise LedgerCorruptError(
            f"The ledger itself does not verify, so a drill shows nothing: {before.verification.findings[0].why}",
            hint="Run `mcp-migrate ledger verify` first.",
        )
    if head.size < _LEAST:
        raise LedgerUnavailableError(
            f"The ledger has {head.size} entries, and a drill needs {_LEAST} to tamper with.",
            hint="Plan something first: `mcp-migrate plan TARGET`.",
        )


def _news(after: Report, before: Report) -> tuple[Finding, ...]:
    """The findings that were not there before."""
    return tuple(each for each in after.findings if each not in before.findings)
