"""Does a step on MariaDB get an account of its own, and does none outlive its time but as a locked definer?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pymysql
import pytest
from sqlalchemy.engine import make_url

from mcp_migrate.brokers import ending
from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.mysql_user import procedures_sql
from mcp_migrate.dialects import dialect_for
from mcp_migrate.drivers.mysql import connect, quote
from mcp_migrate.errors import CredentialFailedError, RehearsalFailedError, TargetUnreachableError
from tests.brokers.conftest import step
from tests.brokers.mysql_shop import Shop, minted
from tests.mariadb import ask, run_script
from tests.waiting import until

VERIFIER = "*" + "A" * 40
WRITING = (
    "INSERT INTO kept VALUES (1)",
    "DROP TABLE kept",
    "CREATE TABLE t (id int)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TRIGGER t BEFORE INSERT ON kept FOR EACH ROW SET NEW.id = 1",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "CREATE PROCEDURE p() SELECT 1",
    "SELECT body FROM mysql.proc",
)


@pytest.fixture
def shop(mariadb_server: str, mariadb_url: str) -> Iterator[Shop]:
    with minted(mariadb_server, mariadb_url) as here:
        yield here


@pytest.mark.proves("step-credentials-mysql", "step-credentials-end-sessions", "step-credentials-read-only")
def test_an_account_does_what_its_step_does_and_its_sessions_end_with_it(shop: Shop) -> None:
    writes, reads = shop.broker.issue(step()), shop.broker.issue(step(Purpose.READ))
    assert shop.accounts() == sorted([str(writes.role), str(reads.role)])
    with ExitStack() as sessions:
        for _ in range(4):
            sessions.enter_context(connect(reads.url))
        with pytest.raises(TargetUnreachableError, match="max_user_connections"):
            sessions.enter_context(connect(reads.url))
    with connect(writes.url) as session:
        session.query("CREATE TABLE made (id int)")
        assert ask(reads.url, "SELECT count(*) FROM kept") == [(0,)]
        for sql in WRITING:
            with pytest.raises(pymysql.Error, match="denied"):
                ask(reads.url, sql)
        for issued in (writes, reads):
            assert shop.broker.revoke(issued) is None
            assert shop.broker.revoke(issued) is None  # what is gone is gone
        with pytest.raises(pymysql.Error):
            session.query("DROP TABLE made")
    assert shop.accounts() == []
    assert "://" not in repr(writes)


@pytest.mark.proves("step-credentials-mysql")
def test_an_account_that_is_a_definer_is_locked_and_what_it_defines_goes_on_until_that_is_gone(shop: Shop) -> None:
    issued = shop.broker.issue(step())
    for sql in (
        "CREATE VIEW seen AS SELECT * FROM kept",
        "CREATE PROCEDURE adds() INSERT INTO kept VALUES (1)",
        "CREATE TRIGGER adds BEFORE INSERT ON kept FOR EACH ROW SET NEW.id = NEW.id + 1",
        "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO CALL adds()",
    ):
        ask(issued.url, sql)
    defines = "event daily, procedure adds, trigger adds, view seen"
    assert shop.broker.revoke(issued) == f"it is locked and stays as the definer of {defines}"
    assert shop.locked(issued)
    ask(shop.admin, "CALL adds()")
    assert ask(shop.admin, "SELECT id FROM seen") == [(2,)]
    assert list(shop.broker.excess())[1:] == [f"{issued.role} is locked and stays as the definer of {defines}"]
    [(rights,)] = ask(shop.admin, f"SHOW GRANTS FOR {issued.role}@'127.0.0.1'")[1:]
    assert not {"DROP", "ALTER", "CREATE,", "ALL"} & set(str(rights).split())
    later = shop.broker.issue(step(Purpose.READ))
    with dialect_for(later.url).open_reader(later.url) as reader:
        schema = reader.schema(version_table="v")
        powers = reader.powers()
    assert (len(schema.others), schema.unseen, powers.changes) == (5, (), ())
    shop.broker.revoke(later)
    for sql in ("DROP VIEW seen", "DROP EVENT daily", "DROP PROCEDURE adds", "DROP TRIGGER adds"):
        assert shop.broker.sweep() == ()
        assert shop.accounts() == [issued.role]
        ask(shop.admin, sql)
    assert (shop.broker.sweep(), shop.accounts()) == ((), [])


@pytest.mark.proves("step-credentials-mysql")
def test_all_that_define_nothing_any_more_are_dropped_at_once(shop: Shop) -> None:
    for name in ("one", "two"):
        issued = shop.broker.issue(step())
        ask(issued.url, f"CREATE VIEW {name} AS SELECT 1")
        assert shop.broker.revoke(issued) == f"it is locked and stays as the definer of view {name}"
    ask(shop.admin, "DROP VIEW one, two")
    assert (shop.broker.sweep(), shop.accounts()) == ((), [])


@pytest.mark.proves("step-credentials-mysql", "step-credentials-read-only")
def test_what_a_step_that_only_reads_leaves_behind_writes_nothing_once_it_is_over(shop: Shop) -> None:
    """It sees events and triggers, and so may make some."""
    ask(shop.admin, "CREATE EVENT theirs ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO SELECT 1")
    ask(shop.admin, "INSERT INTO kept VALUES (1)")
    stolen = shop.broker.issue(step(Purpose.READ))
    ask(stolen.url, "CREATE EVENT deletes ON SCHEDULE EVERY 1 SECOND DO DELETE FROM kept")
    assert shop.broker.revoke(stolen) == "it is locked and stays as the definer of event deletes"
    assert shop.locked(stolen)
    ran = "SELECT last_executed > NOW() - INTERVAL 1 SECOND FROM information_schema.events WHERE event_name = 'deletes'"
    until(lambda: ask(shop.admin, ran) == [(1,)])
    assert len(ask(shop.admin, f"SHOW GRANTS FOR {stolen.role}@'127.0.0.1'")) == 1
    assert ask(shop.admin, "SELECT id FROM kept") == [(1,)]


@pytest.mark.proves("step-credentials-mysql", "step-credentials-expire")
def test_the_server_itself_ends_account_and_sessions_when_their_time_is_over_and_our_next_server_hears(
    shop: Shop,
) -> None:
    """Nobody revokes them: their server was killed."""
    ask(shop.admin, f"ALTER EVENT {shop.mint}.expire ON SCHEDULE EVERY 1 SECOND")
    in_time, kept = shop.broker.issue(step()), shop.broker.issue(step(ttl=4))
    ask(kept.url, "CREATE VIEW seen AS SELECT 1 AS one")
    gone = shop.broker.issue(step(ttl=4))
    with connect(gone.url) as thief:
        until(lambda: set(shop.accounts()) == {kept.role, in_time.role})
        with pytest.raises(pymysql.Error):
            thief.query("SELECT 1")
    assert shop.locked(kept)
    assert ask(shop.admin, "SELECT * FROM seen") == [(1,)]
    assert set(shop.broker.sweep()) == {gone.role, kept.role}
    assert shop.broker.sweep() == ()
    assert ask(in_time.url, "SELECT 1") == [(1,)]
    shop.broker.revoke(in_time)


@pytest.mark.proves("step-credentials-mysql")
def test_nothing_is_issued_where_nothing_would_end_it(shop: Shop) -> None:
    off = ("SET GLOBAL event_scheduler = OFF", f"ALTER EVENT {shop.mint}.expire DISABLE")
    on = ("SET GLOBAL event_scheduler = ON", f"ALTER EVENT {shop.mint}.expire ENABLE")
    for turn_off, turn_on in zip(off, on, strict=True):
        ask(shop.admin, turn_off)
        with pytest.raises(CredentialFailedError, match="nothing would end it"):
            shop.broker.issue(step())
        assert shop.accounts() == []
        ask(shop.admin, turn_on)


@pytest.mark.parametrize(
    "sql",
    [
        f"CALL issue('abcdef', '{VERIFIER}', 86401, 1)",
        f"CALL issue('abcdef', '{VERIFIER}', NULL, 1)",
        f"CALL issue('abcdef', '{VERIFIER}', 10, NULL)",
        f"CALL issue('a''b--', '{VERIFIER}', 10, 1)",
        "CALL issue('abcdef', CONCAT('*', REPEAT('A', 39), ''''), 10, 1)",
        f"CALL scratch('shop', '{VERIFIER}')",
        "CALL unscratch('shop')",
        "CALL run('SELECT 1')",
        "CALL end_step('x', @n)",
        "CALL expire()",
        "SELECT * FROM steps",
        "CREATE USER another",
        "SET GLOBAL event_scheduler = OFF",
    ],
)
def test_whoever_has_the_brokers_key_can_do_nothing_else_with_it(shop: Shop, sql: str) -> None:
    inside = shop.url.rpartition("/")[0]
    with pytest.raises(pymysql.Error, match=r"denied|this is no|too long|cannot be null"):
        ask(f"{inside}/{shop.mint}", sql)
    with pytest.raises(TargetUnreachableError, match="denied"):
        ask(shop.url, "SELECT * FROM kept")


@pytest.mark.proves("step-credentials-mysql")
def test_an_account_that_is_ended_by_its_name_in_capitals_is_ended(shop: Shop) -> None:
    """To a comparison that is the same name, and to the server another account, which there is not."""
    issued = shop.broker.issue(step())
    ask(shop.url.rpartition("/")[0] + f"/{shop.mint}", f"CALL finish('{str(issued.role).upper()}')")
    assert shop.accounts() == []
    with pytest.raises(TargetUnreachableError, match="denied"):
        ask(issued.url, "SELECT 1")


def test_a_session_that_says_it_is_another_time_gets_nothing_longer_by_it(shop: Shop) -> None:
    with connect(shop.url.rpartition("/")[0] + f"/{shop.mint}") as session, session.cursor() as cursor:
        cursor.execute("SET timestamp = 4000000000")
        cursor.execute("CALL issue('abcdef', %s, 10, 0)", (VERIFIER,))
        [(name, ends)] = cursor.fetchall()
    assert abs(int(ends) - time.time() - 10) < 60
    assert int(name.split("_")[3], 16) == ends


@pytest.mark.proves("step-credentials-mysql")
def test_nor_does_one_that_says_so_end_what_is_in_time(shop: Shop) -> None:
    issued = shop.broker.issue(step())
    with connect(shop.url.rpartition("/")[0] + f"/{shop.mint}") as session, session.cursor() as cursor:
        cursor.execute("SET timestamp = 4000000000")
        cursor.execute("CALL sweep()")
    assert shop.accounts() == [issued.role]
    shop.broker.revoke(issued)


@pytest.mark.proves("step-credentials-mysql", "step-credentials-expire")
def test_one_that_cannot_be_ended_keeps_no_other(shop: Shop) -> None:
    over = shop.broker.issue(step(ttl=1))
    ask(shop.admin, f"INSERT INTO {shop.mint}.steps VALUES ('a', 'no''host', 1, 1, 'open', 1, NULL)")  # noqa: S608
    until(lambda: shop.broker.sweep() == (over.role,))
    assert shop.accounts() == []


def test_scratch_databases_that_a_dead_server_left_are_dropped_unless_somebody_is_in_them(shop: Shop) -> None:
    long_ago, just_now = (f"mcp_migrate_scratch_{int(time.time()) - ago:08x}" for ago in (8000, 7000))
    left, used, young = (f"{long_ago}_00000000", f"{long_ago}_00000001", f"{just_now}_00000000")
    for name in (left, used, young):
        ask(shop.admin, f"CREATE DATABASE {name}")
    with connect(shop.admin.rpartition("/")[0] + f"/{used}"):
        shop.broker.sweep()
        shop.broker.sweep()
        found = ask(shop.admin, "SHOW DATABASES LIKE 'mcp\\_migrate\\_scratch%'")
    assert sorted(name for (name,) in found) == sorted([used, young])
    for name in (used, young):
        ask(shop.admin, f"DROP DATABASE {name}")


@pytest.mark.proves("step-credentials-mysql")
def test_scratch_databases_are_made_by_the_procedures_and_seen_by_nobody_else(shop: Shop) -> None:
    ask(shop.admin, "ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_german1_ci")
    reads = shop.broker.issue(step(Purpose.PLAN))
    dialect = dialect_for(shop.url, maker=shop.broker.maker())
    with dialect.open_scratch(reads.url) as scratch:
        ask(scratch.url, "CREATE TABLE t (id int)")
        alike = str(make_url(scratch.url).database).replace("_", "x")
        ask(shop.admin, f"CREATE DATABASE {alike}")
        assert ask(scratch.url, "SELECT @@collation_database") == [("latin1_german1_ci",)]
        assert scratch.named == shop.url.rpartition("/")[2]
        others: Any = ask(scratch.url, "SHOW DATABASES")
        assert len(others) == 2
    ask(shop.admin, f"DROP DATABASE {alike}")
    left = ask(shop.admin, "SHOW DATABASES LIKE 'mcp\\_migrate\\_scratch%'")
    assert left == ask(shop.admin, "SELECT 1 FROM mysql.user WHERE user LIKE 'mcp\\_migrate\\_6%'") == []
    ask(shop.admin, f"DROP PROCEDURE {shop.mint}.scratch")
    with pytest.raises(RehearsalFailedError, match="No scratch database"), dialect.open_scratch(reads.url):
        pass
    shop.broker.revoke(reads)


@pytest.mark.proves("step-credentials-mysql")
def test_a_step_reaches_a_database_of_any_name_and_none_that_is_called_alike(mariadb_server: str) -> None:
    name = "it's_\\a%`b"
    alike = name.replace("_", "x")
    for each in (name, alike):
        ask(mariadb_server, f"CREATE DATABASE {quote(each)}")
        ask(mariadb_server, f"CREATE TABLE {quote(each, 't')} (id int)")
    url = make_url(mariadb_server).set(database=name).render_as_string(hide_password=False)
    with minted(mariadb_server, url) as shop:
        issued = shop.broker.issue(step())
        ask(issued.url, "CREATE VIEW v AS SELECT * FROM t")
        with pytest.raises(pymysql.Error, match="denied"):
            ask(issued.url, f"DROP TABLE {quote(alike, 't')}")
        assert shop.broker.revoke(issued) == "it is locked and stays as the definer of view v"
    for each in (name, alike):
        ask(mariadb_server, f"DROP DATABASE {quote(each)}")


@pytest.mark.proves("step-credentials-mysql", "step-credentials-end-sessions")
def test_sessions_that_do_not_end_are_told_and_the_account_stays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = shop.broker.issue(step())
    with connect(issued.url):
        monkeypatch.setattr(ending, "_END_SECONDS", -1)
        with pytest.raises(CredentialFailedError, match="1 of its sessions do not end"):
            shop.broker.revoke(issued)
        assert shop.accounts() == [issued.role]
    monkeypatch.undo()
    shop.broker.revoke(issued)


@pytest.mark.proves("step-credentials-mysql")
def test_what_the_brokers_account_may_do_beyond_its_procedures_is_told(shop: Shop) -> None:
    assert not any("may do more" in said for said in shop.broker.excess())
    ask(shop.admin, f"GRANT CREATE USER ON *.* TO {shop.mint.replace('mint', 'broker')}@'%'")
    assert any("may do more" in said and "CREATE USER" in said for said in shop.broker.excess())


@pytest.mark.proves("step-credentials-mysql")
def test_where_the_brokers_account_is_not_there_the_script_makes_none_without_a_password(mariadb_server: str) -> None:
    for text in (script := procedures_sql(mint="mint_early", database="shop", broker="early")), _last_part(script):
        with pytest.raises(pymysql.Error, match="user table"):
            run_script(mariadb_server, text)
        assert ask(mariadb_server, "SELECT 1 FROM mysql.user WHERE user = 'early'") == []
        assert ask(mariadb_server, "SHOW DATABASES LIKE 'mint\\_early'") == []


def _last_part(script: str) -> str:
    """What hands out the procedures, after a session like the one in which they are made."""
    grants = script.rpartition("DELIMITER ;")[2]
    return f"SET SESSION sql_mode = 'STRICT_ALL_TABLES';\n{grants.replace('PROCEDURE `mint_early`.issue', '*.*')}"


def test_a_broker_without_its_procedures_is_told_what_is_missing(mariadb_url: str) -> None:
    with pytest.raises(CredentialFailedError) as refused:
        Shop(mariadb_url, mariadb_url, "nowhere").broker.issue(step())
    assert "credentials sql" in refused.value.hint
