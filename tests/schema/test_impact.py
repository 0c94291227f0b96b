"""Do the effects that a change is told with agree with how its statement is judged?"""

from __future__ import annotations

import pytest

from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules import judge
from mcp_migrate.schema import Schema, Table
from mcp_migrate.schema.impact import IMPACTS, effects_of
from tests.rules.labelled import SCHEMAS

ON_POSTGRESQL = {
    "add_table": "CREATE TABLE zz (id integer)",
    "drop_table": "DROP TABLE users",
    "rename_table": "ALTER TABLE users RENAME TO people",
    "move_table": "ALTER TABLE users SET SCHEMA app",
    "alter_table": "ALTER TABLE users OF kind",
    "change_storage": "ALTER TABLE users SET (fillfactor = 70)",
    "change_row_security": "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    "change_partition": "ALTER TABLE users DETACH PARTITION orders",
    "change_owner": "ALTER TABLE users OWNER TO bob",
    "change_grants": "GRANT SELECT ON users TO bob",
    "change_comment": "COMMENT ON COLUMN users.name IS 'x'",
    "add_column": "ALTER TABLE users ADD COLUMN zz text",
    "add_required_column": "ALTER TABLE users ADD COLUMN zz text NOT NULL",
    "drop_column": "ALTER TABLE users DROP COLUMN name",
    "rename_column": "ALTER TABLE users RENAME COLUMN name TO title",
    "widen_type": "ALTER TABLE users ALTER COLUMN email TYPE varchar(80)",
    "widen_type_rewriting": "ALTER TABLE users ALTER COLUMN id TYPE bigint",
    "narrow_type": "ALTER TABLE users ALTER COLUMN email TYPE varchar(3)",
    "change_type": "ALTER TABLE users ALTER COLUMN name TYPE bytea USING name::bytea",
    "set_not_null": "ALTER TABLE users ALTER COLUMN name SET NOT NULL",
    "drop_not_null": "ALTER TABLE users ALTER COLUMN name DROP NOT NULL",
    "set_default": "ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",
    "drop_default": "ALTER TABLE users ALTER COLUMN name DROP DEFAULT",
    "change_identity": "ALTER TABLE users ALTER COLUMN id SET GENERATED ALWAYS",
    "change_generated": "ALTER TABLE users ALTER COLUMN name DROP EXPRESSION",
    "change_collation": 'ALTER TABLE users ALTER COLUMN name TYPE text COLLATE "C"',
    "change_column_options": "ALTER TABLE users ALTER COLUMN name SET STORAGE EXTERNAL",
    "add_constraint": "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0)",
    "add_exclusion": "ALTER TABLE users ADD CONSTRAINT c EXCLUDE USING gist (id WITH =)",
    "drop_constraint": "ALTER TABLE users DROP CONSTRAINT c",
    "rename_constraint": "ALTER TABLE users RENAME CONSTRAINT c TO d",
    "alter_constraint": "ALTER TABLE users DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (id > 1)",
    "move_constraint": "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0)",
    "validate_constraint": "ALTER TABLE users VALIDATE CONSTRAINT c",
    "add_index": "CREATE INDEX i ON users (name)",
    "add_unique_index": "CREATE UNIQUE INDEX i ON users (name)",
    "drop_index": "DROP INDEX by_email",
    "rename_index": "ALTER INDEX i RENAME TO j",
    "alter_index": "DROP INDEX i; CREATE INDEX i ON users (name)",
    "add_enum_value": "ALTER TYPE mood ADD VALUE 'sad'",
    "rename_enum_value": "ALTER TYPE mood RENAME VALUE 'happy' TO 'glad'",
    "drop_enum_value": "ALTER TABLE users ALTER name TYPE mood2 USING name::mood2; DROP TYPE mood",
    "reorder_enum_values": "ALTER TABLE users ALTER name TYPE mood2 USING name::mood2; DROP TYPE mood",
    "move_object": "ALTER FUNCTION shout() SET SCHEMA app",
    "add_view": "CREATE VIEW v AS SELECT 1",
    "alter_view": "CREATE OR REPLACE VIEW v AS SELECT 1",
    "drop_view": "DROP VIEW v",
    "rename_view": "ALTER VIEW v RENAME TO w",
    "add_materialized_view": "CREATE MATERIALIZED VIEW m AS SELECT 1",
    "alter_materialized_view": "DROP MATERIALIZED VIEW m; CREATE MATERIALIZED VIEW m AS SELECT 1",
    "drop_materialized_view": "DROP MATERIALIZED VIEW m",
    "rename_materialized_view": "ALTER MATERIALIZED VIEW m RENAME TO n",
    "add_enum": "CREATE TYPE e AS ENUM ('a')",
    "alter_enum": "ALTER TYPE mood RENAME VALUE 'happy' TO 'glad'",
    "drop_enum": "DROP TYPE mood",
    "rename_enum": "ALTER TYPE mood RENAME TO feeling",
    "add_domain": "CREATE DOMAIN d AS text",
    "alter_domain": "ALTER DOMAIN positive SET NOT NULL",
    "drop_domain": "DROP DOMAIN positive",
    "rename_domain": "ALTER DOMAIN positive RENAME TO d",
    "add_sequence": "CREATE SEQUENCE s",
    "alter_sequence": "ALTER SEQUENCE counter INCREMENT 2",
    "drop_sequence": "DROP SEQUENCE counter",
    "rename_sequence": "ALTER SEQUENCE counter RENAME TO s",
    "add_schema": "CREATE SCHEMA x",
    "drop_schema": "DROP SCHEMA app",
    "rename_schema": "ALTER SCHEMA app RENAME TO x",
    "add_function": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "alter_function": "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "drop_function": "DROP FUNCTION f()",
    "rename_function": "ALTER FUNCTION f() RENAME TO g",
    "add_procedure": "CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'",
    "drop_procedure": "DROP PROCEDURE f()",
    "add_aggregate": "CREATE AGGREGATE a (int) (SFUNC = int4pl, STYPE = int)",
    "drop_aggregate": "DROP AGGREGATE a (int)",
    "add_rule": "CREATE RULE r AS ON INSERT TO users DO NOTHING",
    "drop_rule": "DROP RULE r ON users",
    "add_trigger": "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION evil()",
    "alter_trigger": "CREATE OR REPLACE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION evil()",
    "drop_trigger": "DROP TRIGGER watch ON audited",
    "rename_trigger": "ALTER TRIGGER watch ON audited RENAME TO u",
    "add_policy": "CREATE POLICY p ON users USING (true)",
    "alter_policy": "ALTER POLICY p ON users USING (true)",
    "drop_policy": "DROP POLICY p ON users",
    "rename_policy": "ALTER POLICY p ON users RENAME TO q",
    "add_event_trigger": "CREATE EVENT TRIGGER et ON ddl_command_start EXECUTE FUNCTION f()",
    "drop_event_trigger": "DROP EVENT TRIGGER et",
    "add_extension": "CREATE EXTENSION hstore",
    "alter_extension": "ALTER EXTENSION hstore UPDATE",
    "drop_extension": "DROP EXTENSION hstore",
}
UNSPOKEN = {
    *(f"alter_{kind}" for kind in ("procedure", "aggregate", "rule", "event_trigger", "schema")),
    *(f"rename_{kind}" for kind in ("procedure", "aggregate", "rule", "event_trigger", "extension")),
}
"""No representative statement: as its neighbours, or there is none."""

