"""What becomes of very much? It is planned and runs as it is, or it is refused in words that help; nothing hangs."""

# ruff: noqa: S608 - made-up statements of this file
from __future__ import annotations

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.errors import InvalidArgumentsError, RenderFailedError
from mcp_migrate.ledger.events import Draft, body_of
from mcp_migrate.ledger.kinds import Kind
from mcp_migrate.model import Effect, Statement
from mcp_migrate.model.plan import MOST_BYTES
from mcp_migrate.rules import findings
from mcp_migrate.rules.interface import effects_of
from mcp_migrate.schema import Schema
from tests.migrations.sample import Shop

_TEN_MEGABYTES = 10_000_000


def test_a_statement_of_ten_megabytes_is_planned_kept_and_run(lite_shop: Shop) -> None:
    lite_shop.revise(
        "d4",
        "c3",
        f"op.execute(\"INSERT INTO customers (id, name) VALUES (1, 'é:x%s\" + 'x' * {_TEN_MEGABYTES} + \"')\")",
    )

    plan = lite_shop.run_and_compare("head")

    [large] = [each for each in plan.statements if each.revision == "d4" and each.kind == "change"]
    assert large.sql == f"INSERT INTO customers (id, name) VALUES (1, 'é:x%s{'x' * _TEN_MEGABYTES}')"
    assert body_of(Draft(Kind.PLAN_FROZEN, {"statements": [each.frozen() for each in plan.statements]})).text


def test_more_than_a_plan_holds_is_refused_while_it_is_recorded(lite_shop: Shop) -> None:
    half = MOST_BYTES // 2
    lite_shop.revise(
        "d4",
        "c3",
        f"for n in range(200_000):\n    op.execute(f\"UPDATE customers SET name = '\" + 'x' * {half} + \"'\")",
    )

    with pytest.raises(RenderFailedError, match=r"d4 .*too much for one plan: .* a plan holds 16 MB") as caught:
        lite_shop.plan()

    assert "few statements" in caught.value.hint


@pytest.mark.parametrize("name", ["sqlite", "postgresql", "mysql"])
def test_what_nobody_looks_into_belongs_to_the_plan_and_is_unknown(name: str) -> None:
    rows = ", ".join(f"({n}, 'a row')" for n in range(_TEN_MEGABYTES // 20))
    for sql in (f"INSERT INTO t VALUES {rows}", f"WITH r (a, b) AS (VALUES {rows}) SELECT * FROM r"):
        assert dialect_for(name).reads(sql) is None
    [found] = findings((Statement(1, "a1", f"INSERT INTO t VALUES {rows}"),), dialect=name, schema=Schema(name))
    assert Effect.UNKNOWN in effects_of(found)


def test_two_hundred_thousand_statements_are_refused_by_the_ledger_with_what_to_do() -> None:
    many = [Statement(1, "a1", "INSERT INTO t VALUES (1)").frozen()] * 200_000
    with pytest.raises(InvalidArgumentsError, match="16,777,216 are allowed") as caught:
        body_of(Draft(Kind.PLAN_FROZEN, {"statements": many}))
    assert "plan fewer revisions at a time" in caught.value.hint
