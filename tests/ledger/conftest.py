"""Ledgers to test with."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.ledger import Ledger
from mcp_migrate.ledger.sqlite_storage import SqliteStorage
from tests.forger import tamper

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as opened:
        yield opened


def connection_of(ledger: Ledger) -> Connection:
    """How a file's ledger reaches it."""
    assert isinstance(ledger._storage, SqliteStorage)
    return ledger._storage.connection


@dataclass(frozen=True)
class Place:
    """Where a ledger can be, and what someone can do who owns the database."""

    url: str
    tamper: Callable[..., None]


@pytest.fixture(scope="session")
def ledgers_url(postgres_server: str) -> str:
    """A database for ledgers, each in a schema of its own."""
    name = f"ledgers_{uuid.uuid4().hex}"
    with connect(postgres_server) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0".encode())
    return postgres_server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def place_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """Makes places where there is no ledger yet."""
    if request.param == "sqlite":
        return lambda: in_a_file(tmp_path / uuid.uuid4().hex / "ledger.db")
    database: str = request.getfixturevalue("ledgers_url")
    return lambda: in_a_schema(database)


def in_a_file(path: Path) -> Place:
    def change(*statements: str) -> None:
        tamper(path, *(text.replace("{events}", "events") for text in statements))

    return Place(f"sqlite:///{path}", change)


def in_a_schema(database: str) -> Place:
    schema = f"ledger_{uuid.uuid4().hex[:12]}"
    table = f"{schema}.events"

    def change(*statements: str) -> None:
        """As the owner, who puts the triggers back as if nothing had been."""
        with connect(database) as owner:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            for text in statements:
                owner.execute(text.replace("{events}", table).encode())
            for trigger in ("events_no_change", "events_no_truncate", "events_only_at_the_end"):
                owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}".encode())

    return Place(f"{database}&schema={schema}", change)


@pytest.fixture
def place(place_of: Callable[[], Place]) -> Place:
    return place_of()
