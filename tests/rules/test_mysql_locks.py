"""Does a real MariaDB lock and rewrite as the rules say? Each ALGORITHM and LOCK is forced, the mildest first.

What MySQL does otherwise is in the rules; there the stricter of the two products is told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.rules.locks import BLOCKS
from tests.rules.labelled import judged

_SERVER = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
_MISSING = "mariadbd is not installed: apt-get install mariadb-server (its service need not run)"
pytestmark = pytest.mark.skipif(_SERVER is None, reason=_MISSING)

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


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A MariaDB of our own: another folder, a socket, no network, and not root."""
    with tempfile.TemporaryDirectory(prefix="maria") as name:
        yield from _running(Path(name))


def _running(folder: Path) -> Iterator[Any]:
    pymysql: Any = import_module("pymysql")

    account = _account(folder)
    data, socket = folder / "data", folder / "s"
    install = shutil.which("mariadb-install-db") or "mariadb-install-db"
    made = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*account, *made], check=True, capture_output=True)
    words = ["--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking"]
    running = subprocess.Popen([*account, str(_SERVER), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_there(socket, running)
        with pymysql.connect(unix_socket=str(socket), user="root", autocommit=True) as connection:
            yield connection.cursor()
    finally:
        running.terminate()
        running.wait(30)


def _account(folder: Path) -> list[str]:
    """The words that run a command as nobody, where we are root."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "nobody")
    return ["setpriv", "--reuid=nobody", "--clear-groups"]


def _until_there(socket: Path, running: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if socket.exists():
            return
        assert running.poll() is None, "mariadbd ended at once"
        time.sleep(0.1)
    pytest.fail("mariadbd did not open its socket")


def _mildest(cursor: Any, sql: str) -> str:
    """The first way by which the server does it, on fresh tables that hold a row."""
    pymysql: Any = import_module("pymysql")

    for way in _WAYS:
        cursor.execute("DROP DATABASE IF EXISTS shop")
        cursor.execute("CREATE DATABASE shop")
        cursor.execute("USE shop")
        for text in _MADE.split(";\n"):
            cursor.execute(text)
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
