"""Does a real MariaDB lock and rewrite as the rules say? Each ALGORITHM and LOCK is forced, the mildest first.

What MySQL does otherwise is in the rules; there the stricter of the two products is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from mcp_migrate.drivers.mysql import connect
from mcp_migrate.rules.locks import BLOCKS
from tests.rules.labelled import judged

_WAYS = (
    "ALGORITHM=INSTANT",
    "ALGORITHM=NOCOPY LOCK=NONE",
    "ALGORITHM=NOCOPY LOCK=SHARED",
    "ALGORITHM=INPLACE LOCK=NONE",
    "ALGORITHM=INPLACE LOCK=SHARED",
    "ALGORITHM=COPY LOCK=SHARED",
)
_MADE = """
CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(50), name VARCHAR(50) DEFAULT 'x',
  KEY by_email (email), CONSTRAINT c CHECK (email <> '')) DEFAULT CHARACTER SET utf8mb4;
CREATE TABLE orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id INT, total INT, mood ENUM('a','b'),
  KEY k (user_id), CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id));
CREATE TABLE bare (id INT NOT NULL, place POINT NOT NULL);
CREATE TABLE written (id INT NOT NULL, name TEXT, FULLTEXT KEY w (name));
INSERT INTO users (email) VALUES ('a');
INSERT INTO orders (user_id) VALUES (1)
"""


@pytest.fixture
def server(mariadb_url: str) -> Iterator[Any]:
    """A session in a database with these tables, each with a row."""
    with connect(mariadb_url) as connection:
        cursor = connection.cursor()
        for text in _MADE.split(";\n"):
            cursor.execute(text)
        yield cursor


def _mildest(cursor: Any, sql: str) -> str:
    """The first way by which the server does it; one by which it does not changes nothing."""
    for way in _WAYS:
        try:
            cursor.execute(f"{sql}, {way.replace(' ', ', ')}" if sql.startswith("ALTER") else f"{sql} {way}")
        except pymysql.err.MySQLError:
            continue
        return way
    return "none of them"


_CASES = (
    ("ALTER TABLE users ADD COLUMN nick VARCHAR(50)", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users ADD COLUMN nick INT FIRST", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users ADD COLUMN (a INT, b INT)", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users ADD COLUMN nick VARCHAR(50) NOT NULL", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users ADD COLUMN n INT GENERATED ALWAYS AS (id + 1) VIRTUAL", "ALGORITHM=INSTANT"),
    ("ALTER TABLE orders ADD COLUMN n INT GENERATED ALWAYS AS (total + 1) STORED", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE users ADD COLUMN r VARCHAR(40) DEFAULT (UUID())", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE users ADD COLUMN n INT REFERENCES orders (id)", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE users ADD COLUMN n INT UNIQUE", "ALGORITHM=INPLACE LOCK=NONE"),
    ("ALTER TABLE users DROP COLUMN name", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users DROP CONSTRAINT c", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users ADD CHECK (email <> 'q')", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE orders ADD FOREIGN KEY (total) REFERENCES users (id)", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE orders DROP FOREIGN KEY f", "ALGORITHM=INSTANT"),
    ("CREATE INDEX i ON users (name)", "ALGORITHM=NOCOPY LOCK=NONE"),
    ("CREATE UNIQUE INDEX i ON users (name)", "ALGORITHM=NOCOPY LOCK=NONE"),
    ("CREATE FULLTEXT INDEX i ON users (name)", "ALGORITHM=INPLACE LOCK=SHARED"),
    ("CREATE SPATIAL INDEX i ON bare (place)", "ALGORITHM=NOCOPY LOCK=SHARED"),
    ("ALTER TABLE users DROP INDEX by_email", "ALGORITHM=NOCOPY LOCK=NONE"),
    ("ALTER TABLE users RENAME INDEX by_email TO b", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users RENAME COLUMN name TO nick", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'y'", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users MODIFY email VARCHAR(60)", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users MODIFY email VARCHAR(100)", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE users MODIFY email VARCHAR(50) NOT NULL", "ALGORITHM=INPLACE LOCK=NONE"),
    ("ALTER TABLE orders MODIFY mood ENUM('a','b','c')", "ALGORITHM=INSTANT"),
    ("ALTER TABLE orders MODIFY mood ENUM('b','a')", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE orders MODIFY total BIGINT", "ALGORITHM=COPY LOCK=SHARED"),
    ("ALTER TABLE bare ADD PRIMARY KEY (id)", "ALGORITHM=INPLACE LOCK=NONE"),
    ("ALTER TABLE users FORCE", "ALGORITHM=INPLACE LOCK=NONE"),
    ("ALTER TABLE users ENGINE=InnoDB", "ALGORITHM=INPLACE LOCK=NONE"),
    ("ALTER TABLE users ROW_FORMAT=COMPACT", "ALGORITHM=INPLACE LOCK=NONE"),
    ("ALTER TABLE written FORCE", "ALGORITHM=INPLACE LOCK=SHARED"),
    ("ALTER TABLE users AUTO_INCREMENT=100", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users COMMENT='people'", "ALGORITHM=INSTANT"),
    ("ALTER TABLE users CONVERT TO CHARACTER SET latin1", "ALGORITHM=COPY LOCK=SHARED"),
)


@pytest.mark.parametrize(("sql", "way"), _CASES)
def test_mariadb_does_it_by_this_way_and_the_rules_tell_no_less(server: Any, sql: str, way: str) -> None:
    assert _mildest(server, sql) == way
    found = judged(sql, "mysql")
    if "SHARED" in way:
        assert found.lock
        assert "writes" in BLOCKS[found.lock]
    if "INPLACE" in way:
        assert found.rewrites or found.scans
