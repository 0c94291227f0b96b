"""The shop, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.migrations.sample import Shop, lite


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """The shop with an empty target, once on each database."""
    if request.param == "sqlite":
        return lite(tmp_path)
    return Shop(tmp_path, str(request.getfixturevalue("postgres_url")))


@pytest.fixture
def lite_shop(tmp_path: Path) -> Shop:
    """The shop on SQLite, for what does not depend on the database."""
    return lite(tmp_path)
