"""Does a step get a role of its own that can do what the step does, and is nothing of it left?"""

from __future__ import annotations

from contextlib import ExitStack

import psycopg
import pytest

from mcp_migrate.brokers import ending
from mcp_migrate.brokers.interface import Credential, Purpose
from mcp_migrate.dialects import dialect_for
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import CredentialFailedError, TargetUnreachableError
from tests.brokers.conftest import OPENING, Ground, left_of_those_that_hold_on, opening, step
from tests.waiting import until


@pytest.mark.proves("step-credentials")
def test_a_writing_step_acts_as_the_owner_and_leaves_nothing_of_its_own(shop: Ground) -> None:
    issued = shop.broker.issue(step())
    with connect(issued.url) as session:
        session.execute(b"CREATE TABLE shop.made (id int)")
        acting = session.execute(b"SELECT current_user, session_user").fetchone()
        assert acting == (shop.owner, issued.role)
        session.execute(b"DROP TABLE shop.made")
    shop.broker.revoke(issued)
    assert shop.roles() == []
    shop.broker.revoke(issued)  # what is gone is gone


@pytest.mark.proves("step-credentials-read-only")
@pytest.mark.parametrize("with_reader", [True, False])
@pytest.mark.parametrize("purpose", [Purpose.READ, Purpose.PLAN])
def test_a_reading_step_writes_nothing(shop: Ground, purpose: Purpose, *, with_reader: bool) -> None:
    place = shop.told(reader_role=shop.reader) if with_reader else shop
    issued = place.broker.issue(step(purpose))
    with connect(issued.url) as session:
        assert session.execute(b"SELECT count(*) FROM shop.kept").fetchall() == [(0,)]
        with pytest.raises(psycopg.Error, match="read-only"):
            session.execute(b"INSERT INTO shop.kept VALUES (1)")
        if with_reader:  # whatever it does with its own settings
            session.execute(b"SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(b"INSERT INTO shop.kept VALUES (1)")
            if shop.options:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(f"SET ROLE {shop.reader}".encode())
    place.broker.revoke(issued)
    assert shop.roles() == []


@pytest.mark.proves("step-credentials")
def test_nothing_that_a_step_leaves_in_the_target_runs_as_the_broker(shop: Ground) -> None:
    """A function whose types fit better than those of the server's own would be taken before it."""
    planted = ("starts_with(name, text)", "to_timestamp(bigint)", "set_config(text, varchar, boolean)")
    thief = shop.broker.issue(step())
    with connect(thief.url) as session:
        for function in planted:
            body = "BEGIN RAISE 'it ran as %', current_user; END"
            session.execute(f"CREATE FUNCTION public.{function} RETURNS bool LANGUAGE plpgsql AS $${body}$$".encode())
    shop.broker.revoke(thief)
    issued = shop.broker.issue(step(Purpose.PLAN))
    with dialect_for(shop.url, maker=shop.broker.maker()).open_scratch(issued.url) as scratch:
        assert "mcp_migrate_scratch_" in scratch.url
    assert shop.broker.sweep() == ()
    shop.broker.revoke(issued)
    for function in planted:
        shop.ask(f"DROP FUNCTION public.{function}")


@pytest.mark.proves("step-credentials-end-sessions")
def test_an_open_session_ends_with_its_credential(shop: Ground) -> None:
    issued = shop.broker.issue(step())
    with connect(issued.url) as session:
        session.execute(b"BEGIN")
        session.execute(b"CREATE TABLE shop.unfinished (id int)")
        shop.broker.revoke(issued)
        assert shop.roles() == []
        with pytest.raises(psycopg.OperationalError):
            session.execute(b"COMMIT")
    assert shop.ask("SELECT to_regclass('shop.unfinished')") == [(None,)]


@pytest.mark.proves("step-credentials-end-sessions")
def test_a_session_that_is_still_being_opened_ends_with_its_credential_and_those_of_others_go_on(shop: Ground) -> None:
    """Whoever opens one may say how long the server waits before it lists it; by then it acts as the owner."""
    issued, other = shop.broker.issue(step()), shop.broker.issue(step())
    with opening(issued, seconds=4) as thief, opening(other, seconds=4) as another:
        until(lambda: len(shop.ask(OPENING)) >= 2)
        shop.broker.revoke(issued)
        assert shop.roles() == [other.role]
        with pytest.raises((TargetUnreachableError, psycopg.OperationalError)):
            thief.result()
        assert another.result() == [(shop.owner,)]
    shop.broker.revoke(other)


@pytest.mark.proves("step-credentials-end-sessions")
def test_sessions_that_do_not_end_are_told_and_the_role_stays(newest: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = newest.broker.issue(step())
    with connect(issued.url):
        monkeypatch.setattr(ending, "_END_SECONDS", -1)
        with pytest.raises(CredentialFailedError, match="1 of its sessions do not end"):
            newest.broker.revoke(issued)
        assert newest.roles() == [issued.role]
        member = "SELECT pg_has_role($1, $2, 'MEMBER')"  # what is opened from here on acts as nobody
        assert newest.ask(member, issued.role, newest.owner) == [(False,)]
    monkeypatch.undo()
    newest.broker.revoke(issued)


def test_what_somebody_else_gave_a_step_keeps_it_no_longer(newest: Ground) -> None:
    issued = newest.broker.issue(step())
    newest.ask(f"GRANT pg_monitor TO {issued.role}")
    newest.broker.revoke(issued)
    assert newest.roles() == []


@pytest.mark.proves("step-credentials-end-sessions")
def test_a_session_that_holds_its_own_role_ends_with_it(shop: Ground) -> None:
    assert left_of_those_that_hold_on(shop) == []


def test_a_step_has_few_sessions_and_can_neither_make_roles_nor_last_longer(shop: Ground) -> None:
    issued = shop.broker.issue(step())
    with ExitStack() as sessions:
        for _ in range(4):
            session = sessions.enter_context(connect(issued.url))
        with pytest.raises(TargetUnreachableError, match="too many connections"):
            sessions.enter_context(connect(issued.url))
        session.execute(b"SET ROLE NONE")
        for sql in (
            f"ALTER ROLE {issued.role} VALID UNTIL 'infinity'",
            "CREATE ROLE another",
            f"GRANT {shop.owner} TO PUBLIC",
        ):
            with pytest.raises(psycopg.Error):
                session.execute(sql.encode())
        shop.broker.revoke(issued)


@pytest.mark.proves("step-credentials-expire")
def test_a_credential_of_a_dead_server_ends_by_itself_and_is_swept_by_the_next_step(newest: Ground) -> None:
    """Nobody revokes it: its server was killed."""
    left = newest.broker.issue(step(ttl=4))
    with connect(left.url) as thief:
        until(lambda: newest.ask("SELECT 1 WHERE now() > $1::timestamptz + interval '1 second'", left.expires))
        with pytest.raises(TargetUnreachableError, match="password authentication failed"):
            connect(left.url).__enter__()
        issued = newest.broker.issue(step())
        assert issued.swept == (left.role,)
        assert newest.roles() == [issued.role]
        with pytest.raises(psycopg.OperationalError):
            thief.execute(b"SELECT 1")
    assert newest.broker.sweep() == ()  # one that is in time stays
    assert newest.roles() == [issued.role]
    newest.broker.revoke(issued)


def test_other_roles_are_left_alone_whatever_they_are_called(newest: Ground) -> None:
    late, longer, foreign = (
        f"mcp_migrate_step_{end}" for end in ("ffffffffff_0badcafe", "1_0badcafe_too", "1_0badcafe")
    )
    with connect(newest.url) as broker:
        for name in (late, longer):
            broker.execute(f"CREATE ROLE {name}".encode())
    newest.ask(f"CREATE ROLE {foreign}")  # of another broker on the same server
    assert newest.broker.sweep() == ()
    assert newest.roles() == sorted([late, longer, foreign])
    for name in (late, longer, foreign):
        newest.ask(f"DROP ROLE {name}")


def test_the_password_is_in_no_statement_that_a_server_may_log(newest: Ground) -> None:
    issued = newest.broker.issue(step())
    [(stored,)] = newest.ask("SELECT rolpassword FROM pg_authid WHERE rolname = $1", issued.role)
    assert stored.startswith("SCRAM-SHA-256$")
    assert "PASSWORD" not in repr(issued).upper()
    assert "://" not in repr(issued)
    newest.broker.revoke(issued)


def test_a_role_that_still_owns_something_can_no_longer_log_in_and_is_told(newest: Ground) -> None:
    issued = newest.broker.issue(step())
    newest.ask(f"CREATE TABLE shop.owned (id int); ALTER TABLE shop.owned OWNER TO {issued.role}".split(";")[0])
    newest.ask(f"ALTER TABLE shop.owned OWNER TO {issued.role}")
    with pytest.raises(CredentialFailedError, match=r"cannot be dropped"):
        newest.broker.revoke(issued)
    assert newest.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", issued.role) == [(False,)]
    newest.ask("DROP TABLE shop.owned")
    newest.broker.revoke(issued)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"owner_role": "nobody_here"}, "does not exist"),
        ({"owner_role": "postgres"}, "permission denied|must have admin option|Only roles with"),
    ],
)
def test_a_role_that_cannot_be_made_leaves_nothing(newest: Ground, change: dict[str, str], said: str) -> None:
    with pytest.raises(CredentialFailedError, match=said):
        newest.told(**change).broker.issue(step())
    assert newest.roles() == []


