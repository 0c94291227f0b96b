"""A database with an owner, a reader and the role of a broker, on each version of PostgreSQL that is here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from mcp_migrate.brokers import broker_for
from mcp_migrate.brokers.address import address
from mcp_migrate.brokers.interface import Broker, Credential, Purpose, Step
from mcp_migrate.brokers.postgres_role import PostgresRole
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import MigrateError
from mcp_migrate.settings import Target
from tests.dialects.conftest import older_programs, older_server

__all__ = ["older_programs", "older_server"]


@dataclass
class Written:
    """A register that remembers."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False

    def issued(self, step: Step, credential: Credential, broker: str) -> None:
        if self.broken:
            raise RuntimeError("no ledger")
        self.lines.append(("issued", step.purpose, f"{broker} {credential.role}"))

    def revoked(
        self, step: Step, credential: Credential, *, why: str, left: MigrateError | None, kept: str | None
    ) -> None:
        if self.broken:
            raise RuntimeError("no ledger")
        self.lines.append(("left" if left else "revoked", step.purpose, f"{why}: {kept or credential.role}"))

    def swept(self, target: str, roles: tuple[str, ...]) -> None:
        self.lines += [("swept", target, role) for role in roles]


@dataclass(frozen=True)
class Ground:
    """`admin` is a superuser's URL, `url` that of the broker's role."""

    admin: str
    url: str
    owner: str
    reader: str
    credentials: Mapping[str, Any]

    @property
    def target(self) -> Target:
        given = {"broker": "postgres-role", "owner_role": self.owner, "ttl": 60, **self.credentials}
        return Target.model_validate(
            {"tier": "production", "alembic": "/shop/alembic.ini", "url": self.url, "credentials": given}
        )

    @property
    def broker(self) -> Broker:
        return broker_for(self.target)

    def told(self, **more: Any) -> Ground:
        return replace(self, credentials={**self.credentials, **more})

    @property
    def role(self) -> str:
        """The broker's."""
        return str(make_url(self.url).username)

    @property
    def options(self) -> bool:
        """Whether a membership says by itself what it gives: from PostgreSQL 16 on."""
        return int(self.ask("SHOW server_version_num")[0][0]) >= 160_000

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with connect(self.admin) as admin:
            done = admin.execute(sql.encode(), values or None)
            return done.fetchall() if done.description else []

    def roles(self) -> list[str]:
        """The roles of steps that are there."""
        found = self.ask("SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'mcp_migrate_step_') ORDER BY 1")
        return [name for (name,) in found]


OPENING = "SELECT 1 FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass"


@contextmanager
def opening(issued: Credential, *, seconds: int, acting_as: str | None = None) -> Iterator[Future[Any]]:
    """A session that the server opens for so long; as whom it is open then, or why it is not."""
    user, password = str(make_url(issued.url).username), str(make_url(issued.url).password)
    asked = {"post_auth_delay": str(seconds), **({"role": acting_as} if acting_as else {})}
    slow = address(issued.url, user, password, settings=asked)

    def who() -> Any:
        with connect(slow) as session:
            return session.execute(b"SELECT current_user").fetchall()

    with ThreadPoolExecutor() as pool:
        yield pool.submit(who)


def hold(thief: psycopg.Connection[Any]) -> None:
    """Change its own password and do not commit: nobody else changes the role until that ends."""
    for sql in (b"SET default_transaction_read_only = off", b"SET ROLE NONE", b"BEGIN"):
        thief.execute(sql)
    thief.execute(b"ALTER ROLE CURRENT_USER PASSWORD 'mine'")


def left_of_those_that_hold_on(shop: Ground) -> list[str]:
    """The roles that are there when a step of each kind has held its own, and was revoked with its session."""
    for purpose in (Purpose.READ, Purpose.APPLY):
        stolen = shop.broker.issue(step(purpose))
        with connect(stolen.url) as thief:
            hold(thief)
            shop.broker.revoke(stolen)
            with pytest.raises(psycopg.OperationalError):
                thief.execute(b"SELECT 1")
    return shop.roles()


def step(purpose: Purpose = Purpose.APPLY, ttl: float = 60) -> Step:
    return Step("shop", "agent:one", purpose, ttl)


@contextmanager
def ground(server: str) -> Iterator[Ground]:
    mark = uuid.uuid4().hex[:10]
    name, owner, reader, broker = f"shop_{mark}", f"owner_{mark}", f"reader_{mark}", f"broker_{mark}"
    with connect(server) as admin:
        options = admin.info.server_version >= 160_000
        admitted = " WITH ADMIN TRUE, INHERIT FALSE, SET FALSE" if options else " WITH ADMIN OPTION"
        for sql in (
            f"CREATE ROLE {owner}",
            f"CREATE ROLE {reader}",
            f"CREATE ROLE {broker} LOGIN CREATEROLE CREATEDB {'' if options else 'NOINHERIT'}",
            f"GRANT {owner} TO {broker}{admitted}",
            f"GRANT {reader} TO {broker}{admitted}",
            f"CREATE DATABASE {name}",
            f"GRANT CREATE ON DATABASE {name} TO {owner}",
        ):
            admin.execute(sql.encode())
    inside = server.replace("/postgres?", f"/{name}?")
    with connect(inside) as admin:
        for sql in (
            f"SET ROLE {owner}",
            f"CREATE SCHEMA shop AUTHORIZATION {owner}",
            "CREATE TABLE shop.kept (id int)",
            f"GRANT USAGE ON SCHEMA shop TO {reader}",
            f"GRANT SELECT ON shop.kept TO {reader}",
            "RESET ROLE",
            f"ALTER SCHEMA public OWNER TO {owner}",
        ):
            admin.execute(sql.encode())
    url = make_url(inside)._replace(drivername="postgresql", username=broker, password=None)
    here = Ground(inside, url.render_as_string(hide_password=False), owner, reader, {})
    try:
        yield here
    finally:
        with connect(server) as admin:
            for left in here.roles():
                PostgresRole(here.target).revoke(Credential("", role=left))
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            for role in (broker, owner, reader):
                admin.execute(f"DROP ROLE {role}".encode())


@pytest.fixture(scope="session")
def strict_server(postgres_server: str) -> str:
    """The server; whoever logs in with the role of a step needs its password, and its time."""
    with connect(postgres_server) as admin:
        [(file,)] = admin.execute(b"SHOW hba_file").fetchall()
        rules = Path(file)
        if "mcp_migrate_step" not in rules.read_text():
            rules.write_text(f'local all "/^mcp_migrate_step_" scram-sha-256\n{rules.read_text()}')
        admin.execute(b"SELECT pg_reload_conf()")
    return postgres_server


@pytest.fixture(scope="session")
def newest(strict_server: str) -> Iterator[Ground]:
    with ground(strict_server) as here:
        yield here


@pytest.fixture(scope="session", params=["newest", "older"])
def shop(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """On each version that is here."""
    if request.param == "newest":
        yield request.getfixturevalue("newest")
        return
    with ground(request.getfixturevalue("older_server")) as here:
        yield here
