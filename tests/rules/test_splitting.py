"""Is every statement of a file judged, and none left out for a comment?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.rules.splitting import Cut, split
from tests.rules.labelled import SCHEMAS, corpus

CUT = {
    "two": ("postgresql", "SELECT 1; SELECT 2", ("SELECT 1", "SELECT 2"), ""),
    "a semicolon in a string": ("sqlite", "SELECT ';'; SELECT 2;", ("SELECT ';'", "SELECT 2"), ""),
    "a semicolon in a comment": ("mysql", "SELECT 1 -- a; b\n; SELECT 2", ("SELECT 1 -- a; b", "SELECT 2"), ""),
    "only comments, sqlite": ("sqlite", "-- a\n/* b; */ ; -- c", (), ""),
    "only comments, postgresql": ("postgresql", "-- a\n/* b; /* c */ */ ; -- c", (), ""),
    "only comments, mysql": ("mysql", "-- a\n/* b; */ ; # c", (), ""),
    "only blanks": ("postgresql", " \n\t", (), ""),
    "a blank that is none": ("sqlite", "\u00a0", ("\u00a0",), ""),
    "a trigger": (
        "sqlite",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END; SELECT 1",
        ("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END", "SELECT 1"),
        "",
    ),
    "a body in dollars": ("postgresql", "DO $$ BEGIN; END $$; SELECT 1", ("DO $$ BEGIN; END $$", "SELECT 1"), ""),
    "no keyword of PostgreSQL": (
        "postgresql",
        "\\i evil\n; frobnicate; SELECT 1",
        ("\\i evil", "frobnicate", "SELECT 1"),
        "",
    ),
    "what ends in a string": ("sqlite", "SELECT 1; SELECT 'a; DROP TABLE b", ("SELECT 1",), "SELECT 'a; DROP TABLE b"),
    "what ends in a comment": ("sqlite", "DROP TABLE a; /* b", ("DROP TABLE a",), "/* b"),
    "minus signs that MySQL runs": ("mysql", "--x\n; DROP TABLE a", (), "--x\n; DROP TABLE a"),
    "an executable comment": ("mysql", "SELECT 1; /*!50000 DROP TABLE a */", ("SELECT 1",), "/*!50000 DROP TABLE a */"),
    "a command of the client": ("mysql", "DELIMITER //\nDROP TABLE a//", (), "DELIMITER //\nDROP TABLE a//"),
    "a NUL": ("postgresql", "SELECT 1;\0DROP TABLE a", (), "SELECT 1;\0DROP TABLE a"),
    "a database nobody knows": ("oracle", "SELECT 1; SELECT 2", (), "SELECT 1; SELECT 2"),
}


@pytest.mark.parametrize("name", CUT)
def test_a_file_is_cut_where_its_database_would(name: str) -> None:
    dialect, text, statements, rest = CUT[name]
    assert split(text, dialect) == Cut(statements, rest)


@pytest.mark.parametrize("dialect", SCHEMAS)
@pytest.mark.parametrize("before", ["-- a\n", "/* a; */", "-- a;\n-- b\n", "\n/* a */ -- b\n "])
def test_a_statement_behind_a_comment_is_not_left_out(dialect: str, before: str) -> None:
    cut = split(f"{before}DROP TABLE a; {before}DROP TABLE b; {before}", dialect)
    assert [piece[-12:] for piece in cut.statements] == ["DROP TABLE a", "DROP TABLE b"]


@pytest.mark.parametrize("dialect", SCHEMAS)
def test_each_labelled_statement_survives_between_others(dialect: str) -> None:
    for sql, _ in corpus(dialect):
        if not any(sign in sql for sign in ("--", "/*", "#")):
            cut = split(f"SELECT 1;\n{sql}\n;\nSELECT 2", dialect)
            assert _letters(f"SELECT 1{sql}SELECT 2") == _letters("".join([*cut.statements, cut.rest])), sql


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite", "mysql"])
@given(text=st.text(alphabet="aé1 ;'\"`$-/*#\\\n\r@!\0(", max_size=30))
def test_no_text_is_lost_and_none_crashes(dialect: str, text: str) -> None:
    cut = split(text, dialect)
    kept = "".join([*cut.statements, cut.rest])
    assert set(kept) <= set(text)
    if not {"-", "/", "#"} & set(text):  # without anything that begins a comment every letter is in some piece
        assert _letters(text) == _letters(kept)


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
