"""Does a session say what its role could do, beyond what it is used for?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.postgresql.reader import PostgresReader
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.drivers.postgresql import connect


def powers(url: str) -> Powers:
    with dialect_for(url).open_reader(url) as reader:
        return reader.powers()


@pytest.mark.parametrize("server", ["postgres_url", "mariadb_url"])
def test_an_administrator_is_told_with_the_servers_clock(server: str, request: pytest.FixtureRequest) -> None:
    found = powers(request.getfixturevalue(server))
    assert found.rules
    assert found.at is not None
    assert abs(found.at - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.proves("doctor-rights")
def test_a_role_that_only_reads_changes_nothing_and_one_grant_more_is_told(postgres_url: str) -> None:
    def ask(admin: Any, sql: str) -> None:
        admin.execute(sql.encode())

    def of_the_role(admin: Any) -> Powers:
        ask(admin, "SET SESSION AUTHORIZATION looker")
        found = PostgresReader(admin).powers()
        ask(admin, "RESET SESSION AUTHORIZATION")
        return found

    with connect(postgres_url) as admin:
        ask(admin, "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE TABLE t (a int); CREATE ROLE looker LOGIN")
        try:
            assert of_the_role(admin).unread == ("public.t",)
            ask(admin, "GRANT SELECT ON t TO looker")
            found = of_the_role(admin)
            assert (found.rules, found.changes, found.unread, found.foreign) == (False, (), (), ("public.t",))
            ask(admin, "GRANT DELETE ON t TO looker; GRANT CREATE ON SCHEMA public TO looker")
            assert of_the_role(admin).changes == ("rows of public.t", "what is in schema public")
        finally:
            ask(admin, "DROP OWNED BY looker; DROP ROLE looker")


def test_an_account_of_mariadb_likewise(mariadb_url: str) -> None:
    from mcp_migrate.dialects.mysql.reader import MysqlReader
    from mcp_migrate.drivers.mysql import connect as connect_mysql

    with connect_mysql(mariadb_url) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT database()")
        [(database,)] = cursor.fetchall()
        cursor.execute("CREATE OR REPLACE USER looker@'%' IDENTIFIED BY 'x'")
        try:
            found = []
            for grant in ("SELECT", "DELETE"):
                cursor.execute(f"GRANT {grant} ON `{database}`.* TO looker@'%'")
                with connect_mysql(_as_looker(mariadb_url)) as session:
                    found.append(MysqlReader(session, mariadb_url).powers())
        finally:
            cursor.execute("DROP USER looker@'%'")
    assert [(each.rules, each.changes) for each in found] == [(False, ()), (False, (f"DELETE on {database}",))]


def _as_looker(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).set(username="looker", password="x").render_as_string(hide_password=False)
