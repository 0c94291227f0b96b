"""Which checkpoint is due, who has to be given it, and do they have it? The ledger is the outbox, as for notices.

Whoever decides or applies signs the head at once; what is outside of this machine is done beside the calls. A witness
that is down is asked again, later each time, and everything goes on; `ledger verify` says when it has been too long.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mcp_migrate.anchors.keys import LogKey, open_key, verifier_keys
from mcp_migrate.anchors.witnesses import witness_for
from mcp_migrate.errors import CheckpointInvalidError, LedgerUnavailableError, MigrateError, WitnessFailedError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.ledger.checkpoint import Checkpoint, make, open_checkpoint
from mcp_migrate.ledger.note import Signing, VerifierKey
from mcp_migrate.settings.anchoring import Checkpoints, Witness

SEALED = frozenset({Kind.APPROVAL_DECIDED, Kind.APPROVAL_REOPENED, Kind.APPROVAL_BROKEN, Kind.STEP_FINISHED})
"""After these the head is signed at once."""

_OWN = frozenset({Kind.CHECKPOINT_SIGNED, Kind.WITNESS_TOOK, Kind.WITNESS_FAILED})
"""What checkpoints leave on the ledger: with nothing else there is nothing new to sign."""

_PAGE = 200
_FIRST_PAUSE, _LONGEST_PAUSE, _DOUBLED = timedelta(seconds=10), timedelta(hours=1), 9
_LOOK_SECONDS = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Signs heads and hands them to witnesses."""

    settings: Checkpoints
    ledger: Ledger
    clock: Callable[[], datetime]
    _key: list[LogKey] = field(default_factory=list)

    def keys(self) -> tuple[VerifierKey, ...]:
        """Whose signature makes a checkpoint of this log. Raises: ConfigInvalidError, CredentialFailedError."""
        return (self._opened().verifier(self.settings.origin), *verifier_keys(self.settings.retired))

    def signing(self) -> Signing:
        """What the key of this log signs with. Raises: ConfigInvalidError, CredentialFailedError."""
        return self._opened().sign

    def noticed(self, events: Sequence[Event]) -> None:
        """Sign the head when something was decided or ran. It is done when this returns, or said why not."""
        if any(event.kind in SEALED for event in events):
            try:
                self.sign()
            except MigrateError as error:
                logger.warning("the ledger's head was not signed: %s", error)

    def sign(self) -> Checkpoint:
        """Sign the head of now and put that on the record.

        Raises:
            ConfigInvalidError, CredentialFailedError: the key cannot be used.
            LedgerUnavailableError: it cannot be recorded.
        """
        key, now, head = self._opened(), self.clock(), self.ledger.head()
        note = make(self.settings.origin, head, key.point, key.sign, at=now)
        body = {"size": head.size, "root": head.root, "checkpoint": str(note)}
        self.ledger.append(Draft(Kind.CHECKPOINT_SIGNED, body, subject=self.settings.origin), at=now)
        return self._open(str(note))

    def newest(self) -> Checkpoint | None:
        """The last checkpoint that was signed. Raises: CheckpointInvalidError."""
        found = self.ledger.last(Kind.CHECKPOINT_SIGNED)
        return self._open(str(found[0].body["checkpoint"])) if found else None

    def due(self) -> bool:
        """Whether the time has come to sign: something new for as long as is allowed, or nothing for half the bound."""
        now = self.clock()
        try:
            newest = self.newest()
        except CheckpointInvalidError:  # of another key than ours: with ours there is none yet
            newest = None
        if newest is None or newest.at is None:
            return True
        age = now - newest.at
        if age >= self.settings.max_age / 2:
            return True
        fresh = self.ledger.read(since=newest.head.size, limit=_PAGE)
        return age >= self.settings.every and any(event.kind not in _OWN for event in fresh)

    def push(self, *, at_once: bool = False) -> dict[str, str | None]:
        """Hand the newest checkpoint to each witness that lacks it: None where it took it, else why it did not.

        Raises:
            CheckpointInvalidError: what the ledger holds as its newest checkpoint is none.
            LedgerUnavailableError: what came of it cannot be recorded.
        """
        newest = self.newest()
        if newest is None:
            return {}
        wanting = [each for each in self.settings.witnesses if self._lacks(each, newest, at_once=at_once)]
        return {each.name: self._give(each, newest) for each in wanting}

    def cosignatures(self) -> Iterator[str]:
        """The checkpoints with what witnesses answered to them, the newest of each witness."""
        for each in self.settings.witnesses:
            for took in self.ledger.last(Kind.WITNESS_TOOK, where={"witness": each.name}):
                if took.body["checkpoint"]:
                    yield str(took.body["checkpoint"])

    def covering(self, seq: int) -> Checkpoint:
        """A checkpoint that covers entry `seq`: one that witnesses cosigned, else the newest, else one signed now.

        Raises: as `sign`.
        """
        known = [self.newest(), *map(self._open, self.cosignatures())]
        fitting = [each for each in known if each is not None and each.head.size > seq]
        best = max(fitting, key=lambda each: (len(each.cosigners), each.head.size), default=None)
        return best or self.sign()

    def _give(self, configured: Witness, newest: Checkpoint) -> str | None:
        now = self.clock()
        try:
            witness = witness_for(configured, self.settings.origin)
            self._refuse_fork(configured.name, witness.kept())
            answer = witness.take(newest.note, size=newest.head.size, at=now)
            cosigned = self._cosigned(newest, answer)
        except MigrateError as error:
            if isinstance(error, LedgerUnavailableError):
                raise
            self._record(Kind.WITNESS_FAILED, configured.name, newest, {"why": error.sentence})
            return error.sentence
        self._record(Kind.WITNESS_TOOK, configured.name, newest, {"checkpoint": cosigned})
        return None

    def _refuse_fork(self, name: str, kept: Sequence[str] | None) -> None:
        """Never put a checkpoint over one that this log does not continue: it is the proof that something was changed.

        Raises:
            WitnessFailedError: it keeps one of more entries, or of others.
        """
        for text in (kept or ())[:1]:
            try:
                known = self._open(text)
            except CheckpointInvalidError as error:
                raise WitnessFailedError(
                    f"The witness {name} keeps something else: {error.sentence}", hint="Look at it before it is moved."
                ) from error
            size = self.ledger.head().size
            if known.head.size > size or self.ledger.root_at(known.head.size) != known.head.root:
                raise WitnessFailedError(
                    f"The witness {name} keeps a checkpoint of {known.head.size} entries that this ledger does not "
                    "continue: its end was cut, or it was rewritten.",
                    hint="Run `mcp-migrate ledger verify`, and keep both as evidence.",
                )

    def _cosigned(self, newest: Checkpoint, answer: str) -> str | None:
        """The checkpoint with the cosignatures that hold; one that does not is an error, unknown ones are left."""
        if not answer:
            return None
        text = str(newest.note.with_lines(answer))
        return text if self._open(text).cosigners else None

    def _lacks(self, witness: Witness, newest: Checkpoint, *, at_once: bool) -> bool:
        took = self.ledger.last(Kind.WITNESS_TOOK, where={"witness": witness.name})
        if took and str(took[0].body["signed_at"]) == str(_moment(newest)):
            return False
        failures = self.ledger.last(Kind.WITNESS_FAILED, where={"witness": witness.name}, limit=_DOUBLED)
        failures = tuple(event for event in failures if not took or event.seq > took[0].seq)
        if at_once or not failures:
            return True
        pause = min(_FIRST_PAUSE * 2 ** (len(failures) - 1), _LONGEST_PAUSE)
        again: datetime = datetime.fromisoformat(failures[0].at) + pause
        return self.clock() >= again

    def _record(self, kind: Kind, name: str, newest: Checkpoint, more: Mapping[str, str | None]) -> None:
        body = {"witness": name, "size": newest.head.size, "signed_at": _moment(newest), **more}
        self.ledger.append(Draft(kind, body, subject=name), at=self.clock())

    def _open(self, text: str) -> Checkpoint:
        return open_checkpoint(text, self.settings.origin, self.keys(), verifier_keys(self.settings.cosigners))

    def _opened(self) -> LogKey:
        if not self._key:
            self._key.append(open_key(self.settings.key))
        return self._key[0]


def _moment(checkpoint: Checkpoint) -> str | None:
    """When the log signed it, which tells two checkpoints of one head apart."""
    return checkpoint.at.isoformat() if checkpoint.at else None


def keep_watching(keeper: Keeper, stop: threading.Event) -> None:
    """Sign and hand out what is due until `stop` is set; for a thread of its own, since a witness may take its time."""
    while not stop.wait(_LOOK_SECONDS):
        try:
            if keeper.due():
                keeper.sign()
            for name, why in keeper.push().items():
                if why is not None:
                    logger.warning("the witness %s has no newer checkpoint: %s", name, why)
        except MigrateError as error:
            logger.warning("checkpoints wait: %s", error)
