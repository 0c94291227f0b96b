"""Can another page, another name or another site read these pages, send a form to them, or frame them?"""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_migrate.ledger import Kind
from tests.web.visitor import Visitor, field_of

REQUEST = "req_1"


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:8022", "127.0.0.1:8021.evil.example", ""])
@pytest.mark.proves("review-pages-guarded")
def test_another_host_name_is_not_answered(visitor: Visitor, host: str) -> None:
    visitor.ask(REQUEST)
    answer = visitor.client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "shop" not in answer.text


def test_the_address_serves_as_well_as_the_name(visitor: Visitor) -> None:
    visitor.read("/", host="127.0.0.1:8021")


@pytest.mark.proves("review-pages-guarded")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"origin": "https://localhost:8021"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_page_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    visitor.ask(REQUEST)
    page = visitor.draft(REQUEST).text
    fields = {"mark": field_of(page, "mark"), "statement": field_of(page, "statement"), "signature": "x"}
    answer = visitor.post(f"/requests/{REQUEST}/decision", fields, **headers)
    assert answer.status_code == 403
    assert not visitor.ledger.read(kind=Kind.APPROVAL_DECIDED)


@pytest.mark.proves("review-pages-guarded")
def test_a_form_without_the_mark_of_this_session_is_refused(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    fields = {"signer": f"grace {visitor.key.fingerprint}", "verdict": "deny", "reason": "no"}
    mark = visitor.mark(REQUEST)
    assert visitor.post(f"/requests/{REQUEST}/sign", {**fields, "mark": mark}).status_code == 200
    assert visitor.post(f"/requests/{REQUEST}/sign", fields).status_code == 409
    assert visitor.post(f"/requests/{REQUEST}/sign", {**fields, "mark": "0" * 64}).status_code == 409
    visitor.client.cookies.clear()
    assert visitor.post(f"/requests/{REQUEST}/sign", {**fields, "mark": mark}).status_code == 409


@pytest.mark.proves("review-pages-guarded")
@pytest.mark.parametrize("path", ["/", f"/requests/{REQUEST}", "/nowhere", "/requests/req_none", "/static/style.css"])
def test_every_answer_forbids_scripts_frames_and_other_sites(visitor: Visitor, path: str) -> None:
    visitor.ask(REQUEST)
    answer = visitor.client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


def test_pages_load_nothing_from_elsewhere(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    for path in ("/", f"/requests/{REQUEST}", "/history", "/ledger"):
        page = visitor.read(path)
        assert "://" not in page.replace("http://www.w3.org", "")
        assert " style=" not in page
        assert " onclick" not in page


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_but_reading_and_forms_is_understood(visitor: Visitor, method: str) -> None:
    assert visitor.client.request(method, "/").status_code == 405


def test_a_form_that_is_too_long_is_not_read(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    answer = visitor.post(f"/requests/{REQUEST}/sign", {"mark": "0" * 70_000})
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/static/../desk.py", "/static/%2e%2e%2fdesk.py", "/static/base.html", "/static/"])
def test_only_our_own_few_files_are_served(visitor: Visitor, path: str) -> None:
    assert visitor.client.get(path).status_code == 404


def test_the_address_that_the_configuration_gives_people_is_answered_and_handed_out(tmp_path: Path) -> None:
    with Visitor.at(tmp_path, review={"url": "https://review.example.com", "port": 8021}) as visitor:
        visitor.ask(REQUEST)
        assert visitor.desk.url(REQUEST) == "https://review.example.com/requests/req_1"
        visitor.read("/", host="review.example.com")
        page = visitor.draft(REQUEST).text
        fields = {"mark": field_of(page, "mark"), "statement": field_of(page, "statement"), "signature": "x"}
        for origin, status in (("https://review.example.com", 409), ("http://review.example.com", 403)):
            answer = visitor.post(f"/requests/{REQUEST}/decision", fields, origin=origin, host="review.example.com")
            assert answer.status_code == status
