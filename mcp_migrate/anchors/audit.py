"""Is the ledger whole, and is it the one that people outside know? Everything that can be held against it, at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from mcp_migrate.anchors import decisions, enrolments
from mcp_migrate.anchors.keys import open_key, verifier_keys
from mcp_migrate.anchors.witnesses import witness_for
from mcp_migrate.errors import CheckpointInvalidError, ConfigInvalidError, MigrateError
from mcp_migrate.ledger import Event, Finding, Head, Inside, Kind, Known, Verification, verify
from mcp_migrate.ledger.checkpoint import Checkpoint, open_checkpoint
from mcp_migrate.ledger.note import VerifierKey
from mcp_migrate.settings import Settings
from mcp_migrate.settings.anchoring import Checkpoints

_KINDS = decisions.KINDS | enrolments.KINDS | {Kind.CHECKPOINT_SIGNED, Kind.WITNESS_TOOK}
_AHEAD = timedelta(minutes=5)
"""By how much a clock elsewhere may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that someone outside knows, and since when."""

    known: Known
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: `notes` are what could not be looked at, and do not fail by themselves."""

    verification: Verification
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    decisions: int
    enrolments: int
    newest: Anchor | None

    @property
    def ok(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class Audit:
    """One look at the ledger of a configuration, or at a copy of it in `place`, with the file of its remembered head.

    `keys` are trusted besides those of the configuration.
    """

    settings: Settings
    now: datetime
    keys: Sequence[VerifierKey] = ()
    place: tuple[str, Path | None] | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    weighed: decisions.Decisions = field(default_factory=decisions.Decisions)
    let_in: enrolments.Enrolments = field(default_factory=enrolments.Enrolments)

    def run(
        self,
        *,
        witnesses: Iterable[tuple[str, Sequence[str]]] = (),
        trusted: Sequence[Head] = (),
        known: Sequence[Known] = (),
        since: Head | None = None,
    ) -> Report:
        """Verify. `witnesses` are checkpoints brought along, by the name of where they come from.

        What is `known` is unsigned: the log has to continue it, and it says nothing of the log's age.

        Raises:
            ConfigInvalidError: checkpoints are given, and no key to check them with.
            LedgerUnavailableError: the ledger cannot be read.
        """
        for name, texts in chain(witnesses, self.kept()):
            for text in texts:
                self._outside(f"the checkpoint of {name}", text)
        inside = Inside(frozenset(_KINDS), lambda events: self._inside(events, partly=since is not None))
        url, remember = self.place or (self.settings.resolved_ledger(), self.settings.ledger_head)
        found = verify(
            url,
            remember=remember,
            trusted=trusted,
            known=[*(anchor.known for anchor in self.anchors), *known],
            since=since,
            inside=inside,
        )
        newest = self._newest(found.agreed)
        signed = (*self.weighed.findings, *self.let_in.findings)
        unchecked = (*self.weighed.unchecked, *self.let_in.unchecked)
        return Report(
            found,
            tuple(dict.fromkeys((*found.findings, *self.findings, *signed, *self._too_old(newest)))),
            (*found.notes, *self.notes, *(f"entry {each.seq}: {each.why}" for each in unchecked)),
            self.weighed.holding,
            self.let_in.holding,
            newest,
        )

    def open(self, text: str) -> Checkpoint:
        """A checkpoint of this ledger. Raises: ConfigInvalidError, CheckpointInvalidError."""
        configured, keys = self.settings.checkpoints, self.log_keys()
        origin = configured.origin if configured else keys[0].name
        return open_checkpoint(text, origin, keys, verifier_keys(configured.cosigners if configured else ()))

    def log_keys(self) -> list[VerifierKey]:
        """Whose signature counts for the log's own. Raises: ConfigInvalidError."""
        keys = [*self.keys, *self._own_keys()]
        if not keys:
            raise ConfigInvalidError(
                "No key is known that this ledger's checkpoints are signed with.",
                hint="Give --key with the verifier key that `mcp-migrate ledger checkpoint` prints.",
            )
        return keys

    def _own_keys(self) -> Iterator[VerifierKey]:
        configured = self.settings.checkpoints
        if configured is None:
            return
        yield from verifier_keys(configured.retired)
        try:
            yield open_key(configured.key).verifier(configured.origin)
        except MigrateError as error:
            note = f"The checkpoint key is not here: {error.sentence}"
            if note not in self.notes:
                self.notes.append(note)

    def kept(self) -> Iterator[tuple[str, Sequence[str]]]:
        """What the witnesses of the configuration keep, by their names; those that cannot be asked are noted."""
        configured = self.settings.checkpoints
        for each in configured.witnesses if configured else ():
            try:
                kept = witness_for(each, configured.origin).kept() if configured else None
            except MigrateError as error:
                self.notes.append(error.sentence)
                continue
            if kept is not None:
                yield f"the witness {each.name}", kept

    def _outside(self, by: str, text: str) -> None:
        try:
            opened = self.open(text)
        except CheckpointInvalidError as error:
            self.findings.append(Finding(None, f"{by[0].upper()}{by[1:]} cannot be trusted. {error.sentence}"))
            return
        self.anchors.append(Anchor(Known(by, opened.head), opened.at))

    def _inside(self, events: Sequence[Event], *, partly: bool) -> list[Known]:
        """The heads that signatures on the record vouch for, by the log's own key, by cosigners and by reviewers."""
        lines = chain.from_iterable((*who.ssh_keys, *who.passkeys) for who in self.settings.reviewers.values())
        self.weighed = decisions.weigh(events, lines, partly=partly)
        self.let_in = self._let_in(events, partly=partly)
        mine = [
            Anchor(Known(f"the {what} of {each.by}", each.head), datetime.fromisoformat(each.at))
            for what, found in (("decision", self.weighed), ("enrolment", self.let_in))
            for each in found.witnessed
        ]
        self.anchors += mine
        signed = chain.from_iterable(self._signed(event) for event in events)
        return [*(anchor.known for anchor in mine), *signed]

    def _let_in(self, events: Sequence[Event], *, partly: bool) -> enrolments.Enrolments:
        from mcp_migrate.signers.roster import configured  # cryptography loads when something is verified

        roster, people = configured(self.settings), self.settings.reviewers
        lines = {name: (*who.ssh_keys, *who.passkeys) for name, who in people.items()}
        return enrolments.weigh(events, lines, tuple(roster.admins), partly=partly)

    def _signed(self, event: Event) -> Iterator[Known]:
        text = event.body.get("checkpoint") if event.kind in {Kind.CHECKPOINT_SIGNED, Kind.WITNESS_TOOK} else None
        if text is None or not (self.keys or self.settings.checkpoints):
            return
        try:
            opened = self.open(str(text))
        except CheckpointInvalidError as error:
            self.findings.append(Finding(event.seq, f"Its checkpoint cannot be trusted. {error.sentence}"))
            return
        known = Known(f"the checkpoint in entry {event.seq}", opened.head)
        if opened.cosigners:
            self.anchors.append(Anchor(known, opened.at))
        yield known

    def _newest(self, agreed: Collection[Known]) -> Anchor | None:
        """The newest of those that fit; a time that lies ahead of ours says nothing."""
        fitting = [each for each in self.anchors if each.known in agreed and each.at and each.at <= self.now + _AHEAD]
        return max(fitting, key=lambda each: str(each.at), default=None)

    def _too_old(self, newest: Anchor | None) -> Iterator[Finding]:
        configured = self.settings.checkpoints
        if configured is None:
            return
        if newest is None or newest.at is None:
            yield Finding(None, "Nobody outside is known to have seen this ledger: nothing shows that it is the one.")
        elif self.now - newest.at > configured.max_age:
            yield Finding(None, _old(newest, configured, self.now))


def _old(newest: Anchor, configured: Checkpoints, now: datetime) -> str:
    age = now - newest.at if newest.at else timedelta()
    return (
        f"The newest head that is known outside is of {newest.at}, {age} ago, and {configured.max_age} are allowed: "
        f"what came after entry {newest.known.head.size - 1} could have been changed."
    )
