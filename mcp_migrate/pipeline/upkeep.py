"""What is put in order before anything is said of a target: applies whose server died, undo data whose time is over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mcp_migrate.errors import (
    ConfigInvalidError,
    CredentialFailedError,
    LockedError,
    TargetFrozenError,
    TargetUnreachableError,
)
from mcp_migrate.leave.freezing import Frozen, refuse_frozen
from mcp_migrate.model import Plan
from mcp_migrate.settings import Settings
from mcp_migrate.stages import execute, record

if TYPE_CHECKING:
    from mcp_migrate.brokers.keys import Keys


_NOT_NOW = (LockedError, TargetUnreachableError, TargetFrozenError, CredentialFailedError, ConfigInvalidError)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The upkeep of one pipeline's targets; what is in `running` has its outcome soon."""

    settings: Settings
    keys: Keys
    clock: Callable[[], datetime]
    running: Collection[str]
    held: Callable[[str | None], Frozen | None]
    pruned: set[str]

    def settle(self, name: str | None, recorder: record.Recorder) -> None:
        """Give each apply of this target whose server died its outcome, before anything else is said of the target.

        What runs in this process has its outcome soon, and what holds the target's lock may still be running.
        """
        for started in recorder.unfinished.in_flight(name) if name else ():
            apply_id = str(started.subject)
            if apply_id in self.running:
                continue
            recorder.flush(at=self.clock())
            plan, target = Plan.thaw(started.body["plan"]), self.settings.target(str(name))
            with (
                suppress(LockedError, TargetUnreachableError, CredentialFailedError),
                execute.settle(
                    plan, apply_id=apply_id, target=target, keys=self.keys, began=recorder.unfinished.began(started)
                ) as outcome,
            ):
                if recorder.unfinished.is_open(apply_id):
                    recorder.settled(started, asdict(outcome), at=self.clock())

    def prune(self, name: str, recorder: record.Recorder) -> tuple[str, ...]:
        """As `Pipeline.prune`."""
        refuse_frozen(name, self.held(name))
        over = execute.expired_undo(name, self.keys)
        if not over:
            return ()
        recorder.expired(name, [asdict(entry) for entry in over], at=self.clock())
        gone = execute.prune_undo(name, self.keys, over={entry.key for entry in over})
        recorder.pruned(name, gone, at=self.clock())
        return gone

    def prune_once(self, name: str | None, recorder: record.Recorder) -> None:
        """With the first call about a target; what cannot be removed now is removed later."""
        if name is not None and name in self.settings.targets and name not in self.pruned:
            self.pruned.add(name)
            with suppress(*_NOT_NOW):
                self.prune(name, recorder)
