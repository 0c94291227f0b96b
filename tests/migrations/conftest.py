"""The shop, on each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.migrations.sample import Shop, lite


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """The shop with an empty target, once on each database."""
    if request.param == "sqlite":
        return lite(tmp_path)
    name = "postgres_url" if request.param == "postgresql" else "mariadb_url"
    return Shop(tmp_path, str(request.getfixturevalue(name)))


@pytest.fixture
def lite_shop(tmp_path: Path) -> Shop:
    """The shop on SQLite, for what does not depend on the database."""
    return lite(tmp_path)
