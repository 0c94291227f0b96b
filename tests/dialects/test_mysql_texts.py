from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.dialects.mysql.freeze import filled, freeze
from mcp_migrate.dialects.mysql.reads import reads
from mcp_migrate.dialects.mysql.words import controls_session, fails_whole, marks_in, stays_inside
from mcp_migrate.errors import RenderFailedError


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT a FROM t", ("t",)),
        ("SELECT * FROM shop.t JOIN u", ("shop.t", "u")),
        ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'x'", ()),
        ("SHOW CREATE TABLE `t`", ()),
        ("SHOW FULL TABLES FROM `x`", ()),
        ("SHOW VARIABLES LIKE 'sql_mode'", ()),
        ("DESCRIBE `x`.`t`", ()),
        ("SELECT DATABASE()", ()),
        ("SELECT VERSION()", ()),
        ("SELECT @@transaction_isolation", ()),
        ("WITH c AS (SELECT 1 AS a FROM t) SELECT a FROM c", ("t",)),
        ("SELECT user FROM mysql.user", ("mysql.user",)),
    ],
)
def test_a_plain_read_is_seen_with_its_tables(sql: str, tables: tuple[str, ...]) -> None:
    assert reads(sql) == tables


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t FOR UPDATE",
        "SELECT a INTO OUTFILE '/tmp/x' FROM t",
        "SELECT a INTO @x FROM t",
        "SELECT GET_LOCK('x', 1)",
        "SELECT my_function(1)",
        "SELECT SLEEP(100)",
        "SELECT @x := 1",
        "SELECT 1; DROP TABLE t",
        "SELECT /*! 1 INTO OUTFILE '/x' */",
        "SHOW TABLES; DROP TABLE t",
        "DESCRIBE t; DROP TABLE t",
        "DESCRIBE SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM t",
        "SHOW GRANTS",
        "INSERT INTO t VALUES (1)",
        "WITH c AS (SELECT 1) DELETE FROM t",
        "SET @x = 1",
        "CALL p()",
        "",
    ],
)
def test_whatever_else_it_may_do_is_no_read(sql: str) -> None:
    assert reads(sql) is None


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t VALUES (1)", " -- x\n# y\n/* z */ update t SET a = 1", "SET UNIQUE_CHECKS=0;"]
)
def test_work_on_rows_stays_in_its_transaction(sql: str) -> None:
    assert stays_inside(sql)
    assert not controls_session(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a int)",
        "ANALYZE TABLE t",
        "CALL p()",
        "GRANT ALL ON t TO x",
        "/*! INSERT INTO t VALUES (1) */",
        "",
    ],
)
def test_all_else_counts_as_ending_it(sql: str) -> None:
    assert not stays_inside(sql)


def test_one_object_fails_whole_and_several_do_not() -> None:
    assert fails_whole("DROP TABLE t")
    assert fails_whole("ALTER TABLE t ADD a int, ADD b int")
    assert not fails_whole("DROP TABLE t, u")
    assert not fails_whole("RENAME TABLE a TO b, c TO d")
    assert not fails_whole("CALL p()")
    assert not fails_whole("INSERT INTO t VALUES (1)")


def test_placeholders_become_the_servers_own() -> None:
    sent = "INSERT INTO t (a, b) VALUES (%s, '100%%?')"

    assert freeze(sent, [(1,)], no_parameters=False) == ("INSERT INTO t (a, b) VALUES (?, '100%?')", ((1,),))
    assert freeze(sent, [(1,), (2,)], no_parameters=False)[1] == ((1,), (2,))
    named = freeze("UPDATE t SET a = %(x)s WHERE b = %(y)s OR c = %(x)s", [{"x": 1, "y": 2}], no_parameters=False)
    assert named == ("UPDATE t SET a = ? WHERE b = ? OR c = ?", ((1, 2, 1),))
    assert freeze("SELECT '100%%'", [()], no_parameters=False) == ("SELECT '100%'", ())
    assert freeze("SELECT '100%'", [()], no_parameters=True) == ("SELECT '100%'", ())


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SELECT '%s'", (1,)),
        ("SELECT %s -- %s", (1, 2)),
        ("SELECT %s /*! %s */", (1, 2)),
        ("SELECT %d", (1,)),
        ("SELECT %s, ?", (1,)),
        ("SELECT %(a)s", (1,)),
        ("SELECT %s, %s", (1,)),
        ("SELECT 5 % 2", ()),
    ],
)
def test_a_value_where_none_can_stand_is_refused(sql: str, row: Any) -> None:
    with pytest.raises(RenderFailedError):
        freeze(sql, [row], no_parameters=False)


@given(st.lists(st.sampled_from(["?", "'a?'", "`b?`", '"c?"', "-- ?\n", "/* ? */", "d ", "'e''?'", "'\\'?'", "# ?\n"])))
def test_only_a_mark_that_stands_alone_is_filled(parts: list[str]) -> None:
    sql = " ".join(parts)
    count = sum(part == "?" for part in parts)

    assert len(list(marks_in(sql))) == count
    assert filled(sql, ["v"] * count, str) == " ".join("v" if part == "?" else part for part in parts)
