from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for

POSTGRESQL = {
    "SELECT 1": (),
    "SELECT relname FROM pg_catalog.pg_class JOIN pg_namespace ON true": (),
    "SELECT * FROM information_schema.tables": (),
    "SHOW transaction isolation level": (),
    "SHOW server_version": (),
    "SELECT a, lower(b) FROM users JOIN shop.orders ON true": ("shop.orders", "users"),
    "TABLE users": ("users",),
    "SELECT CASE WHEN a THEN coalesce(b, 1) END FROM t WHERE EXISTS (SELECT 1 FROM u)": ("t", "u"),
    "SELECT jsonb_typeof(j) FROM t UNION SELECT max(a)::text FROM u": ("t", "u"),
    # names that a WITH gives, where they hold and where they do not
    "WITH a AS (SELECT 1) SELECT * FROM a": (),
    "WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b": (),
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r": (),
    "WITH users AS (SELECT * FROM users) SELECT * FROM users": ("users",),
    "WITH b AS (SELECT * FROM a), a AS (SELECT 1) SELECT * FROM b": ("a",),
    "SELECT * FROM (WITH users AS (SELECT 1) SELECT * FROM users) x, users": ("users",),
    "WITH users AS (SELECT 1) SELECT * FROM public.users": ("public.users",),
    # looks like a catalog, and holds rows
    "SELECT * FROM pg_of_ours": ("pg_of_ours",),
    "SELECT most_common_vals FROM pg_catalog.pg_stats": ("pg_catalog.pg_stats",),
    "SELECT * FROM shop.pg_class": ("shop.pg_class",),
    # does something, or nobody knows
    "SELECT * INTO x FROM t": None,
    "CREATE TABLE x AS SELECT 1": None,
    "SELECT * FROM t FOR UPDATE": None,
    "SELECT * FROM (SELECT * FROM t FOR SHARE) x": None,
    "WITH d AS (DELETE FROM t RETURNING 1) SELECT * FROM d": None,
    "WITH i AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT 1": None,
    "SELECT nextval('s')": None,
    "VALUES (pg_sleep(1))": None,
    "SELECT set_config('a.b', 'c', false)": None,
    "SELECT * FROM dblink('x', 'DROP TABLE y') AS t(a int)": None,
    "SELECT shop.lower('x')": None,
    "SELECT 1 OPERATOR(shop.+) 2": None,
    "EXPLAIN ANALYZE DELETE FROM t": None,
    "SELECT 1; SELECT 2": None,
    "SHOW all": None,
    "SET search_path = x": None,
    "COPY t TO STDOUT": None,
    "DO $$ BEGIN END $$": None,
    "FROBNICATE t": None,
    "": None,
    "SELECT 'a": None,
}
SQLITE = {
    "SELECT 1": (),
    "SELECT sql FROM (SELECT * FROM sqlite_master UNION ALL SELECT * FROM sqlite_temp_master) WHERE name = ?": (),
    "SELECT name FROM main.sqlite_schema": (),
    "SELECT * FROM pragma_table_info('t')": (),
    "PRAGMA table_info('t')": (),
    'PRAGMA "main".table_xinfo("we""ird")': (),
    "PRAGMA main.index_list(t)": (),
    "PRAGMA foreign_keys": (),
    "PRAGMA encoding;": (),
    "SELECT CASE WHEN a THEN coalesce(b, 1) END FROM t WHERE EXISTS (SELECT 1 FROM [u])": ("t", "u"),
    "SELECT count(*) FROM main.t JOIN \"u\" ON 1 WHERE a LIKE 'x'": ("t", "u"),
    "WITH a AS (SELECT * FROM t) SELECT * FROM A": ("t",),
    "SELECT * FROM (WITH users AS (SELECT 1) SELECT * FROM users) x, users": ("users",),
    "WITH users AS (SELECT 1) SELECT * FROM main.users": ("users",),
    "SELECT * FROM sqlite_sequence": ("sqlite_sequence",),
    "PRAGMA foreign_keys = ON": None,
    "PRAGMA foreign_keys(1)": None,
    "PRAGMA user_version = 2": None,
    "PRAGMA table_info(t); INSERT INTO t VALUES (1)": None,
    "PRAGMA wal_checkpoint": None,
    "PRAGMA optimize": None,
    "SELECT * FROM pragma_optimize()": None,
    "SELECT load_extension('x')": None,
    "SELECT writefile('a', 'b')": None,
    "SELECT randomblob(3)": None,
    "SELECT 1; DROP TABLE t": None,
    "DELETE FROM t RETURNING a": None,
    "EXPLAIN SELECT 1": None,
    "FROBNICATE t": None,
    "SELECT 'a": None,
}


