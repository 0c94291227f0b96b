"""What did the project print, cut to its tail and made harmless to show?"""

from __future__ import annotations

from threading import Condition
from typing import IO

_KEPT = 16_384
_SHOWN = 2_000
_CHUNK = 65_536
_PATIENCE = 1.0

MARK = b"\0"
"""What the child prints before each answer."""


class Tail:
    """The newest bytes of a stream; the rest is read and forgotten, so that a flood cannot block or fill memory."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._secrets = secrets
        self._bytes = b""
        self._marks = 0
        self._ended = False
        self._moved = Condition()

    def drain(self, stream: IO[bytes]) -> None:
        """Read until the end."""
        while chunk := stream.read1(_CHUNK):  # type: ignore[attr-defined]  # pipes are buffered readers
            with self._moved:
                self._bytes = (self._bytes + chunk)[-_KEPT:]
                self._marks += chunk.count(MARK)
                self._moved.notify()
        with self._moved:
            self._ended = True
            self._moved.notify()

    def wait(self, marks: int) -> None:
        """Wait until what belongs to that many answers was read: it comes through another pipe than they do."""
        with self._moved:
            self._moved.wait_for(lambda: self._ended or self._marks >= marks, _PATIENCE)

    def text(self) -> str:
        """At most 2,000 characters, without control characters and secrets."""
        words = self._bytes.decode(errors="replace")
        for secret in self._secrets:
            words = words.replace(secret, "…")
        clean = "".join(letter for letter in words if letter.isprintable() or letter in "\n\t")
        return clean[-_SHOWN:]
