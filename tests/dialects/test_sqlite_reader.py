"""Is every part of a SQLite schema read, and nothing taken for a change that is only another spelling?"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.dialects.sqlite.reader import SqliteReader, open_reader, sqlite_path
from mcp_migrate.dialects.sqlite.spelling import Token, normal, tokens
from mcp_migrate.errors import ConfigInvalidError, TargetUnreachableError
from mcp_migrate.schema import Schema, diff, fingerprint
from tests.alembic_ini import alembic_ini
from tests.schema.coarse import coarse

PARENT = "CREATE TABLE p (id INTEGER PRIMARY KEY);"
TRIGGER = "CREATE TRIGGER g AFTER {} ON t BEGIN SELECT {}; END"
DIFFERENT = [
    ("t(a TEXT)", "t(a TEXT COLLATE NOCASE)", "alter_column main.t.a"),
    ("t(a TEXT)", "t(a TEXT DEFAULT NULL)", "alter_column main.t.a"),
    ("t(a INT DEFAULT 1)", "t(a INT DEFAULT '1')", "alter_column main.t.a"),
    ("t(a TEXT)", "t(a TEXT NOT NULL)", "alter_column main.t.a"),
    ("t(a TEXT NOT NULL)", "t(a TEXT NOT NULL ON CONFLICT IGNORE)", "alter_table main.t"),
    ("t(a TEXT)", "t(a TEXT) STRICT", "alter_table main.t"),
    ("t(a INT PRIMARY KEY)", "t(a INT PRIMARY KEY) WITHOUT /* */ ROWID", "alter_table main.t"),
    ("t(a INTEGER PRIMARY KEY)", "t(a INTEGER PRIMARY KEY AUTOINCREMENT)", "alter_table main.t"),
    ("t(a INTEGER PRIMARY KEY)", "t(a INTEGER PRIMARY KEY DESC)", "add_constraint main.t.PRIMARY KEY (a DESC)"),
    ("t(a INT, b INT, PRIMARY KEY (a, b))", "t(a INT, b INT, PRIMARY KEY (b, a))", "add_constraint"),
    ("t(a TEXT UNIQUE)", "t(a TEXT UNIQUE ON CONFLICT REPLACE)", "add_constraint"),
    ("t(a TEXT UNIQUE)", "t(a TEXT, UNIQUE (a COLLATE NOCASE))", "add_constraint"),
    ("t(a INT, CONSTRAINT x UNIQUE (a))", "t(a INT, CONSTRAINT y UNIQUE (a))", "add_constraint main.t.y"),
    ("t(a INT, CONSTRAINT c CHECK (a > 0))", "t(a INT, CONSTRAINT c CHECK (a > 1))", "alter_constraint main.t.c"),
    ("t(a INT, CHECK /* ( */ (a > 0))", "t(a INT, CHECK /* ( */ (a > 1))", "add_constraint"),
    ("t(a INT, CHECK (a IN (')', 2)))", "t(a INT, CHECK (a IN (')', 3)))", "add_constraint"),
    ("t([a(b] INT, CHECK ([a(b] > 0))", "t([a(b] INT, CHECK ([a(b] > 1))", "add_constraint"),
    ("t(a INT, CHECK (a > 0))", "t(a INT, CHECK (a > 0), CHECK (a > 0))", "add_constraint"),
    ("t(a INT, CHECK (a IS NULL))", 't(a INT, "null" INT, CHECK (a IS "null"))', "add_constraint"),
    ("t(a INT REFERENCES p)", "t(a INT REFERENCES p ON DELETE CASCADE)", "add_constraint"),
    ("t(a INT REFERENCES p)", "t(a INT REFERENCES p DEFERRABLE INITIALLY DEFERRED)", "add_constraint"),
    ("t(a INT, b INT AS (a + 1))", "t(a INT, b INT AS (a + 2))", "alter_column main.t.b"),
    ("t(a, [b c] NUMERIC(1, 2) AS /* */ (a+1))", "t(a, [b c] NUMERIC(1, 2) AS /* */ (a+2))", "alter_column main.t.b c"),
    ("t(a); CREATE INDEX i ON t(a)", "t(a); CREATE INDEX i ON t(a DESC)", "alter_index main.t.i"),
    ("t(a); CREATE INDEX i ON t(a)", "t(a); CREATE UNIQUE INDEX i ON t(a)", "alter_index main.t.i"),
    ("t(a); CREATE INDEX i ON t(a)", "t(a); CREATE INDEX i ON t(a COLLATE RTRIM)", "alter_index main.t.i"),
    ("t(a); CREATE INDEX i ON t(a + 1)", "t(a); CREATE INDEX i ON t(a + 2)", "alter_index main.t.i"),
    ("t(a); CREATE VIEW v AS SELECT a FROM t", "t(a); CREATE VIEW v AS SELECT 1 a FROM t", "alter_view main.v"),
    ("t(a TEXT)", "t(a INTEGER)", "alter_column main.t.a"),
    ("t(a VARCHAR(10))", "t(a VARCHAR(20))", "alter_column main.t.a"),
    ("t(a)", "t(a, b)", "add_column main.t.b"),
    ("t(a)", "t(b)", "add_column main.t.b"),
    ("t(a)", "u(a)", "add_table main.u"),
    ("t(a)", "T(a)", "add_table main.T"),
    ("t(a, b INT AS (a) VIRTUAL)", "t(a, b INT AS (a) STORED)", "alter_column main.t.b"),
    ("t(a INT, b INT, PRIMARY KEY (a, b))", "t(a INT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID", "alter_table main.t"),
    ("t(a INT PRIMARY KEY)", "t(a INT PRIMARY KEY ON CONFLICT REPLACE)", "add_constraint"),
    ("t(a INT REFERENCES p)", "t(a INT REFERENCES p ON UPDATE SET NULL)", "add_constraint"),
    ("t(a INT REFERENCES p)", "t(a INT CONSTRAINT f REFERENCES p)", "add_constraint main.t.f"),
    ("t(a INT REFERENCES p)", "t(a INT)", "drop_constraint"),
    ("t(a); CREATE INDEX i ON t(a)", "t(a); CREATE INDEX i ON t(a) WHERE a > 1", "alter_index main.t.i"),
    ("t(a, b); CREATE INDEX i ON t(a, b)", "t(a, b); CREATE INDEX i ON t(b, a)", "alter_index main.t.i"),
    ("t(a); CREATE INDEX i ON t(a)", "t(a)", "drop_index main.t.i"),
    ("t(a); CREATE VIEW v AS SELECT 1", "t(a); CREATE VIEW w AS SELECT 1", "add_view main.w"),
    (f"t(a); {TRIGGER.format('INSERT', 1)}", f"t(a); {TRIGGER.format('DELETE', 1)}", "alter_trigger main.g"),
    (f"t(a); {TRIGGER.format('INSERT', 1)}", f"t(a); {TRIGGER.format('INSERT', 2)}", "alter_trigger main.g"),
    (
        "t(a); CREATE VIRTUAL TABLE f USING fts5(x)",
        "t(a); CREATE VIRTUAL TABLE f USING fts5(x, y)",
        "alter_table main.f",
    ),
]
SAME = [
    ("t(a INT, CHECK(a>0))", '"t"(a INT, check ( [a] -- why\n > 0 ))'),
    ("t(a TEXT)", "t(a TEXT /* CHECK (a) AUTOINCREMENT */) -- STRICT"),
    ("t(a TEXT DEFAULT 'CHECK (a')", "t(`a`\tTEXT DEFAULT 'CHECK (a')"),
    ("t(a VARCHAR(10))", "t(a varchar ( 10 ))"),
    ("t(a INT DEFAULT (1+1))", "t(a INT DEFAULT ( 1 + 1 ))"),
    ("t(a INT, b INT AS (a+1))", 't(a INT, b INT GENERATED ALWAYS AS ("a" + 1) VIRTUAL)'),
    ("t(a INT PRIMARY KEY)", "t(a INT, PRIMARY KEY (a))"),
    ("t(a INT UNIQUE, CHECK (a > 0))", "t(a INT, CHECK (a > 0) UNIQUE (a))"),
    ("t(a INT REFERENCES p (id))", "t(a INT, FOREIGN KEY (a) REFERENCES P (id) NOT DEFERRABLE)"),
    ("t(a); CREATE INDEX i ON t(a+1) WHERE a>1", 't(a); CREATE INDEX IF NOT EXISTS "i" ON "t" ([a] + 1) where a > 1'),
    ("t(a); CREATE VIEW v AS SELECT a FROM t", 't(a); create view "v" as\nselect "a" from [t]'),
    ("t(a INT, b INT)", "t(b INT, a INT)"),
]


def read(path: Path, sql: str, *, version_table: str = "alembic_version") -> Schema:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(sql)
    with open_reader(f"sqlite:///{path}") as reader:
        return reader.schema(version_table=version_table)


@pytest.mark.parametrize(("one", "two", "named"), DIFFERENT)
def test_each_difference_changes_the_fingerprint_and_is_named(tmp_path: Path, one: str, two: str, named: str) -> None:
    before, after = (read(tmp_path / "t.db", f"{PARENT} CREATE TABLE {sql}") for sql in (one, two))
    changes = coarse(before, after)
    assert fingerprint(before) != fingerprint(after)
    assert any(change.startswith(named) for change in changes), changes


@pytest.mark.parametrize(("one", "two"), SAME)
def test_another_spelling_is_the_same_schema(tmp_path: Path, one: str, two: str) -> None:
    before, after = (read(tmp_path / "t.db", f"{PARENT} CREATE TABLE {sql}") for sql in (one, two))
    assert diff(before, after) == ()
    assert fingerprint(before) == fingerprint(after)


def test_a_table_built_by_altering_equals_one_made_at_once(tmp_path: Path) -> None:
    altered = "CREATE TABLE old (a INT, CHECK (a > 0)); ALTER TABLE old ADD COLUMN b INT REFERENCES p (id); "
    altered += "ALTER TABLE old RENAME TO t; ALTER TABLE t RENAME COLUMN a TO c;"
    made = 'CREATE TABLE t (c INT, "b" INT REFERENCES p (id), CHECK (c > 0));'
    assert diff(*(read(tmp_path / "t.db", PARENT + sql) for sql in (altered, made))) == ()


def test_a_text_that_is_not_understood_counts_as_a_whole(tmp_path: Path) -> None:
    late = "t (a INT REFERENCES p CHECK (a > {}) DEFERRABLE INITIALLY DEFERRED)"
    one, two = (read(tmp_path / "t.db", f"{PARENT} CREATE TABLE {late.format(n)}") for n in (1, 2))
    assert [option.partition(":")[0] for option in one.tables[1].options] == ["as written"]
    assert fingerprint(one) != fingerprint(two)


def test_names_of_every_kind_are_read_and_counted(tmp_path: Path) -> None:
    names = ['we"ird\n😀', "order", "a.b", "x'y", "Größe"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    sql = "".join(
        f"CREATE TABLE {name} ({name} INT DEFAULT 1 CHECK ({name} > 0)); INSERT INTO {name} DEFAULT VALUES;"
        for name in quoted
    )
    schema = read(tmp_path / "t.db", sql)
    assert {(table.name, table.columns[0].name) for table in schema.tables} == {(name, name) for name in names}
    with open_reader(f"sqlite:///{tmp_path}/t.db") as reader:
        wanted = [table.qualified for table in schema.tables]
        assert reader.count_rows([*wanted, "main.none", "other.order"]) == dict.fromkeys(wanted, 1)


def test_what_is_not_the_users_is_left_out(tmp_path: Path) -> None:
    sql = "CREATE TABLE Alembic_Version (version_num TEXT); INSERT INTO alembic_version VALUES ('r');"
    sql += "CREATE TABLE _mcp_migrate_x (a); CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT);"
    assert [table.name for table in read(tmp_path / "t.db", sql).tables] == ["t"]
    with open_reader(f"sqlite:///{tmp_path}/t.db") as reader:
        assert reader.revisions("alembic_version") == ("r",)


def test_a_trigger_on_the_version_table_is_not_alembics(tmp_path: Path) -> None:
    sql = "CREATE TABLE alembic_version (version_num TEXT); CREATE TABLE t (a);"
    sql += "CREATE TRIGGER g AFTER UPDATE ON alembic_version BEGIN DELETE FROM t; END"
    schema = read(tmp_path / "t.db", sql)
    assert [(other.kind, other.table) for other in schema.others] == [("trigger", "main.alembic_version")]


def test_a_virtual_table_without_its_module_and_a_broken_view_are_read_as_far_as_can_be(tmp_path: Path) -> None:
    read(tmp_path / "t.db", "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t")
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        database.executescript(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE VIEW v AS SELECT a FROM gone'"
            " WHERE name = 'v'; INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0,"
            " 'CREATE VIRTUAL TABLE x USING nowhere(y)')"
        )
    with open_reader(f"sqlite:///{tmp_path}/t.db") as reader:
        schema = reader.schema(version_table="alembic_version")
    assert [table.qualified for table in schema.tables] == ["main.t", "main.x"]
    assert schema.tables[1].options == ("CREATE VIRTUAL TABLE x USING nowhere(y)",)
    assert schema.unseen == ("columns of main.x: no such module: nowhere",)


def test_an_empty_database_is_an_empty_schema(tmp_path: Path) -> None:
    (tmp_path / "t.db").touch()
    for name in ("t", "not_there"):
        with open_reader(f"sqlite:///{tmp_path}/{name}.db") as reader:
            assert reader.schema(version_table="alembic_version") == Schema("sqlite")


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_what_is_dropped_while_it_is_read_is_read_as_it_was(tmp_path: Path, mode: str) -> None:
    before = read(tmp_path / "t.db", "CREATE TABLE t (a INT); CREATE TABLE u (a INT)")
    with closing(sqlite3.connect(tmp_path / "t.db", timeout=0)) as other:
        other.execute(f"PRAGMA journal_mode = {mode}")
        with open_reader(f"sqlite:///{tmp_path}/t.db") as reader:
            waits = nullcontext() if mode == "wal" else pytest.raises(sqlite3.OperationalError, match="locked")
            with waits:
                other.execute("DROP TABLE u")
            assert reader.schema(version_table="alembic_version") == before


def test_temporary_tables_of_a_plan_do_not_answer_for_the_real_ones(tmp_path: Path) -> None:
    before = read(tmp_path / "t.db", "CREATE TABLE t (a INT); INSERT INTO t VALUES (1)")
    with closing(sqlite3.connect(tmp_path / "t.db")) as session:
        session.executescript(
            "CREATE TEMP TABLE t (lie TEXT); CREATE TEMP VIEW alembic_version AS SELECT 1 version_num"
        )
        reader = SqliteReader(session)
        assert reader.schema(version_table="alembic_version") == before
        assert reader.count_rows(["main.t"]) == {"main.t": 1}
        assert reader.revisions("alembic_version") == ()


def test_a_thousand_tables_take_no_more_queries_than_one(tmp_path: Path) -> None:
    tables = "".join(f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, a INT UNIQUE CHECK (a > 0));" for n in range(1_000))
    read(tmp_path / "t.db", f"BEGIN; {tables} COMMIT;")
    with closing(sqlite3.connect(tmp_path / "t.db")) as session:
        counting = _Counting(session)
        assert len(counting.schema(version_table="v").tables) == 1_000
    assert counting.asked == 4


class _Counting(SqliteReader):
    asked = 0

    def _ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        return super()._ask(sql, *values)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///rel/x.db", "rel/x.db"),
        ("sqlite:////abs/x.db", "/abs/x.db"),
        ("sqlite+pysqlite:///a%20b.db?timeout=3", "a b.db"),
        ("sqlite+aiosqlite:///a#b+c.db", "a#b+c.db"),
    ],
)
def test_a_url_names_the_file_that_sqlalchemy_would_open(url: str, path: str) -> None:
    from sqlalchemy.engine import make_url

    assert sqlite_path(url) == Path(path)
    assert make_url(url).database == path


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/x.db", "sqlite:///file:x?uri=1", "mysql:///x"],
)
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigInvalidError):
        sqlite_path(url)


def test_a_file_that_is_no_database_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_text("no database, but long enough to be taken for one " * 40)
    with pytest.raises(TargetUnreachableError, match="not a database"), open_reader(f"sqlite:///{tmp_path}/t.db"):
        pass


def test_reading_changes_nothing(tmp_path: Path) -> None:
    read(tmp_path / "t.db", "CREATE TABLE t (a INT)")
    with pytest.raises(TargetUnreachableError, match="readonly"), open_reader(f"sqlite:///{tmp_path}/t.db") as reader:
        reader._connection.execute("DROP TABLE t")


@given(st.text(st.sampled_from("ab1_.,()'\"`[]-/*|<=> \nx\u00e9"), max_size=30))
def test_the_one_spelling_is_its_own_spelling(sql: str) -> None:
    found = tokens(sql)
    if _closed(found):
        assert tokens(normal(sql)) == found


def _closed(found: list[Token]) -> bool:
    """Whether SQLite's grammar could take it: every quote is closed, and a dot stands between names."""
    return not {"'", '"', "`", "[", "]", "."}.intersection(part.value for part in found if part.kind == "symbol")