def test_a_server_that_is_away_is_a_failed_credential() -> None:
    away = Ground("", "postgresql://nobody@127.0.0.1:1/shop", "owner", "reader", {})
    with pytest.raises(CredentialFailedError, match="cannot be reached") as refused:
        away.broker.issue(step())
    assert "Check the target's url" in refused.value.hint
    with pytest.raises(CredentialFailedError):
        away.broker.revoke(Credential("", role="mcp_migrate_step_1_0badcafe"))


def test_a_url_that_libpq_cannot_read_is_not_told() -> None:
    odd = Ground("", "postgresql://broker:hunter2@db/shop?no_such_option=hunter2", "owner", "reader", {})
    with pytest.raises(CredentialFailedError, match="cannot be read") as refused:
        odd.broker.issue(step())
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__}"


def test_what_the_brokers_own_key_could_do_beyond_is_told(shop: Ground) -> None:
    [*found, reads] = shop.broker.excess()
    assert "read-only by a setting" in reads
    assert [("pg_execute_server_program" in said) for said in found] == ([] if shop.options else [True])
    whole = Ground(shop.admin, shop.admin, shop.owner, shop.reader, {})
    assert any("superuser" in said for said in whole.broker.excess())


def test_an_owner_who_may_log_in_is_told_since_a_step_could_give_it_a_password(newest: Ground) -> None:
    newest.ask(f"ALTER ROLE {newest.owner} LOGIN")
    assert any(f"{newest.owner} may log in" in said for said in newest.broker.excess())
    issued = newest.broker.issue(step())
    with connect(issued.url) as thief:
        thief.execute(f"ALTER ROLE {newest.owner} PASSWORD 'mine'".encode())
    newest.broker.revoke(issued)
    newest.ask(f"ALTER ROLE {newest.owner} NOLOGIN PASSWORD NULL")
    assert not any("may log in" in said for said in newest.broker.excess())