_T = "id INTEGER PRIMARY KEY, a {}, b {}"
_PLAIN = _T.format("TEXT", "TEXT DEFAULT 'x'")
REBUILDS = {
    "widen_type": (_T.format("VARCHAR(5)", "TEXT"), _T.format("VARCHAR(9)", "TEXT")),
    "widen_type_rewriting": (_T.format("INTEGER", "TEXT"), _T.format("BIGINT", "TEXT")),
    "narrow_type": (_T.format("VARCHAR(9)", "TEXT"), _T.format("VARCHAR(5)", "TEXT")),  # SQLite keeps no lengths
    "change_type": (_T.format("TEXT", "TEXT"), _T.format("INTEGER", "TEXT")),
    "set_not_null": (_T.format("TEXT", "TEXT"), _T.format("TEXT NOT NULL", "TEXT")),
    "drop_not_null": (_T.format("TEXT NOT NULL", "TEXT"), _T.format("TEXT", "TEXT")),
    "set_default": (_T.format("TEXT", "TEXT"), _T.format("TEXT DEFAULT 'q'", "TEXT")),
    "drop_default": (_PLAIN, _T.format("TEXT", "TEXT")),
    "change_identity": (_PLAIN, _PLAIN.replace("KEY", "KEY AUTOINCREMENT")),
    "change_collation": (_T.format("TEXT", "TEXT"), _T.format("TEXT COLLATE NOCASE", "TEXT")),
    "add_constraint": (_PLAIN, f"{_PLAIN}, CHECK (id > 0)"),
    "drop_constraint": (f"{_PLAIN}, CHECK (id > 0)", _PLAIN),
    "rename_constraint": (f"{_PLAIN}, CONSTRAINT c CHECK (id > 0)", f"{_PLAIN}, CONSTRAINT d CHECK (id > 0)"),
    "alter_constraint": (f"{_PLAIN}, CONSTRAINT c CHECK (id > 0)", f"{_PLAIN}, CONSTRAINT c CHECK (id > 1)"),
    "move_constraint": (_PLAIN, f"{_PLAIN}, UNIQUE (a)"),
}
"""A table as it was, and as it is made again."""
ON_SQLITE = {
    "add_table": "CREATE TABLE zz (id INTEGER)",
    "drop_table": "DROP TABLE orders",
    "rename_table": "ALTER TABLE orders RENAME TO purchases",
    "add_column": "ALTER TABLE users ADD COLUMN zz TEXT",
    "add_required_column": "ALTER TABLE users ADD COLUMN zz TEXT NOT NULL",
    "drop_column": "ALTER TABLE users DROP COLUMN name",
    "rename_column": "ALTER TABLE users RENAME COLUMN name TO title",
    "add_index": "CREATE INDEX i ON users (name)",
    "add_unique_index": "CREATE UNIQUE INDEX i ON users (name)",
    "drop_index": "DROP INDEX by_both",
    "rename_index": "DROP INDEX by_email\nCREATE INDEX i ON users (email)",
    "alter_index": "DROP INDEX by_email\nCREATE INDEX by_email ON users (email, name)",
    "add_view": "CREATE VIEW v AS SELECT id FROM orders",
    "alter_view": "DROP VIEW active_users\nCREATE VIEW active_users AS SELECT id FROM orders",
    "drop_view": "DROP VIEW active_users",
    "rename_view": "DROP VIEW active_users\nCREATE VIEW actives AS SELECT id FROM orders",
    "add_trigger": "CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM audited; END",
    "alter_trigger": "DROP TRIGGER watch\nCREATE TRIGGER watch AFTER INSERT ON orders BEGIN DELETE FROM audited; END",
    "drop_trigger": "DROP TRIGGER watch",
}


