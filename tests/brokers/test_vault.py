"""Does a step get a lease of OpenBao, which ends with its sessions, and is nothing else taken for a lease?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import CredentialFailedError
from tests.brokers.conftest import Ground, step
from tests.brokers.openbao import OpenBao, running
from tests.waiting import until


@pytest.fixture
def bao() -> Iterator[OpenBao]:
    with running() as here:
        yield here


@pytest.mark.proves("step-credentials-vault")
def test_a_lease_has_the_rights_of_its_step_and_ends_with_its_sessions(bao: OpenBao, shop: Ground) -> None:
    bao.serves(shop)
    broker = bao.broker(shop.admin)
    reads, owns = broker.issue(step(Purpose.PLAN)), broker.issue(step(Purpose.APPLY))
    assert {reads.role, owns.role} == set(bao.users(shop))
    with connect(owns.url) as owner, connect(reads.url) as reader:
        owner.execute(b"CREATE TABLE shop.made (id int)")
        assert reader.execute(b"SELECT count(*) FROM shop.kept").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(b"INSERT INTO shop.kept VALUES (1)")
        broker.revoke(owns)
        with pytest.raises(psycopg.OperationalError):
            owner.execute(b"SELECT 1")
    broker.revoke(reads)
    assert bao.users(shop) == []
    assert shop.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'made'") == [(shop.owner,)]


@pytest.mark.proves("step-credentials-vault", "step-credentials-expire")
def test_a_lease_that_nobody_gives_back_ends_by_itself(bao: OpenBao, newest: Ground) -> None:
    bao.serves(newest, lasting="3s")
    left = bao.broker(newest.admin).issue(step())
    with connect(left.url) as thief:
        until(lambda: bao.users(newest) == [])
        with pytest.raises(psycopg.OperationalError):
            thief.execute(b"SELECT 1")


@pytest.mark.proves("step-credentials-vault")
def test_a_lease_that_outlasts_the_step_is_given_back(bao: OpenBao, newest: Ground) -> None:
    bao.serves(newest, lasting="9m")
    with pytest.raises(CredentialFailedError, match="later than the step's ttl") as refused:
        bao.broker(newest.admin).issue(step(ttl=60))
    assert "default_ttl" in refused.value.hint
    assert bao.users(newest) == []


@pytest.mark.proves("step-credentials-vault")
def test_a_token_needs_no_more_than_the_docs_say(bao: OpenBao, newest: Ground) -> None:
    bao.serves(newest)
    token = bao.folder / "least"
    token.write_text(bao.token("database/creds/shop-*", "sys/leases/revoke"))
    broker = bao.broker(newest.admin, token=f"${{file:{token}}}")
    broker.revoke(broker.issue(step()))
    token.write_text(bao.token("sys/leases/revoke"))
    with pytest.raises(CredentialFailedError, match="answered 403"):
        broker.issue(step())
    assert bao.users(newest) == []


@pytest.mark.proves("step-credentials-vault")
def test_an_engine_in_a_namespace_is_asked_there(bao: OpenBao, newest: Ground) -> None:
    bao.run("namespace", "create", "team")
    bao.serves(newest, namespace="team")
    broker = bao.broker(newest.admin, namespace="team")
    broker.revoke(broker.issue(step()))
    assert bao.users(newest) == []


@pytest.mark.proves("step-credentials-vault")
def test_a_secret_that_stays_is_no_lease(bao: OpenBao, newest: Ground) -> None:
    """It would be nobody's to revoke, whatever end it says it has."""
    bao.run("secrets", "enable", "-path=kept", "kv")
    bao.run("write", "kept/creds/shop-owner", "username=shop", "password=hunter2", "ttl=30s")
    with pytest.raises(CredentialFailedError, match="no lease") as refused:
        bao.broker(newest.admin, mount="kept").issue(step())
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__} {refused.value.details}"


@pytest.mark.proves("step-credentials-vault")
def test_one_that_is_sealed_or_away_fails_the_step(bao: OpenBao, newest: Ground) -> None:
    bao.serves(newest)
    broker = bao.broker(newest.admin)
    held = broker.issue(step())
    bao.run("operator", "seal")
    with pytest.raises(CredentialFailedError, match="answered 503"):
        broker.issue(step())
    with pytest.raises(CredentialFailedError, match="answered 503"):
        broker.revoke(held)
    with pytest.raises(CredentialFailedError, match="gave no answer"):
        bao.broker(newest.admin, address="http://127.0.0.1:1").issue(step())
    for name in bao.users(newest):
        newest.ask(f'DROP ROLE "{name}"')


@pytest.mark.proves("step-credentials-vault")
def test_a_lease_without_an_end_is_given_back(tmp_path: Path) -> None:
    """OpenBao makes none, so what answers here is not OpenBao."""
    asked: list[str] = []

    class Endless(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.command)
            self.send_response(200)
            self.end_headers()
            lease = {"lease_id": "database/creds/x/1", "lease_duration": 0}
            self.wfile.write(json.dumps({**lease, "data": {"username": "one", "password": "p"}}).encode())

        do_PUT = do_GET  # noqa: N815  as http.server calls it

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Endless) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        bao = OpenBao(f"http://127.0.0.1:{server.server_port}", tmp_path)
        with pytest.raises(CredentialFailedError, match="has no end"):
            bao.broker("postgresql://db/shop").issue(step())
        server.shutdown()
    assert asked == ["GET", "PUT"]
