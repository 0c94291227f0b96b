"""Servers of several versions, to ask what a statement really locks and writes."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_OLDER = Path("/usr/lib/postgresql/15/bin")


def _run(*command: str) -> None:
    """Run it as the account `postgres` where the tests run as root, whom the server refuses."""
    account = "postgres" if os.geteuid() == 0 else None
    subprocess.run(command, check=True, capture_output=True, user=account, group=account, cwd="/")


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[str]:
    """The URL of a superuser on PostgreSQL 15, reached by a socket that ends with the tests."""
    if not (_OLDER / "initdb").exists():
        pytest.skip("PostgreSQL 15 is not installed: apt-get install postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="mcp-migrate-15-"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    data, socket = folder / "data", f"-c listen_addresses= -c fsync=off -k {folder}"
    try:
        _run(str(_OLDER / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync")
        _run(str(_OLDER / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w", "-o", socket, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            _run(str(_OLDER / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
