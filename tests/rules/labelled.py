"""What is in the labelled corpus, and on which schemas is it judged?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table

CORPUS = Path(__file__).parent / "corpus"

_SQLITE = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT DEFAULT '');
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER);
CREATE TABLE replacing (id INTEGER PRIMARY KEY, k TEXT UNIQUE ON CONFLICT /**/ REPLACE);
CREATE TABLE audited (id INTEGER);
CREATE TABLE twice (id INTEGER);
CREATE TABLE plain (id INTEGER);
CREATE TABLE filled (word TEXT NOT NULL);
CREATE VIEW active_users AS SELECT id FROM users;
CREATE TRIGGER watch AFTER INSERT ON audited BEGIN DELETE FROM orders; END;
CREATE TRIGGER again AFTER INSERT ON twice BEGIN INSERT OR REPLACE INTO orders (id) VALUES (1); END;
"""


def _index(text: str) -> Index:
    return Index(text.split()[text.split().index("INDEX") + 1], text, unique="UNIQUE" in text, text=text)


_INDEXES = {
    "users": (
        _index("CREATE INDEX by_email ON users (email)"),
        _index("CREATE INDEX by_name_email ON users (id) WHERE email NOTNULL"),
    ),
    "orders": (_index("CREATE UNIQUE INDEX by_both ON orders (id, user_id DESC)"),),
}


def _table(schema: str, table: str, /, **columns: str) -> Table:
    return Table(schema, table, tuple(Column(column, kind, nullable=True) for column, kind in columns.items()))


def postgresql_schema() -> Schema:
    varchar = "character varying(50)"
    return Schema(
        "postgresql",
        (
            _table("public", "users", id="integer", email=varchar, name="text"),
            _table("public", "orders", id="integer", user_id="integer", total="integer"),
            _table("public", "audited", id="integer"),
            _table("app", "secrets", id="integer"),
            replace(
                _table("public", "codes", id="integer", value="text"),
                constraints=(Constraint("primary_key", "codes_pkey", ("id",), "PRIMARY KEY (id)"),),
                indexes=(_index("CREATE UNIQUE INDEX codes_value ON public.codes USING btree (value)"),),
            ),
        ),
        (
            Other("view", "public", "active_users", "SELECT evil()"),
            Other("function", "public", "evil", "..."),
            Other("function", "public", "shout", "..."),
            Other("enum", "public", "mood", "('happy')"),
            Other("domain", "public", "positive", "integer CHECK (evil() IS NULL)"),
            Other("sequence", "public", "counter", ""),
            Other("trigger", "public", "watch", "EXECUTE FUNCTION evil()", "public.audited"),
        ),
    )


def sqlite_schema() -> Schema:
    """Read back from SQLite, in the form its dialect gives."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SQLITE)
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOTNULL").fetchall()
    return Schema(
        "sqlite",
        tuple(
            Table("main", name, (), definition=sql, indexes=_INDEXES.get(name, ()))
            for kind, name, _, sql in rows
            if kind == "table"
        ),
        tuple(Other(kind, "main", name, sql, f"main.{of}") for kind, name, of, sql in rows if kind != "table"),
    )


def mysql_schema() -> Schema:
    ids = Column("id", "int", nullable=False, identity="auto_increment")
    users = (
        ids,
        Column("email", "varchar(50)", nullable=True),
        Column("name", "varchar(50)", nullable=True, default="x"),
    )
    mood = Column("mood", "enum('a','b')", nullable=True)
    orders = (ids, Column("user_id", "int", nullable=True), Column("total", "int", nullable=True), mood)
    return Schema(
        "mysql",
        (
            Table("shop", "users", users, options=("collation utf8mb4_0900_ai_ci",)),
            Table("shop", "orders", orders),
            _table("shop", "audited", id="int"),
        ),
        (
            Other("view", "shop", "active_users", "select `id` from `users`"),
            Other("trigger", "shop", "watch", "DELETE FROM orders", "shop.audited"),
        ),
    )


SCHEMAS = {"mysql": mysql_schema(), "postgresql": postgresql_schema(), "sqlite": sqlite_schema()}


def judged(sql: str, dialect: str) -> Judgement:
    """One statement alone."""
    return judge([Statement(1, "r", sql)], dialect=dialect, schema=SCHEMAS[dialect])[0]


def effects(words: str) -> frozenset[Effect]:
    return frozenset(Effect(word) for word in words.split())


def _groups(pattern: str) -> list[dict[str, Any]]:
    files = sorted(CORPUS.glob(pattern))
    return [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))]


def corpus(dialect: str) -> list[tuple[str, str]]:
    """Each statement with its effects, in words."""
    return [(sql, group["effects"]) for group in _groups(f"{dialect}*.yaml") for sql in group["statements"]]


ALL = [(dialect, sql, words) for dialect in SCHEMAS for sql, words in corpus(dialect)]
PLANS = _groups("plans*.yaml")
