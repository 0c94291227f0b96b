"""A database with a store of sealed plans, as an admin makes it, and plans to seal there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.engine import make_url

from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.placing import open_sealer
from mcp_migrate.brokers.postgres_sealed import PostgresSealed
from mcp_migrate.brokers.roles import sealed_sql
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.model import Plan, Reverse, Statement
from mcp_migrate.settings import Target
from tests.brokers.conftest import step


@dataclass(frozen=True)
class SealedShop:
    """`admin` is a superuser's URL; those of the runner and the sealer beside it."""

    admin: str
    stem: str

    def url(self, who: str) -> str:
        mine = make_url(self.admin)._replace(drivername="postgresql", username=f"{self.stem}_{who}", password=None)
        return mine.render_as_string(hide_password=False)

    @property
    def credentials(self) -> dict[str, Any]:
        return {"broker": "postgres-sealed", "owner_role": f"{self.stem}_owner", "reader_role": f"{self.stem}_reader"}

    @property
    def broker(self) -> PostgresSealed:
        given = {"tier": "production", "alembic": "/shop/alembic.ini", "url": self.url("runner")}
        return PostgresSealed(Target.model_validate({**given, "credentials": self.credentials}))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.admin) as admin:
            done = admin.execute(sql.encode())
            return done.fetchall() if done.description else []

    def seal(self, plan: Plan, *, begins: float = 0, lasts: float = 60, again: bool = False) -> None:
        starts = datetime.now(UTC) + timedelta(seconds=begins)
        with open_sealer(self.url("sealer")) as sealer:
            sealer.place(plan, begins=starts, ends=starts + timedelta(seconds=lasts), again=again)

    @contextmanager
    def session(self, purpose: Purpose = Purpose.APPLY) -> Iterator[Any]:
        """As somebody who stole the credential of a step."""
        broker = self.broker
        credential = broker.issue(step(purpose))
        try:
            with connect(credential.url) as thief:
                yield thief
        finally:
            broker.revoke(credential)


def plan_of(*texts: str | Statement) -> Plan:
    made = [Statement(n, "p1", each) if isinstance(each, str) else each for n, each in enumerate(texts, 1)]
    back = Reverse(available=False, restores_schema=False)
    return Plan("shop", "postgresql", None, "p1", "f", None, "public.v", tuple(made), back)


def run(thief: Any, plan: Plan | str, numbers: Sequence[int]) -> None:
    """Those statements, in one transaction."""
    digest = plan if isinstance(plan, str) else plan.digest
    with thief.transaction():
        for n in numbers:
            thief.execute(b"SELECT mcp_migrate_sealed.run($1, $2)", [digest, n])


_BEFORE = (
    "GRANT CREATE ON SCHEMA public TO PUBLIC",  # as a database that was upgraded has it
    "CREATE SCHEMA mcp_migrate",  # and one that was applied to before
    "CREATE TABLE mcp_migrate.applies (apply_id text PRIMARY KEY, plan text NOT NULL, done integer NOT NULL)",
    "GRANT USAGE ON SCHEMA mcp_migrate TO PUBLIC",
    "GRANT ALL ON mcp_migrate.applies TO PUBLIC",
)


@contextmanager
def sealed_shop(server: str) -> Iterator[SealedShop]:
    name = f"shop_{uuid.uuid4().hex[:10]}"
    inside = server.replace("/postgres?", f"/{name}?")
    parts = ("owner", "reader", "keeper", "runner", "sealer")
    names = {part: f"{name}_{part}" for part in parts}
    with connect(server) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    try:
        with connect(inside) as admin:
            for sql in _BEFORE:
                admin.execute(sql.encode())
            admin.execute(sealed_sql({**names, "store": "mcp_migrate_sealed", "database": name}).encode())
            admin.execute(f"SET ROLE {names['owner']}".encode())
            admin.execute(b"CREATE TABLE kept (id int)")
        yield SealedShop(inside, name)
    finally:
        with connect(server) as admin:
            members = "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member WHERE roleid = "
            left = admin.execute(f"{members} '{names['reader']}'::regrole".encode()).fetchall()
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            for role in {*(role for (role,) in left), *names.values()} - {names["keeper"]}:
                admin.execute(f"DROP ROLE {role}".encode())
            admin.execute(f"DROP ROLE {names['keeper']}".encode())
