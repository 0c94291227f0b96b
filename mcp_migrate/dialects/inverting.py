"""What takes a schema back to what it was, where the project itself does not say how?"""

from __future__ import annotations

from typing import Protocol

from mcp_migrate.schema.model import Schema


class Inverter(Protocol):
    """Texts only: whoever asks runs them on a scratch database, and they count only if the schema is the same again."""

    def renamed_back(self, sql: str) -> str | None:
        """The statement that takes a renaming back; None where that is not certain."""
        ...

    def statements(self, now: Schema, then: Schema) -> tuple[str, ...]:
        """What turns `now` into `then` by names: what came is dropped, what went is made again as it was read."""
        ...
