"""What does Alembic's offline mode render for each revision, where it can?

It writes once per statement. Nothing it writes is run: it is a second opinion on the recording, and a revision
whose code fails there simply has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Rendering:
    """The output buffer that offline mode writes to; it sorts the texts by revision."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._failed: set[str] = set()
        self._revision: str | None = None

    def enter(self, step: Any) -> None:
        """Have `step` run next; when it fails, the steps after it still run."""
        self._revision = step.revision.revision
        self._texts.setdefault(step.revision.revision, [])
        step.migration_fn = self._tried(step.migration_fn, step.revision.revision)

    def write(self, text: str) -> None:
        """Keep one statement."""
        if self._revision is not None:
            self._texts[self._revision].append(text.strip())

    def flush(self) -> None:
        """Nothing is held back."""

    def rendered(self) -> Mapping[str, list[str]]:
        """The texts of each revision that could be rendered."""
        return {name: texts for name, texts in self._texts.items() if name not in self._failed}

    def _tried(self, original: Callable[..., None], revision: str) -> Callable[..., None]:
        def migration(**keywords: Any) -> None:
            try:
                original(**keywords)
            except Exception:  # noqa: BLE001  offline, a revision may fail in any way; then there is no opinion
                self._failed.add(revision)

        return migration
