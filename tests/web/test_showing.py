"""Does a page show what is there, all of it, whatever an agent or a database wrote?"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.schema.neighbourhood import afterwards
from mcp_migrate.web.words import pieces
from tests.rules.labelled import SCHEMAS
from tests.web.visitor import Visitor, request_body

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
REORDERED = "users\u202eliame\u2066\u0007"


@pytest.mark.proves("review-pages-escape")
def test_markup_of_agents_and_databases_stays_text_everywhere(visitor: Visitor) -> None:
    said = dict.fromkeys(("intent", "principal", "owner", "workflow", "ticket", "tool"), SCRIPT)
    judged = [{"n": 1, "effects": ["destructive"], "objects": [SCRIPT], "why": SCRIPT, "safer": SCRIPT, "lock": SCRIPT}]
    demands = [{"rule": SCRIPT, "why": SCRIPT, "statements": [1]}]
    visitor.ask(
        "req_1", f"SELECT '{SCRIPT}'", judgements=judged, objects=[SCRIPT], demands=demands, rows={SCRIPT: 1}, **said
    )
    for path in ("/", "/requests/req_1", "/requests/req_1/statements/1", "/history", "/ledger", "/workflows"):
        page = visitor.read(path)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "49" not in page or "{{7*7}}" in html.unescape(page)


@pytest.mark.proves("review-pages-escape")
def test_characters_that_reorder_or_hide_are_made_visible(visitor: Visitor) -> None:
    visitor.ask("req_1", f'DROP TABLE "{REORDERED}"', intent=REORDERED, objects=[REORDERED], principal=REORDERED)
    for path in ("/", "/requests/req_1", "/requests/req_1/statements/1", "/history", "/ledger"):
        page = visitor.read(path)
        assert not {"\u202e", "\u2066", "\u0007"} & set(page)
        assert "\\u202e" in page


def test_the_agents_words_come_after_what_we_say_and_are_marked(visitor: Visitor) -> None:
    visitor.ask("req_1", intent="harmless, trust me")
    page = visitor.read("/requests/req_1")
    assert page.index("What will be lost") < page.index("own words") < page.index("harmless, trust me")
    assert page.index("How long does it block") < page.index("own words")


@pytest.mark.proves("reconcile-accepted")
def test_a_request_to_reconcile_shows_the_differences_and_nothing_of_a_plan(visitor: Visitor) -> None:
    changed = {"how": "removed", "object": f"table main.{SCRIPT}", "gone": "apply_1"}
    found = {
        "since": "apply_1",
        "revision": {"recorded": "c3", "now": None},
        "differences": [changed],
        "differences_total": 3,
        "summary": "",
    }
    subject = {"reconciles": found, "fingerprint": "sha256:1", "revision": None}
    told: dict[str, Any] = {
        "purpose": "reconcile",
        "tool": "ledger_reconcile",
        "plan": None,
        "plan_digest": None,
        "judgements": [],
    }
    visitor.ask("req_1", subject=subject, objects=[], effects=["destructive"], **told)
    page = html.unescape(visitor.read("/requests/req_1"))
    assert "A change without a record" in page
    assert "it is what it was before apply_1, whose effect is gone" in page
    assert "and 2 more, under the same fingerprint" in page
    assert "the version table says base; apply_1 left it at c3" in page
    assert "<script>alert" not in visitor.read("/requests/req_1")
    assert "What will be lost" not in page
    assert "<h2>Statements" not in page


def test_what_else_uses_it_is_told(visitor: Visitor) -> None:
    used = {"object": "public.users", "name": "public.addresses", "how": "a view that names it"}
    visitor.ask("req_1", dependents=[used])
    assert "public.users: public.addresses, a view that names it" in visitor.read("/requests/req_1")


def test_the_tables_show_what_goes_and_what_comes(visitor: Visitor) -> None:
    visitor.ask("req_1", "ALTER TABLE users DROP COLUMN email", "ALTER TABLE users ADD COLUMN phone text")
    page = visitor.read("/requests/req_1")
    assert '<tr class="destructive"><td>email</td>' in page
    assert '<tr class="additive new"><td>+ phone</td>' in page


def test_many_statements_come_in_pages_the_worst_first(visitor: Visitor) -> None:
    plain = [f"CREATE TABLE t{n} (id integer)" for n in range(60)]
    visitor.ask("req_1", *plain, "DROP TABLE users")
    first, last = visitor.read("/requests/req_1"), visitor.read("/requests/req_1?page=3")
    assert 'id="s61"' in first
    assert first.count("<article") == 25
    assert "page 1 of 3" in first
    assert last.count("<article") == 11
    assert visitor.read("/requests/req_1?page=99999").count("<article") == 11
    assert visitor.read("/requests/req_1?page=-1%00").count("<article") == 25


def test_a_plan_of_ten_thousand_statements_has_a_page_that_can_be_read(visitor: Visitor) -> None:
    told = {"effects": ["destructive"], "why": "It goes. " * 99, "safer": None, "lock": "all", "blocks": ["reads"]}
    judged = [{**told, "n": n, "objects": [f"public.t{n}"]} for n in range(1, 20_000, 2)]
    frozen = [{"n": each["n"], "sql": "DROP TABLE t", "parameters": [], "kind": "change"} for each in judged]
    plan = {**request_body("req_1")["plan"], "statements": frozen}
    rows = {f"public.t{n}": n for n in range(5_000)}
    visitor.ask("req_1", judgements=judged, plan=plan, rows=rows, objects=list(rows))
    page = visitor.read("/requests/req_1?page=400")
    assert page.count("<article") == 25
    assert "10000" in page.replace(",", "")
    assert len(page) < 100_000
    assert len(visitor.read("/")) < 10_000


def test_a_long_statement_is_cut_on_the_page_and_whole_on_its_own(visitor: Visitor) -> None:
    sql = "INSERT INTO users (name) VALUES ('" + "x" * 9000 + "')"
    visitor.ask("req_1", sql)
    assert "x" * 9000 not in visitor.read("/requests/req_1")
    assert "x" * 9000 in visitor.read("/requests/req_1/statements/1")
    assert visitor.client.get("/requests/req_1/statements/2").status_code == 404


@given(st.text(max_size=60) | st.sampled_from(["DROP TABLE x -- why\n;", "SELECT 'a''b', $$c$$ /* d */", "'open"]))
@settings(max_examples=60)
def test_colour_never_changes_the_text(sql: str) -> None:
    assert "".join(text for _, text in pieces(sql, "postgresql")) == sql


def test_what_loses_something_is_coloured_as_such() -> None:
    found = {text: kind for kind, text in pieces("DROP TABLE users -- bye", "postgresql")}
    assert found["DROP"] == "loses"
    assert found[" -- bye"] == "note"


def test_pages_of_the_ledger_show_each_entry_once(visitor: Visitor) -> None:
    for n in range(30):
        visitor.ask(f"req_{n}")
    numbers = [int(n) for since in (0, 25) for n in re.findall(r'id="e(\d+)"', visitor.read(f"/ledger?since={since}"))]
    assert numbers == list(range(30))


def test_what_is_before_and_what_is_after_stand_side_by_side(visitor: Visitor) -> None:
    before = next(table for table in SCHEMAS["postgresql"].tables if table.qualified == "public.users")
    kept = tuple(column for column in before.columns if column.name != "email")
    new = (replace(kept[0], name="phone"),)
    after = replace(SCHEMAS["postgresql"], tables=(replace(before, columns=(*kept, *new), constraints=()),))
    left = {"tables": afterwards(replace(SCHEMAS["postgresql"], tables=(before,)), after)}
    seen = {"server": "PostgreSQL 18", "target_server": "PostgreSQL 18", "statements": [], "seconds": 1}
    seen |= {"rollback_restored": True, "after": left["tables"]}
    visitor.ask("req_1", rehearsal=seen)
    page = visitor.read("/requests/req_1")
    now, later = page[page.index("<h3>Now</h3>") :].split("<h3>After</h3>")[:2]
    assert '<tr class="destructive"><td>email</td>' in now
    assert "phone" not in now
    assert "<td>email</td>" not in later
    assert '<tr class="new"><td>phone</td>' in later


def test_the_ledger_is_sifted_by_kind_and_subject_and_shows_one_entry_whole(visitor: Visitor) -> None:
    for n in range(3):
        visitor.ask(f"req_{n}")
    visitor.decide("req_1", "deny", "no")
    about = visitor.read("/ledger?about=req_1")
    assert about.count("<li id=") == 3
    assert visitor.read("/ledger?about=req_1&kind=approval.decided").count("<li id=") == 1
    assert visitor.read("/ledger?kind=approval.requested").count("<li id=") == 3
    assert visitor.read("/ledger?kind=nonsense").count("<li id=") == 5
    assert html.escape(SCRIPT) not in visitor.read("/ledger?about=%3Cscript%3Ealert(1)")
    entry = visitor.read("/ledger/1")
    [event] = visitor.ledger.read(since=1, limit=1)
    assert event.leaf.hex() in entry
    assert html.escape(event.canonical().decode(), quote=False)[:40] in html.unescape(entry).replace("&", "&amp;")
    assert visitor.client.get("/ledger/99").status_code == 404

    # Its proof leads to the head of now, and to a checkpoint once one covers it.
    head = visitor.ledger.head()
    assert f"{head.root}" in entry
    assert "No checkpoint covers it yet" in entry
    body = {"size": head.size, "root": head.root, "checkpoint": "shop.example/ledger\n<b>"}
    visitor.ledger.append(Draft(Kind.CHECKPOINT_SIGNED, body), at=datetime.now(UTC))
    entry = visitor.read("/ledger/1")
    assert all(
        said in entry for said in ("It is in", head.root, f"entry {head.size}", "shop.example/ledger\n&lt;b&gt;")
    )


def test_the_history_is_searched(visitor: Visitor) -> None:
    visitor.ask("req_1", principal="agent:one")
    visitor.ask("req_2", principal="agent:two")
    assert "req_2" not in visitor.read("/history?q=AGENT:one")
    assert "No request says that" in visitor.read("/history?q=%3Cb%3E")


def test_an_owner_reads_what_their_workflow_did(visitor: Visitor) -> None:
    visitor.ask("req_1")
    page = visitor.read("/workflows?days=7")
    assert "Ada Lovelace" in page
    assert "Put to people" in page
    assert "Never used" in page
    assert visitor.read("/workflows?days=999999999999")
