"""Does a second list of frozen statements run under the lock of the first, and what stands when it fails?"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits, Writer
from mcp_migrate.errors import LockedError, PartiallyAppliedError, StatementFailedError
from mcp_migrate.model import Statement

SOON = Limits(lock_timeout=0.2, statement_timeout=5.0)
FIRST = (Statement(1, "r1", "CREATE TABLE t (a integer)"), Statement(2, "r1", "INSERT INTO t VALUES (1), (2)"))
REMOVED = Statement(1, "r1", "DELETE FROM t WHERE a = 1")
WRONG = Statement(2, "r1", "INSERT INTO t VALUES ('no number at all', 1)")


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def follow(url: str, statements: Sequence[Statement]) -> Writer:
    """Run `FIRST`, then `statements` in the same session; the writer, after it was left."""
    with dialect_for(url).open_writer(url, FIRST, limits=SOON) as writer:
        for statement in FIRST:
            writer.run(statement)
        writer.finish()
        with writer.follow(statements):
            with pytest.raises(LockedError), dialect_for(url).open_writer(url, FIRST, limits=SOON):
                pass
            for statement in statements:
                writer.run(statement)
        return writer


def rows(url: str) -> int:
    with dialect_for(url).open_reader(url) as reader:
        return reader.count_returned("SELECT a FROM t", at_most=10, seconds=5).rows


@pytest.mark.proves("auto-rollback")
def test_it_runs_under_the_same_lock_and_nothing_is_at_stake_afterwards(url: str) -> None:
    assert not follow(url, [REMOVED]).stands
    assert rows(url) == 1


@pytest.mark.proves("auto-rollback")
def test_one_that_fails_leaves_what_ran_before_it_and_nothing_of_its_own(url: str) -> None:
    with pytest.raises(StatementFailedError):
        follow(url, [REMOVED, WRONG])
    assert rows(url) == 2


@pytest.mark.proves("auto-rollback")
def test_one_that_fails_after_a_part_of_it_stands_says_which(url: str) -> None:
    sql = "CREATE INDEX CONCURRENTLY i ON t (a)" if url.startswith("postgres") else "CREATE INDEX i ON t (a)"
    alone = Statement(1, "r1", sql, transactional=not url.startswith("postgres"))
    with pytest.raises(PartiallyAppliedError) as failed:
        follow(url, [alone, WRONG])
    assert failed.value.details["ran"] == [1]
    assert rows(url) == 2
