"""Does each channel hand a notice over as its receiver expects, and say so when it was not taken?"""

from __future__ import annotations

import base64
import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.errors import CredentialFailedError, MigrateError, NotificationFailedError
from mcp_migrate.notifiers import Notice, notifier_for
from mcp_migrate.notifiers.chat import slack, teams
from mcp_migrate.notifiers.webhook import signature
from mcp_migrate.settings.channels import ChatChannel, CommandChannel, MailChannel, WebhookChannel

NOTICE = Notice(
    notice_id="notice_1",
    occasion="requested",
    request_id="req_1",
    at=1_614_265_330,
    headline="Approval asked: migration_apply on <!channel> *shop*",
    facts=(("Destroys", "main.customers.fax"), ("The agent says", "<https://evil|click> @here")),
    how="Look at it and decide: mcp-migrate approvals show req_1",
)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@contextmanager
def receiver(*, answers: int = 204) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A web server on loopback: its URL, and the headers and bodies that were posted."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers)
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", got
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def mail_server() -> Iterator[tuple[str, list[bytes]]]:
    """As much of an SMTP server as takes a mail."""
    got: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line.strip().upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 yes\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", got
        finally:
            server.shutdown()
            thread.join()


def test_a_program_reads_the_notice_and_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    into = tmp_path / "said"
    code = "import os, sys; open(sys.argv[1], 'w').write(sys.stdin.read() + os.environ.get('DATABASE_PASSWORD', ''))"
    notifier_for(CommandChannel(kind="command", name="c", run=(sys.executable, "-c", code, str(into)))).send(NOTICE)
    assert json.loads(into.read_text()) == NOTICE.told()


@pytest.mark.parametrize(
    ("run", "within", "why"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), 60, "ended with 3"),
        (("/nowhere/at-all",), 60, "could not be run: FileNotFoundError"),
        ((sys.executable, "-c", "import time; time.sleep(30)"), 0.3, "could not be run: TimeoutExpired"),
    ],
)
def test_a_program_that_fails_did_not_take_it(run: tuple[str, ...], within: float, why: str) -> None:
    channel = CommandChannel(kind="command", name="c", run=run, within=within)
    with pytest.raises(NotificationFailedError, match=why):
        notifier_for(channel).send(NOTICE)


def test_a_signature_is_the_one_of_the_specification() -> None:
    """The example that Standard Webhooks and its libraries are tested with."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_is_signed_over_what_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", SECRET)
    with receiver() as (url, got):
        notifier_for(WebhookChannel(kind="webhook", name="w", url=url, secret="${env:HOOK}")).send(NOTICE)
    [(headers, body)] = got
    assert json.loads(body) == NOTICE.told()
    assert headers["webhook-id"] == "notice_1"
    assert headers["webhook-signature"] == signature(bytes(range(32)), "notice_1", NOTICE.at, body)


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "whsec_?", ""])
def test_a_secret_that_is_none_is_refused(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", secret)
    with receiver() as (url, got), pytest.raises(CredentialFailedError, match="channel w"):
        notifier_for(WebhookChannel(kind="webhook", name="w", url=url, secret="${env:HOOK}")).send(NOTICE)
    assert got == []


@pytest.mark.parametrize("answers", [302, 404, 500])
def test_what_is_not_taken_is_said_without_the_url(answers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(answers=answers) as (url, got):
        monkeypatch.setenv("CHAT", url)
        with pytest.raises(NotificationFailedError, match=f"The channel s answered {answers}") as refused:
            notifier_for(ChatChannel(kind="slack", name="s", url="${env:CHAT}")).send(NOTICE)
    assert len(got) == 1
    assert url not in str(refused.value)


@pytest.mark.parametrize("url", ["http://chat.example.com/x", "ftp://127.0.0.1/x", "nonsense", "http://[x", ""])
def test_nothing_is_sent_where_it_could_be_read_on_the_way(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", url)
    with pytest.raises(NotificationFailedError, match="not https"):
        notifier_for(ChatChannel(kind="teams", name="t", url="${env:CHAT}")).send(NOTICE)


def test_what_an_agent_says_is_no_mention_link_or_format_in_a_chat() -> None:
    message, card = slack(NOTICE), teams(NOTICE)
    assert {block["text"]["type"] for block in message["blocks"]} == {"plain_text"}
    assert message["text"] == "Approval asked: migration_apply on &lt;!channel&gt; *shop*"
    body = card["attachments"][0]["content"]["body"]
    assert {block["type"] for block in body} == {"RichTextBlock"}
    assert body[2]["inlines"][0]["text"] == "The agent says: <https://evil|click> @here"


def test_a_chat_gets_its_own_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as (url, got):
        monkeypatch.setenv("CHAT", url)
        for kind, shape in (("slack", slack), ("teams", teams)):
            notifier_for(ChatChannel.model_validate({"kind": kind, "name": kind, "url": "${env:CHAT}"})).send(NOTICE)
            assert json.loads(got.pop()[1]) == shape(NOTICE)


def _mail_channel(server: str, **more: str) -> MailChannel:
    words = {"kind": "email", "name": "m", "to": ["dba@example.com"], "from": "mcp@example.com", "server": server}
    return MailChannel.model_validate({**words, **more})


def test_a_mail_says_it_in_plain_text() -> None:
    with mail_server() as (server, got):
        notifier_for(_mail_channel(server, security="unsafe_plain")).send(NOTICE)
    mail = message_from_bytes(got[0])
    assert (mail["To"], mail["Message-ID"]) == ("dba@example.com", "<notice_1@mcp-migrate>")
    assert mail["Subject"] == NOTICE.headline
    assert mail.get_payload(decode=True).replace(b"\r\n", b"\n").strip() == NOTICE.text().encode()  # type: ignore[union-attr]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_line_that_cannot_be_protected_is_not_used(security: str) -> None:
    with mail_server() as (server, got), pytest.raises(MigrateError, match="did not take the notice"):
        notifier_for(_mail_channel(server, security=security)).send(NOTICE)
    assert got == []


def test_where_the_pages_have_an_address_a_message_has_one_button_that_leads_there() -> None:
    url = "https://review.example.com/requests/req_1"
    linked = replace(NOTICE, url=url)
    [*_, actions] = slack(linked)["blocks"]
    assert [button["url"] for button in actions["elements"]] == [url]
    card = teams(linked)["attachments"][0]["content"]
    assert [action["url"] for action in card["actions"]] == [url]
    assert linked.told()["url"] == url
    assert not any("url" in json.dumps(each) for each in (slack(NOTICE), teams(NOTICE)))
