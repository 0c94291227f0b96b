"""Do the functions that are printed make roles of steps, for a broker that may make no role itself?"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.roles import roles_sql
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import CredentialFailedError, TargetUnreachableError
from tests.brokers.conftest import OPENING, Ground, ground, left_of_those_that_hold_on, opening, step
from tests.waiting import until

_VERIFIER = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"


@pytest.fixture(scope="module", params=["strict_server", "older_server"])
def minted(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """On each version the functions, and a broker whose role has no right of its own."""
    with ground(request.getfixturevalue(request.param)) as shop:
        names = {"owner": shop.owner, "reader": shop.reader, "broker": shop.role}
        printed = roles_sql(**names, database="shop", mint="mcp_migrate_mint")
        with psycopg.connect(shop.admin, autocommit=True) as admin:
            admin.execute(printed[printed.index("CREATE SCHEMA mcp") :].encode())
        shop.ask(f"ALTER ROLE {shop.role} NOCREATEROLE NOCREATEDB")
        shop.ask(f"REVOKE {shop.owner}, {shop.reader} FROM {shop.role}")
        yield shop.told(mint="mcp_migrate_mint")


@pytest.mark.proves("step-credentials-minted")
def test_a_broker_that_may_make_no_role_gets_those_of_steps(minted: Ground) -> None:
    with pytest.raises(CredentialFailedError):
        minted.told(mint=None).broker.issue(step())
    assert list(minted.broker.excess()) == []
    writes, reads = minted.broker.issue(step()), minted.broker.issue(step(Purpose.READ))
    with connect(writes.url) as session, connect(reads.url) as reading:
        assert session.execute(b"SELECT current_user").fetchall() == [(minted.owner,)]
        session.execute(b"CREATE TABLE shop.minted (id int)")
        session.execute(b"DROP TABLE shop.minted")
        reading.execute(b"SET default_transaction_read_only = off")
        assert reading.execute(b"SELECT count(*) FROM shop.kept").fetchall() == [(0,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reading.execute(b"INSERT INTO shop.kept VALUES (1)")
        for issued in (writes, reads, reads):
            minted.broker.revoke(issued)
        with pytest.raises(psycopg.OperationalError):
            session.execute(b"SELECT 1")
    assert minted.roles() == []
    left = minted.broker.issue(step(ttl=-1))
    assert minted.broker.sweep() == (left.role,)


@pytest.mark.parametrize("too_much", ["CREATEROLE", "SUPERUSER"])
def test_a_broker_that_needs_no_functions_for_that_is_told(minted: Ground, too_much: str) -> None:
    minted.ask(f"ALTER ROLE {minted.role} {too_much}")
    assert any("may make roles without mcp_migrate_mint" in said for said in minted.broker.excess())
    minted.ask(f"ALTER ROLE {minted.role} NO{too_much}")


@pytest.mark.proves("step-credentials-end-sessions")
def test_a_session_that_holds_its_own_role_ends_with_it(minted: Ground) -> None:
    assert left_of_those_that_hold_on(minted) == []


@pytest.mark.proves("step-credentials-minted", "step-credentials-end-sessions")
def test_a_session_that_is_still_being_opened_ends_with_its_credential(minted: Ground) -> None:
    issued = minted.broker.issue(step())
    with opening(issued, seconds=4) as thief:
        until(lambda: minted.ask(OPENING))
        minted.broker.revoke(issued)
        assert minted.roles() == []
        with pytest.raises((TargetUnreachableError, psycopg.OperationalError)):
            thief.result()


@pytest.mark.proves("step-credentials-minted")
@pytest.mark.parametrize(
    "asked",
    [
        f"issue('postgres_too', '{_VERIFIER}', now(), true)",
        f"issue('mcp_migrate_step_1_0badcafe', '{_VERIFIER}', now() + interval '2 days', true)",
        f"issue('mcp_migrate_step_1_0badcafe', '{_VERIFIER}', NULL, true)",
        f"issue('mcp_migrate_step_1_0badcafe', '{_VERIFIER}', 'infinity', true)",
        "issue('mcp_migrate_step_1_0badcafe', 'plain', now(), true)",
        "close('postgres')",
        "finish('postgres')",
    ],
)
def test_the_functions_make_and_drop_nothing_else(minted: Ground, asked: str) -> None:
    with connect(minted.url) as broker, pytest.raises(psycopg.errors.RaiseException, match="this is no"):
        broker.execute(f"SELECT mcp_migrate_mint.{asked}".encode())
    assert minted.roles() == []


def test_nobody_else_may_use_them(minted: Ground) -> None:
    issued = minted.broker.issue(step(Purpose.READ))
    with connect(issued.url) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(b"SELECT mcp_migrate_mint.close('mcp_migrate_step_1_0badcafe')")
    minted.broker.revoke(issued)