@pytest.mark.parametrize(("sql", "tables"), POSTGRESQL.items())
def test_postgresql_reads_are_told_from_what_acts(sql: str, tables: tuple[str, ...] | None) -> None:
    assert dialect_for("postgresql").reads(sql) == tables


@pytest.mark.parametrize(("sql", "tables"), SQLITE.items())
def test_sqlite_reads_are_told_from_what_acts(sql: str, tables: tuple[str, ...] | None) -> None:
    assert dialect_for("sqlite").reads(sql) == tables


SCHEMA = {
    "postgresql": [
        "CREATE TYPE size AS ENUM ('s', 'l')",
        "CREATE DOMAIN positive AS int CHECK (value > 0)",
        "CREATE TABLE t (id serial PRIMARY KEY, a varchar(10) DEFAULT 'x', j int CHECK (j > 0), UNIQUE (a))",
        "CREATE TABLE u (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t int REFERENCES t (id), s size, p positive)",
        "COMMENT ON TABLE t IS 'things'",
        "CREATE INDEX ti ON t (lower(a)) WHERE j > 1",
        "CREATE VIEW v AS SELECT * FROM t",
    ],
    "sqlite": [
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(10) DEFAULT 'x', j int CHECK (j > 0), UNIQUE (a))",
        'CREATE TABLE "we""ird" (id int PRIMARY KEY, t int REFERENCES t (id), g int GENERATED ALWAYS AS (id * 2))',
        "CREATE INDEX ti ON t (lower(a)) WHERE j > 1",
        "CREATE VIEW v AS SELECT * FROM t",
    ],
}


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/target.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("schema", [None, "default"])
def test_whatever_reflection_asks_is_known_to_read_catalogs_alone(any_url: str, schema: str | None) -> None:
    import sqlalchemy as sa

    dialect = dialect_for(any_url)
    engine = sa.create_engine(any_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in SCHEMA[dialect.name]:
            connection.exec_driver_sql(statement)
    asked: dict[str, tuple[str, ...] | None] = {}

    def keep(_c: Any, _cursor: Any, sql: str, parameters: Any, context: Any, many: Any) -> None:
        rows = parameters if many else [parameters]
        text, _ = dialect.freeze(sql, rows, no_parameters=bool(context and context.no_parameters))
        asked[text] = dialect.reads(text)

    sa.event.listen(engine, "after_cursor_execute", keep)
    _reflect(engine, schema and (engine.dialect.default_schema_name or "main"))

    assert len(asked) > 15
    assert {sql: tables for sql, tables in asked.items() if tables != ()} == {}


def _reflect(engine: Any, schema: str | None) -> None:
    import sqlalchemy as sa
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    inspector = sa.inspect(engine)
    of_all = ["get_table_names", "get_view_names", "get_multi_columns", "get_multi_indexes", "get_multi_table_comment"]
    if engine.dialect.name == "postgresql":
        of_all += ["get_enums", "get_domains", "get_sequence_names", "get_materialized_view_names"]
    for name in of_all:
        if engine.dialect.supports_comments or name != "get_multi_table_comment":
            getattr(inspector, name)(schema=schema)
    inspector.get_schema_names()
    inspector.get_view_definition("v", schema=schema)
    for name in ("get_columns", "get_pk_constraint", "get_foreign_keys", "get_indexes", "get_unique_constraints"):
        for table in inspector.get_table_names(schema=schema):
            getattr(inspector, name)(table, schema=schema)
    models = sa.MetaData()
    sa.Table("t", models, sa.Column("a", sa.String(20), server_default="y"), sa.Column("j", sa.Text))
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_schemas": schema is not None}
        compare_metadata(MigrationContext.configure(connection, opts=options), models)
