"""A database on MariaDB whose steps get accounts by the procedures that an admin installs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy.engine import make_url

from mcp_migrate.brokers import broker_for
from mcp_migrate.brokers.interface import Broker, Credential
from mcp_migrate.brokers.mysql_user import procedures_sql
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.settings import Target
from tests.mariadb import ask, run_script


@dataclass(frozen=True)
class Shop:
    """`admin` is the URL of whoever may do everything, `url` that of the broker."""

    admin: str
    url: str
    mint: str

    @property
    def target(self) -> Target:
        given = {"broker": "mysql-user", "mint": self.mint, "ttl": 60}
        return Target.model_validate(
            {"tier": "production", "alembic": "/shop/alembic.ini", "url": self.url, "credentials": given}
        )

    @property
    def broker(self) -> Broker:
        return broker_for(self.target)

    def accounts(self) -> list[str]:
        found = ask(self.admin, "SELECT user FROM mysql.user WHERE user LIKE 'mcp\\_migrate\\_step%' ORDER BY user")
        return [str(name) for (name,) in found]

    def locked(self, issued: Credential) -> bool:
        """Whether nobody gets in with it, neither by its password nor by another."""
        with pytest.raises(TargetUnreachableError, match="denied"):
            ask(issued.url, "SELECT 1")
        [(made,)] = ask(self.admin, f"SHOW CREATE USER {issued.role}@'127.0.0.1'")
        return "ACCOUNT LOCK" in str(made)


@contextmanager
def minted(mariadb_server: str, mariadb_url: str) -> Iterator[Shop]:
    mark = uuid.uuid4().hex[:8]
    broker, mint = f"broker_{mark}", f"mint_{mark}"
    ask(mariadb_server, "SET GLOBAL event_scheduler = ON")
    ask(mariadb_server, f"CREATE USER {broker}@'%' IDENTIFIED BY 'b'")
    here = Shop(mariadb_url, mariadb_url.replace("tests:tests", f"{broker}:b"), mint)
    run_script(mariadb_server, procedures_sql(mint=mint, database=str(make_url(mariadb_url).database), broker=broker))
    ask(mariadb_url, "CREATE TABLE kept (id int)")
    yield here
    for sql in (f"DROP DATABASE {mint}", f"DROP USER {broker}@'%'", "SET GLOBAL event_scheduler = OFF"):
        ask(mariadb_server, sql)
    for name in here.accounts():
        ask(mariadb_server, f"DROP USER {name}@'127.0.0.1'")
