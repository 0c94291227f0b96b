"""How does a file keep checkpoints? The newest one, replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mcp_migrate.anchors.witnesses.interface import failed
from mcp_migrate.ledger.note import Note


@dataclass(frozen=True, slots=True)
class InFile:
    """A file in a folder that is there already: a missing one is a mount that is missing."""

    name: str
    path: Path

    def take(self, note: Note, *, size: int, at: datetime) -> str:
        """Write it beside the old one, and put it in its place."""
        del size, at
        try:
            descriptor, new = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                    file.write(str(note))
                    file.flush()
                    os.fsync(file.fileno())
                Path(new).replace(self.path)
            except BaseException:
                with suppress(OSError):
                    Path(new).unlink()
                raise
        except OSError as error:
            raise failed(self.name, f"cannot be written: {error.strerror or error}") from error
        return ""

    def kept(self) -> tuple[str, ...]:
        """The one it has."""
        try:
            return (self.path.read_bytes().decode(),)
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise failed(self.name, f"cannot be read: {error}") from error