@pytest.fixture(scope="module")
def optuna(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """optuna's schema, as `alembic upgrade head` makes it."""
    return _upgraded(tmp_path_factory.mktemp("one"))


def test_the_same_history_gives_the_same_fingerprint(optuna: Path, tmp_path: Path) -> None:
    again = _upgraded(tmp_path)
    schemas = []
    for path in (optuna, again):
        with open_reader(f"sqlite:///{path}") as reader:
            schemas.append(reader.schema(version_table="alembic_version"))
    assert len(schemas[0].tables) > 10
    assert fingerprint(schemas[0]) == fingerprint(schemas[1])


def test_a_dump_loaded_in_another_spelling_gives_the_same_fingerprint(optuna: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(optuna)) as session:
        texts = [sql for (sql,) in session.execute("SELECT sql FROM sqlite_schema WHERE sql NOTNULL ORDER BY name")]
    tables = [sql for sql in texts if sql.startswith("CREATE TABLE")]
    rest = [sql for sql in texts if not sql.startswith("CREATE TABLE")]
    spelt = ";".join(
        sql.replace("\n", " /* ' */\t").replace("NOT NULL", "not  null") for sql in [*reversed(tables), *rest]
    )
    with open_reader(f"sqlite:///{optuna}") as reader:
        assert diff(reader.schema(version_table="alembic_version"), read(tmp_path / "t.db", spelt)) == ()


def _upgraded(folder: Path) -> Path:
    """A file that optuna's own history was run on."""
    import optuna

    location = Path(optuna.__file__).parent / "storages/_rdb/alembic"
    ini = folder / "alembic.ini"
    ini.write_text(alembic_ini(location, f"sqlite:///{folder}/o.db"))
    command = [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "head"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "o.db"
