"""Does a yes to a loss take a look at it first, and a no take none?"""

from __future__ import annotations

import pytest

from mcp_migrate.cli.approvals import weigh
from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.web.weighing import ONE_BY_ONE, questions
from tests.web.visitor import DROP, Visitor, request_body

UNDO = {"restores_data": True, "kept": [], "why_not": [], "keep_seconds": 1}


def asked(*statements: str, undo: object = None, available: bool = False, **changed: object) -> dict[str, str]:
    """The fields of the form with the answers that are taken."""
    body = request_body("req_1", *statements, **changed)
    body["plan"] = {**body["plan"], "undo": undo, "reverse": {"available": available}}
    return {each.field: each.answer for each in questions(body)}


@pytest.mark.proves("review-pages-weigh")
def test_each_loss_has_its_number_and_what_cannot_come_back_its_name() -> None:
    assert asked(DROP, "DROP TABLE orders", rows={"public.users": 12}) == {
        "name": "public.users.email",
        "loss1": "12",
        "loss2": "2",
    }


def test_what_can_be_undone_data_included_needs_no_name() -> None:
    assert asked(DROP, undo=UNDO, available=True) == {"loss1": "120031"}
    assert "name" in asked(DROP, undo={**UNDO, "restores_data": False}, available=True)
    assert "name" in asked(DROP, undo=None, available=True)


def test_what_only_adds_asks_nothing() -> None:
    assert asked("CREATE TABLE t (id integer)", available=True) == {}
    assert asked("CREATE TABLE t (id integer)") == {"name": "public.t"}


def test_of_many_losses_the_number_of_all_is_asked() -> None:
    found = asked(*[f"DROP TABLE t{n}" for n in range(30)])
    assert len(found) == ONE_BY_ONE + 2
    assert found["all"] == "30"


@pytest.mark.proves("review-pages-weigh")
def test_a_terminal_asks_what_the_page_asks(visitor: Visitor) -> None:
    visitor.ask("req_1", DROP)
    request = visitor.desk.request("req_1")
    answers = {"name": "public.users.email", "rows": "120,031"}
    weigh(request, lambda question: answers["rows" if "How many rows" in question else "name"])
    with pytest.raises(InvalidArgumentsError, match="not answered"):
        weigh(request, lambda _question: "")


@pytest.mark.proves("review-pages-weigh")
@pytest.mark.parametrize("wrong", [{"name": "users"}, {"name": ""}, {"loss1": "120030"}, {"loss1": ""}])
def test_a_yes_that_did_not_look_gets_no_statement(visitor: Visitor, wrong: dict[str, str]) -> None:
    visitor.ask("req_1", DROP)
    assert visitor.draft("req_1", **wrong).status_code == 409
    assert visitor.draft("req_1", "deny", "no", **wrong).status_code == 200
    assert visitor.draft("req_1", loss1="120,031").status_code == 200
