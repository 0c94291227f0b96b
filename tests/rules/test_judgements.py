"""What does a reviewer read, and what is taken for Alembic's own bookkeeping?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.schema.model import Other, Schema, Table
from tests.rules.labelled import SCHEMAS, judged

_VERSION = frozenset[Effect]()


_CREATED = """
CREATE TABLE alembic_version (
\tversion_num VARCHAR(32) NOT NULL,\x20
\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)

"""


def _version(sql: str, dialect: str) -> Judgement:
    return judge([Statement(1, "r", sql, kind="version")], dialect=dialect, schema=SCHEMAS[dialect])[0]


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize(
    "sql",
    [
        _CREATED,
        "INSERT INTO alembic_version (version_num) VALUES ('a1')",
        "INSERT INTO alembic_version (version_num) VALUES ('a1') RETURNING version_num",
        "UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1'",
        "DELETE FROM alembic_version WHERE alembic_version.version_num = 'a1'",
        "DROP TABLE alembic_version",
    ],
)
def test_the_version_table_moves_without_effects(sql: str, dialect: str) -> None:
    found = _version(sql, dialect)
    assert (found.rule, found.effects, found.objects) == ("alembic-version", _VERSION, ())


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE alembic_version, users",
        "DROP TABLE alembic_version CASCADE",
        "UPDATE alembic_version SET version_num = (SELECT max(name) FROM users)",
        "INSERT INTO alembic_version SELECT name FROM users",
        "WITH x AS (DELETE FROM users RETURNING name) INSERT INTO alembic_version SELECT name FROM x",
        "DELETE FROM alembic_version; DROP TABLE users",
        "CREATE TABLE alembic_version AS SELECT * FROM users",
        "CREATE TABLE alembic_version (v integer REFERENCES users (id))",
        "UPDATE alembic_version SET version_num = evil()",
        "TRUNCATE alembic_version",
        "ALTER TABLE alembic_version ADD COLUMN x integer",
        "REPLACE INTO alembic_version VALUES ('x')",
    ],
)
def test_nothing_else_passes_as_the_version_table(sql: str, dialect: str) -> None:
    assert _version(sql, dialect).rule != "alembic-version"


def test_objects_are_named_with_their_schema() -> None:
    found = judged("ALTER TABLE users DROP COLUMN email, ADD COLUMN mail text", "postgresql")
    assert found.objects == ("public.users.email", "public.users.mail")
    assert judged("ALTER TABLE users DROP COLUMN name", "sqlite").objects == ("main.users.name",)
    assert judged("DROP TABLE shop.a, b", "postgresql").objects == ("shop.a", "public.b")


def test_a_rename_names_both_ends() -> None:
    assert judged("ALTER TABLE users RENAME TO people", "postgresql").objects == ("public.users", "public.people")
    assert judged("ALTER TABLE users RENAME TO people", "sqlite").objects == ("main.users", "main.people")


def test_the_lock_is_told() -> None:
    assert judged("DROP TABLE users", "postgresql").lock == "ACCESS EXCLUSIVE"
    assert judged("CREATE INDEX i ON users (name)", "postgresql").lock == "SHARE"
    assert judged("DROP TABLE users", "sqlite").lock == "WRITE"
    assert judged("DROP TABLE users", "sqlite").blocks == ("writes", "ddl")
    assert judged("VACUUM", "sqlite").lock == "EXCLUSIVE FILE"


def test_a_safer_way_runs_as_it_stands() -> None:
    index = judged("CREATE INDEX i ON users (name)", "postgresql")
    assert index.safer == "CREATE INDEX CONCURRENTLY i ON users USING btree (name);"
    check = judged("ALTER TABLE orders ADD CONSTRAINT pos CHECK (total > 0)", "postgresql")
    assert check.safer is not None
    steps = [judged(step, "postgresql") for step in check.safer.split("\n")]
    assert [step.rule for step in steps] == ["add-constraint-not-valid", "validate-constraint"]


def test_cascade_is_told() -> None:
    assert "CASCADE" in judged("DROP TABLE users CASCADE", "postgresql").why
    assert "CASCADE" in judged("TRUNCATE users CASCADE", "postgresql").why


def test_the_rule_is_that_of_the_worst_part() -> None:
    found = judged("WITH x AS (DELETE FROM users RETURNING id) INSERT INTO orders SELECT id, id FROM x", "postgresql")
    assert found.rule == "delete-rows"
    assert found.objects == ("public.users", "public.orders")


def test_a_longer_type_needs_the_schema_to_be_known_as_longer() -> None:
    statement = Statement(1, "r", "ALTER TABLE users ALTER COLUMN email TYPE varchar(100)")
    [known] = judge([statement], dialect="postgresql", schema=SCHEMAS["postgresql"])
    [blind] = judge([statement], dialect="postgresql", schema=None)
    assert known.effects == {Effect.ADDITIVE}
    assert blind.effects == {Effect.DESTRUCTIVE, Effect.BLOCKING}


def test_a_function_of_the_database_hides_a_built_in_one() -> None:
    shadowed = Schema("postgresql", others=(Other("function", "public", "lower(citext)", "..."),))
    [found] = judge([Statement(1, "r", "SELECT lower('x')")], dialect="postgresql", schema=shadowed)
    assert Effect.UNKNOWN in found.effects


def test_a_schema_that_sqlite_cannot_copy_makes_everything_unknown() -> None:
    broken = Schema("sqlite", (Table("main", "t", (), definition="CREATE TABLE t (a"),))
    [found] = judge([Statement(1, "r", "CREATE TABLE n (a)")], dialect="sqlite", schema=broken)
    assert found.effects == {Effect.UNKNOWN}


def test_judging_a_schema_reaches_no_other_file(tmp_path: object) -> None:
    hostile = Schema("sqlite", (Table("main", "t", (), definition=f"ATTACH '{tmp_path}/x.db' AS x"),))
    [found] = judge([Statement(1, "r", "SELECT 1")], dialect="sqlite", schema=hostile)
    assert found.effects == {Effect.UNKNOWN}


def test_parameters_are_counted_and_never_read() -> None:
    statement = Statement(1, "r", "INSERT INTO users (id, name) VALUES (?, ?)", parameters=((1, "x"), (2, "y")))
    [found] = judge([statement], dialect="sqlite", schema=SCHEMAS["sqlite"])
    assert found.effects == {Effect.DATA}


def test_no_parser_is_loaded_before_the_first_plan() -> None:
    code = "import sys, mcp_migrate.rules; print(sorted({'postgast', 'sqlglot', 'google.protobuf'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
