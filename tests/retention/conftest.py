"""A ledger whose entries are old, with somebody outside who knows its head."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_migrate.retention.sealing import Retention
from tests.anchors.conftest import Site


class Archive(Site):
    """A site with a witness. Stories are written a year ago; `later` moves on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.configure(witnesses=[{"kind": "file", "name": "mount", "path": str(folder / "checkpoint")}])

    @property
    def retention(self) -> Retention:
        """As whoever runs the commands now, with the head outside as it is on a server that runs."""
        self.keeper.sign()
        assert not any(self.keeper.push(at_once=True).values())
        return Retention(self.settings, self.ledger, self.keeper, self.now, "ada")

    def sealed(self) -> Path:
        """Everything that is there, in a segment."""
        self.later(days=1)
        return self.retention.seal(self.now, self.folder)[0]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path)
    yield made
    made.close()