def test_a_broker_that_has_the_owners_rights_itself_is_told(newest: Ground) -> None:
    newest.ask(f"GRANT {newest.owner} TO {newest.role} WITH INHERIT TRUE")
    assert any("has the rights of" in said for said in newest.broker.excess())
    newest.ask(f"GRANT {newest.owner} TO {newest.role} WITH INHERIT FALSE")
    assert not any("has the rights of" in said for said in newest.broker.excess())


def test_of_a_reader_that_the_server_holds_to_reading_nothing_is_told(newest: Ground) -> None:
    assert list(newest.told(reader_role=newest.reader).broker.excess()) == []


def test_a_step_that_does_not_act_as_the_owner_any_more_has_none_of_its_rights(shop: Ground) -> None:
    issued = shop.broker.issue(step())
    with connect(issued.url) as session:
        session.execute(b"SET ROLE NONE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(b"SELECT * FROM shop.kept")
    shop.broker.revoke(issued)


def test_a_writing_step_is_no_reader_where_that_gives_it_nothing(shop: Ground) -> None:
    """From 16 on it inherits from the reader, the right to connect above all."""
    broker = shop.told(reader_role=shop.reader).broker
    issued = broker.issue(step())
    is_member = shop.ask("SELECT pg_has_role($1, $2, 'MEMBER')", issued.role, shop.reader)
    assert is_member == [(shop.options,)]
    broker.revoke(issued)


def test_a_writing_step_connects_where_only_the_reader_may(newest: Ground) -> None:
    [(name,)] = newest.ask("SELECT current_database()")
    newest.ask(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    newest.ask(f"GRANT CONNECT ON DATABASE {name} TO {newest.reader}, {newest.role}")
    broker = newest.told(reader_role=newest.reader).broker
    issued = broker.issue(step())
    with connect(issued.url) as session:
        assert session.execute(b"SELECT current_user").fetchall() == [(newest.owner,)]
    broker.revoke(issued)
    newest.ask(f"GRANT CONNECT ON DATABASE {name} TO PUBLIC")


def test_an_owner_of_any_name_is_acted_as(shop: Ground) -> None:
    odd = "o\"wn'er \\ %s"
    admitted = "WITH ADMIN TRUE, INHERIT FALSE, SET FALSE" if shop.options else "WITH ADMIN OPTION"
    shop.ask('CREATE ROLE "' + odd.replace('"', '""') + '"')
    shop.ask('GRANT "' + odd.replace('"', '""') + f'" TO {shop.role} {admitted}')
    broker = shop.told(owner_role=odd).broker
    issued = broker.issue(step())
    with connect(issued.url) as session:
        assert session.execute(b"SELECT current_user").fetchall() == [(odd,)]
    broker.revoke(issued)
    shop.ask('DROP ROLE "' + odd.replace('"', '""') + '"')


def test_an_owner_of_the_database_is_told_since_a_step_could_close_it_to_the_broker(newest: Ground) -> None:
    [(name,)] = newest.ask("SELECT current_database()")
    newest.ask(f"ALTER DATABASE {name} OWNER TO {newest.owner}")
    assert any("the database itself belongs to" in said for said in newest.broker.excess())
    issued = newest.broker.issue(step())
    with connect(issued.url) as thief:
        thief.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0".encode())
        with pytest.raises(CredentialFailedError, match="too many connections"):
            newest.broker.revoke(issued)
    newest.ask(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    newest.ask(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
    newest.broker.revoke(issued)
    assert not any("belongs to" in said for said in newest.broker.excess())
