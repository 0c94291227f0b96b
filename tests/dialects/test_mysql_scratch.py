from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.mysql import scratch as module
from mcp_migrate.errors import RehearsalFailedError, TargetUnreachableError
from mcp_migrate.migrations.cage.confinement import within_reach
from tests.mariadb import ask

DATABASES = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'mcp\\_migrate\\_scratch%'"
USERS = "SELECT user FROM mysql.user WHERE user LIKE 'mcp\\_migrate\\_%'"
LEAVE = """GRANT CREATE USER ON *.* TO {name}@'%';
GRANT ALL ON `mcp\\_migrate\\_scratch\\_%`.* TO {name}@'%' WITH GRANT OPTION;
GRANT ALL ON {database}.* TO {name}@'%'"""


def left(server: str) -> list[tuple[Any, ...]]:
    return [*ask(server, DATABASES), *ask(server, USERS)]


@pytest.fixture
def narrow(mariadb_server: str, mariadb_url: str) -> Iterator[str]:
    """The database's URL for a user who may work in it and nowhere else."""
    database = mariadb_url.rpartition("/")[2]
    name = f"u_{database[2:20]}"
    ask(mariadb_server, f"CREATE USER {name}@'%' IDENTIFIED BY 'p'")
    ask(mariadb_server, f"GRANT ALL ON {database}.* TO {name}@'%'")
    yield mariadb_url.replace("tests:tests", f"{name}:p")
    ask(mariadb_server, f"DROP USER {name}@'%'")


def test_a_scratch_is_an_empty_database_like_the_targets(mariadb_url: str) -> None:
    ask(mariadb_url, "ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_german1_ci")

    with dialect_for(mariadb_url).open_scratch(mariadb_url) as scratch:
        assert not scratch.holds_schema
        ask(scratch.url, "CREATE TABLE t (a int)")
        assert ask(scratch.url, "SELECT @@collation_database") == [("latin1_german1_ci",)]
    assert left(mariadb_url) == []


def test_its_user_may_do_nothing_elsewhere(mariadb_url: str) -> None:
    ask(mariadb_url, "CREATE TABLE secret (a int)")
    database = mariadb_url.rpartition("/")[2]

    with dialect_for(mariadb_url).open_scratch(mariadb_url) as scratch:
        seen = {row[0] for row in ask(scratch.url, "SHOW DATABASES")}
        assert len(seen - {"information_schema"}) == 1
        with pytest.raises(Exception, match="denied"):
            ask(scratch.url, f"SELECT * FROM {database}.secret")  # noqa: S608  a name of ours


def test_a_user_with_the_rights_that_the_hint_names_can_make_one_and_another_when_the_clock_has_jumped(
    narrow: str, mariadb_server: str, mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, database = narrow.partition("//")[2].partition(":")[0], mariadb_url.rpartition("/")[2]
    for sql in LEAVE.format(name=name, database=database).split(";"):
        ask(mariadb_server, sql)

    with dialect_for(narrow).open_scratch(narrow) as scratch:
        ask(scratch.url, "CREATE TABLE t (a int)")
        later = time.time() + 8000
        monkeypatch.setattr(time, "time", lambda: later)
        with dialect_for(narrow).open_scratch(narrow):
            assert ask(scratch.url, "SELECT 1 FROM t") == []  # in use, however old it looks
    assert left(mariadb_server) == []


def test_without_the_rights_the_way_out_is_named(narrow: str, mariadb_server: str) -> None:
    with (
        pytest.raises(RehearsalFailedError, match="denied") as caught,
        dialect_for(narrow).open_scratch(narrow),
    ):
        pass

    assert "GRANT CREATE USER" in caught.value.hint
    assert left(mariadb_server) == []


def test_it_is_removed_with_whoever_is_in_it(mariadb_url: str) -> None:
    from mcp_migrate.drivers.mysql import connect

    with dialect_for(mariadb_url).open_scratch(mariadb_url) as scratch:
        lingering = connect(scratch.url)
        session = lingering.__enter__()
        session.query("CREATE TABLE t (a int)")
        session.query("START TRANSACTION")
        session.query("SELECT * FROM t")
    assert left(mariadb_url) == []


def test_what_a_dead_server_left_is_swept(mariadb_url: str) -> None:
    old, new = f"{int(time.time()) - 3 * 3600:x}_0badcafe", f"{int(time.time()):x}_0badcafe"
    for lease in (old, new):
        ask(mariadb_url, f"CREATE DATABASE {module._DATABASE}{lease}")
    ask(mariadb_url, f"CREATE USER {module._USER}{old}@'127.0.0.1'")

    with dialect_for(mariadb_url).open_scratch(mariadb_url):
        pass

    assert left(mariadb_url) == [(f"{module._DATABASE}{new}",)]
    ask(mariadb_url, f"DROP DATABASE {module._DATABASE}{new}")


def test_a_scratch_database_is_reached_through_one_port(mariadb_url: str) -> None:
    with within_reach(mariadb_url) as near:
        assert near.port is not None
        assert f"127.0.0.1:{near.port}" in near.url
        assert ask(near.url, "SELECT database()") == [(mariadb_url.rpartition("/")[2],)]
    with pytest.raises(TargetUnreachableError):
        ask(near.url, "SELECT 1")


def test_a_unix_socket_is_reached_through_one_port_too(mariadb_url: str) -> None:
    [(path,)] = ask(mariadb_url, "SELECT @@socket")

    with within_reach(f"{mariadb_url}?unix_socket={path}") as near:
        assert ask(near.url, "SELECT user() LIKE '%@localhost'") == [(1,)]


def test_the_name_stays_where_a_certificate_is_checked_against_it() -> None:
    with within_reach("mysql+pymysql://u:p@db.example.com/shop?ssl_ca=/ca.pem") as near:
        assert f"@db.example.com:{near.port}/" in near.url
