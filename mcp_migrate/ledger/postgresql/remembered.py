"""Which head did this machine last see? A server has no file beside its database, so each keeps one of its own.

It is written without a lock: of two servers on one machine the later head may be forgotten again, and an older one is
still a head that the ledger has to continue.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.merkle import EMPTY_ROOT
from mcp_migrate.ledger.sidecar import begin_in, head_of, put_in

_NOTHING = Head(0, EMPTY_ROOT.hex())


class Remembered:
    """The largest head that was seen, by this process and by those before it on this machine."""

    def __init__(self, file: Path | None) -> None:
        self._file, self._head = file, _NOTHING
        if file is not None:
            _begin(file)

    def head(self) -> Head:
        """What has to be there still. Raises: LedgerCorruptError, OSError: the file is no head, or cannot be read."""
        if self._file is None:
            return self._head
        kept = head_of(self._file)
        if kept is None:
            raise LedgerCorruptError(
                f"The file {self._file} is gone, in which this machine remembers the ledger's head.",
                hint="Start the server again, and hold the ledger against a witness: `mcp-migrate ledger verify`.",
            )
        return max(kept, self._head, key=lambda head: head.size)

    def saw(self, head: Head) -> None:
        """Remember it. Raises: OSError."""
        if head.size > self._head.size:
            self._head = head
            if self._file is not None:
                put_in(self._file, head)


def _begin(file: Path) -> None:
    """The first time on this machine nothing is known, and whatever is there has to be taken for the ledger."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
            begin_in(file, Path(folder) / "head")
