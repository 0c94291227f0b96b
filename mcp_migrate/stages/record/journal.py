"""What is written of one apply while it runs?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_migrate.errors import MigrateError
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import Approved, LeftHead, Statement, digest
from mcp_migrate.stages.record.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Journal:
    """What is written of one apply while it runs: each statement that no transaction takes back, before and after."""

    recorder: Recorder
    approved: Approved
    apply_id: str
    clock: Callable[[], datetime]

    def may_run(self) -> bool:
        """Whether this apply has no outcome, and no other of its target stopped part way since it began."""
        return self.recorder.unfinished.is_open(self.apply_id) and not self.recorder.unfinished.overtaken(self.apply_id)

    def others(self) -> tuple[str, ...]:
        """The other applies of this target that have no outcome."""
        started = self.recorder.unfinished.in_flight(str(self.approved.call.target))
        return tuple(str(event.subject) for event in started if event.subject != self.apply_id)

    def head(self, left: Sequence[LeftHead]) -> LeftHead:
        """What the ledger is now, with the entry that this apply began.

        Raises:
            LedgerCorruptError: it does not continue the newest that earlier applies left in their target.
        """
        head = self.recorder.continued(left[0] if left else None)
        return LeftHead(self.apply_id, head.size, head.root)

    def began(self, statement: Statement, *, clear: bool) -> None:
        """It is about to be sent; `clear` says that nothing is there that looks as if it had failed before."""
        named = {"n": statement.n, "revision": statement.revision, "digest": digest(statement.frozen())}
        body = {**named, "clear": clear}
        self._write(Kind.STATEMENT_STARTED, body)

    def ended(self, statement: Statement, error: MigrateError | None) -> None:
        """It ran, or the database refused it. Nothing is written where nobody knows."""
        details = error.details if error else {}
        if details.get("unknown"):
            return
        body = {
            "n": statement.n,
            "status": "failed" if error else "ran",
            "code": error.code if error else None,
            "uncertain": details.get("uncertain") == statement.n,
            **({"left": details["left"]} if "left" in details else {}),
        }
        self._write(Kind.STATEMENT_FINISHED, body)

    def _write(self, kind: Kind, body: Mapping[str, Any]) -> None:
        granted = self.approved.prepared.granted
        told, call_id = {"target": granted.call.target, **body}, granted.call.call_id
        draft = Draft(kind, told, workflow=granted.workflow, call_id=call_id, subject=self.apply_id)
        self.recorder.write(draft, at=self.clock())
