"""A second PostgreSQL, of another version than the embedded one: the oldest that is to be had here."""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mcp_migrate.drivers.postgresql import connect

_PLACE = Path(os.environ.get("MCP_MIGRATE_TEST_POSTGRESQL", "/usr/lib/postgresql"))
"""Versions of it, each in the folder of its number; `.ci/run` puts the oldest there that we work on."""


@pytest.fixture(scope="session")
def older_programs() -> Path:
    """The folder of its programs."""
    found = sorted(
        (int(p.parent.name), p) for p in _PLACE.glob("*/bin") if p.parent.name.isdigit() and (p / "initdb").exists()
    )
    if not found:
        pytest.skip(
            f"no second version of PostgreSQL is under {_PLACE}: install one, or name the folder that holds the"
            " unpacked programs of some in MCP_MIGRATE_TEST_POSTGRESQL, each in a folder of its number"
        )
    return found[0][1]


@pytest.fixture(scope="session")
def older_server(older_programs: Path) -> Iterator[str]:
    """The URL of a superuser on it; the server ends with the tests."""
    account = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="mcp-migrate-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)  # the server runs as another account when the tests run as root
        data = f"{folder}/data"

        def run(program: str, *arguments: str) -> None:
            command = [str(older_programs / program), "-D", data, *arguments]
            subprocess.run(command, check=True, capture_output=True, cwd=folder, user=account)

        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            with suppress(subprocess.CalledProcessError):
                run("pg_ctl", "-m", "immediate", "stop")


@pytest.fixture
def older_url(older_server: str) -> Iterator[str]:
    """The URL of a fresh, empty database on it."""
    name = f"t_{uuid.uuid4().hex}"
    with connect(older_server) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield older_server.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
