"""Does a step get a lease of OpenBao, which ends with its sessions, and is nothing else taken for a lease?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from mcp_migrate.brokers import vault
from mcp_migrate.brokers.interface import Broker, Purpose
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
    shop.ask("DROP TABLE shop.made")


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


class Other(HTTPServer):
    """OpenBao answers none of this, so what answers here is not OpenBao. `asked` is how."""

    def __init__(self, answer: bytes, taken: int, pause: float) -> None:
        asked, part = list[str](), len(answer) // 8 + 1
        self.asked = asked

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.command)
                self.send_response(taken if self.command == "PUT" else 200)
                self.end_headers()
                with suppress(OSError):
                    for start in range(0, len(answer), part):
                        self.wfile.write(answer[start : start + part])
                        time.sleep(pause)

            do_PUT = do_GET  # noqa: N815  as http.server calls it

            def log_message(self, *_: object) -> None:
                """Nothing."""

        super().__init__(("127.0.0.1", 0), Answering)

    def broker(self, folder: Path) -> Broker:
        return OpenBao(f"http://127.0.0.1:{self.server_port}", folder).broker("postgresql://db/shop")


@contextmanager
def other(answer: bytes, *, taken: int = 200, pause: float = 0) -> Iterator[Other]:
    with Other(answer, taken, pause) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def lease(seconds: int, **user: str) -> bytes:
    return json.dumps({"lease_id": "database/creds/x/1", "lease_duration": seconds, "data": user}).encode()


@pytest.mark.proves("step-credentials-vault", "step-credentials-expire")
@pytest.mark.parametrize(
    ("answer", "said", "asked"),
    [
        (lease(0, username="one", password="hunter2"), "has no end", ["GET", "PUT"]),
        (lease(-1, username="one", password="hunter2"), "has no end", ["GET", "PUT"]),
        (lease(10**15, username="one", password="hunter2"), "later than the step's ttl", ["GET", "PUT"]),
        (lease(60, access_key="hunter2"), "no lease", ["GET", "PUT"]),
        (b"hunter2" * 100_000, "too much", ["GET"]),
        (b"hunter2", "no lease", ["GET"]),
    ],
)
def test_what_is_no_lease_for_the_step_is_given_back_where_it_can_be(
    tmp_path: Path, answer: bytes, said: str, asked: list[str]
) -> None:
    with other(answer) as server:
        with pytest.raises(CredentialFailedError, match=said) as refused:
            server.broker(tmp_path).issue(step())
        assert "hunter2" not in f"{refused.value} {refused.value.__cause__}"
        assert server.asked == asked


@pytest.mark.proves("step-credentials-vault", "step-credentials-expire")
def test_one_that_lasts_too_long_and_is_not_taken_back_is_told_as_still_there(tmp_path: Path) -> None:
    with (
        other(lease(3600, username="one", password="hunter2"), taken=500) as server,
        pytest.raises(CredentialFailedError, match="It is still there: Vault answered 500"),
    ):
        server.broker(tmp_path).issue(step())


@pytest.mark.proves("step-credentials-vault")
def test_what_is_no_lease_and_cannot_be_given_back_is_no_lease_all_the_same(tmp_path: Path) -> None:
    with (
        other(lease(60, access_key="hunter2"), taken=500) as server,
        pytest.raises(CredentialFailedError, match="no lease"),
    ):
        server.broker(tmp_path).issue(step())


@pytest.mark.proves("step-credentials-vault")
@pytest.mark.parametrize(("pause", "said"), [(2, "gave no answer"), (0.2, "too slowly")])
def test_one_that_answers_too_slowly_fails_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause: float, said: str
) -> None:
    monkeypatch.setattr(vault, "_SECONDS", 1.0)
    with (
        other(lease(60, username="one", password="hunter2"), pause=pause) as server,
        pytest.raises(CredentialFailedError, match=said),
    ):
        server.broker(tmp_path).issue(step())


@pytest.mark.proves("step-credentials-vault")
def test_what_is_not_enciphered_passes_no_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with other(lease(60, username="one", password="hunter2")) as server, other(b"") as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert server.broker(tmp_path).issue(step()).role == "one"
        assert proxy.asked == []


@pytest.mark.proves("step-credentials-vault")
def test_a_token_that_can_be_sent_to_nobody_fails_the_step(tmp_path: Path) -> None:
    with other(b"") as server:
        broker = server.broker(tmp_path)
        (tmp_path / "token").write_text("gehört-uns")
        with pytest.raises(CredentialFailedError, match="gave no answer"):
            broker.issue(step())
