"""Does a token of AWS open the target for its step's user over checked TLS only, and is it told what it cannot do?

No AWS is asked: tokens are signed here. A database of ours stands in for RDS, with the token as the user's password.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import psycopg
import pytest
from sqlalchemy.engine import make_url

from mcp_migrate.brokers import broker_for, ending
from mcp_migrate.brokers.aws_rds_iam import _client
from mcp_migrate.brokers.interface import Broker, Purpose
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import CredentialFailedError, TargetUnreachableError
from mcp_migrate.settings import Target
from tests.brokers.conftest import Ground, step

AT = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
ENDPOINT = "shop.c1.eu-central-1.rds.amazonaws.com"


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    """An AWS identity that is none, and one moment for all tokens: a password that is a token stays the same."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: AT.replace(tzinfo=None))
    _client.cache_clear()
    yield
    _client.cache_clear()


def broker(url: str, *, ttl: float = 900, **rds: Any) -> Broker:
    given = {"broker": "aws-rds-iam", "rds": {"region": "eu-central-1", "read": "reads", "apply": "writes", **rds}}
    target = Target.model_validate({"tier": "production", "alembic": "/a.ini", "url": url, "credentials": given})
    return broker_for(target.model_copy(update={"credentials": target.credentials.model_copy(update={"ttl": ttl})}))


@pytest.mark.proves("step-credentials-rds")
def test_a_token_is_signed_for_one_user_of_one_database_for_a_quarter_of_an_hour() -> None:
    url = f"postgresql://somebody@{ENDPOINT}:6432/shop?sslmode=verify-full"
    before = datetime.now(UTC)
    for purpose, user in ((Purpose.APPLY, "writes"), (Purpose.READ, "reads")):
        issued = broker(url).issue(step(purpose))
        opened = make_url(issued.url)
        signed = urlsplit(f"https://{opened.password}")
        told = {name: value for name, [value] in parse_qs(signed.query).items()}
        assert (signed.hostname, signed.port, told["Action"], told["DBUser"]) == (ENDPOINT, 6432, "connect", user)
        assert told["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
        assert told["X-Amz-Credential"] == "AKIDEXAMPLE/20261128/eu-central-1/rds-db/aws4_request"
        assert (told["X-Amz-Date"], told["X-Amz-Expires"]) == ("20261128T230000Z", "900")
        assert len(told["X-Amz-Signature"]) == 64
        assert (opened.username, issued.role) == (user, user)
        assert issued.expires is not None
        assert before <= issued.expires - timedelta(minutes=15) <= datetime.now(UTC)
        assert "Signature" not in repr(issued)


def test_a_token_is_for_the_endpoint_that_aws_knows_whatever_the_way_to_it_is_called() -> None:
    issued = broker("postgresql://tunnel:6432/shop?sslmode=verify-ca", endpoint=f"{ENDPOINT}:5432").issue(step())
    assert (make_url(issued.url).host, urlsplit(f"https://{make_url(issued.url).password}").netloc) == (
        "tunnel",
        f"{ENDPOINT}:5432",
    )


@pytest.mark.parametrize("mode", ["", "?sslmode=require", "?sslmode=prefer", "?sslmode=verify-ca"])
def test_a_token_is_sent_to_no_server_whose_certificate_was_not_checked(mode: str) -> None:
    with pytest.raises(CredentialFailedError, match="certificate"):
        broker(f"postgresql://{ENDPOINT}/shop{mode}").issue(step())


def test_a_machine_without_an_aws_identity_issues_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialFailedError, match="NoCredentials"):
        broker(f"postgresql://{ENDPOINT}/shop?sslmode=verify-full").issue(step())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>hunter2</Message></Error></ErrorResponse>",
            "Client",
        ),
        (b"<html>hunter2", "ResponseParser"),
    ],
)
def test_a_machine_whose_role_aws_does_not_give_it_issues_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes, said: str
) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(403)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    (tmp_path / "proof").write_text("proof")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/server")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "proof"))
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(CredentialFailedError, match=said) as refused:
            broker(f"postgresql://{ENDPOINT}/shop?sslmode=verify-full").issue(step())
        server.shutdown()
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.proves("step-credentials-rds", "step-credentials-end-sessions")
def test_a_token_opens_the_target_and_its_sessions_end_with_the_step_but_not_those_of_another(
    newest: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = f"mcp_migrate_step_rds_{uuid.uuid4().hex[:8]}"  # the server asks for the password of those
    checked = make_url(newest.admin)._replace(drivername="postgresql").update_query_dict({"sslmode": "verify-full"})
    url = checked.render_as_string(hide_password=False)
    names: dict[str, Any] = {"read": user, "apply": user, "endpoint": f"{ENDPOINT}:5432"}
    tokens = broker(url, **names)
    one, other = tokens.issue(step()), tokens.issue(step())
    newest.ask(f"CREATE ROLE {user} LOGIN")
    newest.ask(f"GRANT {newest.owner} TO {user}")
    newest.ask(f"ALTER ROLE {user} SET role = {newest.owner}")
    with pytest.raises(TargetUnreachableError, match="password"):
        connect(one.url).__enter__()
    newest.ask(f"ALTER ROLE {user} PASSWORD '{make_url(one.url).password}'")
    with connect(one.url) as session, connect(other.url) as another:
        assert session.execute(b"SELECT current_user").fetchall() == [(newest.owner,)]
        with monkeypatch.context() as soon:
            soon.setattr(ending, "_END_SECONDS", -1)
            with pytest.raises(CredentialFailedError, match="1 do not end"):
                tokens.revoke(one)
        assert f"as {user} until {one.expires}" in str(tokens.revoke(one))
        assert tokens.revoke(replace(one, expires=AT)) is None
        with pytest.raises(psycopg.OperationalError):
            session.execute(b"SELECT 1")
        assert another.execute(b"SELECT 1").fetchall() == [(1,)]
        assert tokens.sweep() == ()
        assert another.execute(b"SELECT 1").fetchall() == [(1,)]
        older_than_a_step_may_be = broker(url, ttl=0, **names)
        assert older_than_a_step_may_be.sweep() == (user,)
        with pytest.raises(psycopg.OperationalError):
            another.execute(b"SELECT 1")
    newest.ask(f"DROP ROLE {user}")


def test_what_a_token_is_good_for_is_told() -> None:
    [said] = broker(f"postgresql://{ENDPOINT}/shop?sslmode=verify-full").excess()
    assert "15 minutes, also when its step is over" in said
