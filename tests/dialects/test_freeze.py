from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import ProgrammingError
from psycopg._queries import _query2pg_nocache

from mcp_migrate.dialects import dialect_for
from mcp_migrate.errors import RenderFailedError

POSTGRESQL, SQLITE = dialect_for("postgresql"), dialect_for("sqlite")
PIECES = st.sampled_from(["%", "%%", "%s", "%b", "%t", "%(a)s", "%(b)s", "%(a)", "%(", "\n", " ", "a", "'", "é", "%d"])


@given(st.lists(PIECES).map("".join))
def test_placeholders_become_what_psycopg_makes_of_them(sql: str) -> None:
    try:
        expected, _formats, order, parts = _query2pg_nocache(sql.encode(), "utf-8")
    except (ProgrammingError, UnicodeDecodeError):  # the second while it words the first
        with pytest.raises(RenderFailedError):
            POSTGRESQL.freeze(sql, [{"a": 1, "b": 2}], no_parameters=False)
        return
    row: Any = tuple(range(len(parts) - 1)) if order is None else dict.fromkeys(order, 1)
    text, rows = POSTGRESQL.freeze(sql, [row], no_parameters=False)

    assert text == expected.decode()
    assert rows == (() if len(parts) == 1 else (tuple(row[name] for name in order or range(len(parts) - 1)),))


@pytest.mark.parametrize("empty", [(), {}])
def test_an_empty_set_of_parameters_still_halves_percent_signs(empty: Any) -> None:
    assert POSTGRESQL.freeze("SELECT '5%%'", [empty], no_parameters=False) == ("SELECT '5%'", ())


def test_without_parameters_a_text_is_taken_as_it_is() -> None:
    assert POSTGRESQL.freeze("SELECT '5%%', '%s'", [()], no_parameters=True) == ("SELECT '5%%', '%s'", ())


def test_a_name_that_comes_again_is_the_same_placeholder() -> None:
    assert POSTGRESQL.freeze("SELECT %(b)s, %(a)s, %(b)s", [{"a": 1, "b": b"x"}], no_parameters=False) == (
        "SELECT $1, $2, $1",
        (({"$bytes": "78"}, 1),),
    )


@pytest.mark.parametrize(
    ("sql", "row"), [("%s %(a)s", {"a": 1}), ("%s", {"a": 1}), ("%(a)s", (1,)), ("%(a)s", {"b": 1}), ("%s %s", (1,))]
)
def test_values_that_do_not_fit_the_placeholders_are_refused(sql: str, row: Any) -> None:
    with pytest.raises(RenderFailedError, match="do not fit"):
        POSTGRESQL.freeze(sql, [row], no_parameters=False)


@pytest.mark.parametrize("dialect", [POSTGRESQL, SQLITE], ids=lambda dialect: dialect.name)
def test_a_statement_that_was_sent_for_each_of_several_empty_rows_is_kept_for_each(dialect: Any) -> None:
    sql = "INSERT INTO t DEFAULT VALUES"

    assert dialect.freeze(sql, [(), ()], no_parameters=False) == (sql, ((), ()))
    assert dialect.freeze(sql, [{}, {}], no_parameters=False) == (sql, ((), ()))


def test_sqlite_keeps_its_text_with_rows_by_position() -> None:
    sql = "INSERT INTO t VALUES (?, 'a%%b:c')"

    assert SQLITE.freeze(sql, [(1,), (None,)], no_parameters=False) == (sql, ((1,), (None,)))


def test_sqlite_refuses_values_bound_by_name_at_the_driver() -> None:
    with pytest.raises(RenderFailedError, match="by name"):
        SQLITE.freeze("INSERT INTO t VALUES (:a)", [{"a": 1}], no_parameters=False)