def judged(dialect: str, *statements: str, schema: Schema | None = None) -> frozenset[Effect]:
    plan = [Statement(n, "r", sql) for n, sql in enumerate(statements, 1)]
    found = judge(plan, dialect=dialect, schema=schema or SCHEMAS[dialect])
    return frozenset().union(*(judgement.effects for judgement in found))


def agree(told: frozenset[Effect], found: frozenset[Effect]) -> bool:
    """Never milder than the judgement, and nothing made up; what is not known may turn out to be anything."""
    if Effect.UNKNOWN in told:
        return told - {Effect.UNKNOWN} <= found
    return told == found


@pytest.mark.parametrize(("kind", "sql"), ON_POSTGRESQL.items())
def test_the_effects_of_a_kind_are_those_of_its_statement_on_postgresql(kind: str, sql: str) -> None:
    assert agree(frozenset(effects_of(kind, "postgresql")), judged("postgresql", *sql.split("; ")))


@pytest.mark.parametrize(("kind", "sql"), ON_SQLITE.items())
def test_the_effects_of_a_kind_are_those_of_its_statement_on_sqlite(kind: str, sql: str) -> None:
    assert agree(frozenset(effects_of(kind, "sqlite")), judged("sqlite", *sql.split("\n")))


@pytest.mark.parametrize(("kind", "tables"), REBUILDS.items())
def test_a_table_made_again_has_the_effects_of_what_that_changes(kind: str, tables: tuple[str, str]) -> None:
    before = Schema("sqlite", (Table("main", "t", (), definition=f"CREATE TABLE t ({tables[0]})"),))
    copied = "INSERT INTO _t (id, a, b) SELECT id, a, b FROM t"
    steps = (f"CREATE TABLE _t ({tables[1]})", copied, "DROP TABLE t", "ALTER TABLE _t RENAME TO t")
    assert agree(frozenset(effects_of(kind, "sqlite")), judged("sqlite", *steps, schema=before))


def test_each_kind_has_a_representative_and_what_is_on_no_list_is_unknown() -> None:
    assert set(IMPACTS) == ON_POSTGRESQL.keys() | UNSPOKEN
    assert {k for k, impact in IMPACTS.items() if "unknown" not in impact.sqlite} <= ON_SQLITE.keys() | REBUILDS.keys()
    assert effects_of("add_spaceship", "postgresql") == effects_of("add_table", "mysql") == (Effect.UNKNOWN,)
    assert effects_of("add_table", "why") == effects_of("", "") == (Effect.UNKNOWN,)
