"""Is a thing of each kind seen that is the only one of its kind? What a database has none of is not asked for."""

from __future__ import annotations

import pytest

from mcp_migrate.dialects.postgresql.reader import open_reader
from mcp_migrate.drivers.postgresql import connect

_FIRST = "DROP SCHEMA public; CREATE SCHEMA public; CREATE TABLE t (id int);"
_ALONE = {
    "view": "CREATE VIEW v AS SELECT 1 AS a",
    "materialized_view": "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a",
    "sequence": "CREATE SEQUENCE s",
    "enum": "CREATE TYPE e AS ENUM ()",
    "domain": "CREATE DOMAIN d AS int",
    "composite": "CREATE TYPE c AS ()",
    "range": "CREATE TYPE r AS RANGE (subtype = int4)",
    "type": "CREATE TYPE shell",
    "collation": 'CREATE COLLATION c FROM "C"',
    "statistics": "ALTER TABLE t ADD n int; CREATE STATISTICS s ON id, n FROM t",
    "function": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "procedure": "CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'",
    "aggregate": "CREATE AGGREGATE a (int) (sfunc = int4pl, stype = int)",
    "trigger": "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "rule": "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    "policy": "CREATE POLICY p ON t",
    "operator": "CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)",
    "operator_family": "CREATE OPERATOR FAMILY f USING btree",
    "operator_class": "CREATE OPERATOR CLASS c FOR TYPE int USING hash AS OPERATOR 1 =, FUNCTION 1 hashint4(int)",
    "cast": "CREATE CAST (int AS point) WITH INOUT",
    "conversion": "CREATE CONVERSION c FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
    "transform": "CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
    "access_method": "CREATE ACCESS METHOD a TYPE TABLE HANDLER heap_tableam_handler",
    "language": "CREATE LANGUAGE l HANDLER plpgsql_call_handler",
    "text_search_configuration": "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple)",
    "text_search_dictionary": "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)",
    "text_search_parser": "CREATE TEXT SEARCH PARSER p (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, "
    "LEXTYPES = prsd_lextype)",
    "text_search_template": "CREATE TEXT SEARCH TEMPLATE t (LEXIZE = dsimple_lexize)",
    "foreign_data_wrapper": "CREATE FOREIGN DATA WRAPPER w",
    "server": "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w",
    "user_mapping": "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
    "CREATE USER MAPPING FOR PUBLIC SERVER s",
    "event_trigger": "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
    "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()",
    "publication": "CREATE PUBLICATION p",
    "subscription": "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p "
    "WITH (connect = false, slot_name = NONE, enabled = false, create_slot = false)",
    "default_privileges": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "extension": "CREATE SCHEMA x; CREATE EXTENSION pg_trgm SCHEMA x",
    "schema": "CREATE SCHEMA another",
}


@pytest.mark.parametrize("kind", _ALONE)
def test_the_only_thing_of_its_kind_is_seen(postgres_url: str, kind: str) -> None:
    with connect(postgres_url) as connection:
        connection.execute(f"{_FIRST}{_ALONE[kind]}".encode())
    try:
        with open_reader(postgres_url) as reader:
            others = reader.schema(version_table="alembic_version").others
        assert kind in {other.kind for other in others if other.name != "public"}
    finally:
        if kind == "subscription":  # a database with one cannot be dropped
            with connect(postgres_url) as connection:
                connection.execute(b"DROP SUBSCRIPTION s")
