"""How does another ledger keep checkpoints? As entries of its own, under its own tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mcp_migrate.anchors.witnesses.interface import failed
from mcp_migrate.errors import ConfigInvalidError, CredentialFailedError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.ledger.note import Note
from mcp_migrate.settings.references import resolve

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class InLedger:
    """A ledger that is there already; checkpoints of several logs may be in it."""

    name: str
    url: str
    origin: str

    def take(self, note: Note, *, size: int, at: datetime) -> str:
        """Append it."""
        body = {"origin": self.origin, "size": size, "checkpoint": str(note)}
        with self._opened() as ledger:
            ledger.append(Draft(Kind.CHECKPOINT_WITNESSED, body, subject=self.origin), at=at)
        return ""

    def kept(self) -> tuple[str, ...]:
        """Those of this log."""
        with self._opened() as ledger:
            found = ledger.last(Kind.CHECKPOINT_WITNESSED, limit=_MOST, where={"origin": self.origin})
        return tuple(str(event.body["checkpoint"]) for event in found)

    def _opened(self) -> Ledger:
        try:
            return Ledger.open(resolve(self.url), create=False)
        except (ConfigInvalidError, CredentialFailedError, LedgerUnavailableError, LedgerCorruptError) as error:
            raise failed(self.name, f"cannot be used: {error.sentence}") from error
