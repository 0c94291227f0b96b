"""Does a statement in batches run until it touches no row, and count as done only then?"""

from __future__ import annotations

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.fetching import Fetched, Query
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.sequence import whole
from mcp_migrate.dialects.told import Mark
from mcp_migrate.errors import PartiallyAppliedError, StatementFailedError, ValidationFailedError
from mcp_migrate.model import Statement

SOON = Limits(lock_timeout=0.5, statement_timeout=5.0)
MADE = (
    Statement(1, "r", "CREATE TABLE t (a int PRIMARY KEY, b int)"),
    Statement(2, "r", "INSERT INTO t (a) VALUES (1), (2), (3), (4), (5)"),
)
FILLED = "UPDATE t SET b = 1 WHERE a IN (SELECT a FROM (SELECT a FROM t WHERE b IS NULL ORDER BY a LIMIT 2) AS few)"


@pytest.fixture(params=["postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    """A table of five rows, of which none is filled."""
    given = str(request.getfixturevalue({"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]))
    with dialect_for(given).open_writer(given, MADE, limits=SOON) as writer:
        for statement in MADE:
            writer.run(statement)
    return given


def ask(url: str, sql: str, *, at_most: int = 10) -> Fetched:
    with dialect_for(url).open_reader(url) as reader:
        return reader.fetch(Query(sql, (), at_most, 5.0))


def one_batch(url: str, batches: Statement) -> None:
    with dialect_for(url).open_writer(url, [batches], limits=SOON) as writer:
        writer.leave_mark("apply_1", "plan")
        assert writer.run(batches) == 2
        raise KeyError


def all_batches(url: str, batches: Statement, apply_id: str = "apply_1") -> int:
    with dialect_for(url).open_writer(url, [batches], limits=SOON) as writer:
        writer.leave_mark(apply_id, "plan")
        return whole(batches, writer.run)


def test_batches_run_to_their_end_and_what_stands_of_those_that_stop_is_told(url: str) -> None:
    batches = Statement(1, "r", FILLED, transactional=False, batches=True)
    with pytest.raises(PartiallyAppliedError) as stopped:
        one_batch(url, batches)
    assert stopped.value.details["ran"] == []
    with dialect_for(url).open_reader(url) as reader:
        assert reader.mark("apply_1") == Mark("plan", 0)
    assert ask(url, "SELECT a FROM t WHERE b = 1 ORDER BY a").rows == ((1,), (2,))
    assert all_batches(url, batches, "apply_2") == 3
    with dialect_for(url).open_reader(url) as reader:
        assert reader.mark("apply_2") == Mark("plan", 1)


def test_a_batch_that_fails_after_others_says_that_they_stand(url: str) -> None:
    falls = FILLED.replace("b = 1", "b = 1 / (a - 3)" if url.startswith("postgres") else "b = 1, a = a * 1000000000")
    batches = Statement(1, "r", falls, transactional=False, batches=True)
    with pytest.raises(PartiallyAppliedError):
        all_batches(url, batches)
    assert len(ask(url, "SELECT a FROM t WHERE b IS NOT NULL").rows) == 2


def test_a_query_gives_so_many_rows_and_changes_nothing(url: str) -> None:
    assert ask(url, "SELECT a, b FROM t ORDER BY a;", at_most=2) == Fetched(("a", "b"), ((1, None), (2, None)))
    for sql, why in (
        ("DELETE FROM t", "A read of the tool failed"),
        ("SELECT repeat('x', 2000000) AS x", "more than 1 MB"),
    ):
        with pytest.raises(StatementFailedError, match=why):
            ask(url, sql)
    assert ask(url, "SELECT count(*) AS n FROM t").rows == ((5,),)


def test_batches_without_an_end_are_ended() -> None:
    with pytest.raises(ValidationFailedError, match="still changes rows after"):
        whole(Statement(1, "r", "UPDATE t SET a = a", batches=True), lambda _statement: 1)
