"""Are the definitions that we write ourselves the ones that the server would have written?"""

from __future__ import annotations

from collections import Counter

import pytest

from mcp_migrate.dialects.postgresql.reader import PostgresReader
from mcp_migrate.drivers.postgresql import connect
from tests.dialects.alterations import ALTERATIONS, BASE, ROLES, SINCE_15

_WRITTEN = """
SELECT 'constraint', conname::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid >= 16384 AND contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT 'index', c.relname::text, pg_get_indexdef(c.oid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class r ON r.oid = i.indrelid
WHERE r.relkind IN ('r', 'p') AND c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
"""  # noqa: E501  one condition
_PLAIN = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SCHEMA "odd one";
CREATE TABLE "odd one"."Order" ("select" int, "Größe" text, "a""b" varchar(9), "end" varchar, plain text, of_ int[],
  m mood, p positive, n numeric, c text COLLATE "C", ch char(3), u uuid, ts timestamptz, i inet, nm name, j jsonb,
  PRIMARY KEY ("select", "Größe"), UNIQUE ("a""b"), UNIQUE (plain) DEFERRABLE INITIALLY DEFERRED,
  UNIQUE (n) INCLUDE (p), EXCLUDE USING btree (u WITH =), CHECK ("select" > 0));
CREATE TABLE kid (a int, b text, c int, d int, e int REFERENCES kid_of (id) ON UPDATE RESTRICT ON DELETE SET DEFAULT,
  FOREIGN KEY (a, b) REFERENCES "odd one"."Order" MATCH FULL,
  FOREIGN KEY (c, b) REFERENCES "odd one"."Order" ON DELETE SET NULL ON UPDATE CASCADE,
  FOREIGN KEY (d) REFERENCES kid_of ON UPDATE SET NULL ON DELETE NO ACTION,
  CONSTRAINT late FOREIGN KEY (c) REFERENCES kid_of DEFERRABLE);
ALTER TABLE kid ADD CONSTRAINT unproven FOREIGN KEY (a) REFERENCES kid_of NOT VALID;
CREATE TABLE parts (k int PRIMARY KEY, v int REFERENCES kid_of) PARTITION BY RANGE (k);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10);
"""
_SINCE_15 = """
ALTER TABLE "odd one"."Order" ADD UNIQUE NULLS NOT DISTINCT (c);
ALTER TABLE kid ADD FOREIGN KEY (c, b) REFERENCES "odd one"."Order" ON DELETE SET NULL (c);
CREATE UNIQUE INDEX ON "odd one"."Order" (u) NULLS NOT DISTINCT WHERE true;
"""
_INDEXES = [
    *('"select"', '"Größe" DESC', '"a""b"', '"end" DESC NULLS LAST, plain NULLS FIRST', "of_", "m", "p", "n", "c"),
    *("ch", "u", "ts", "i", "nm", "j", 'c COLLATE "POSIX"', "plain text_pattern_ops", '"end" varchar_pattern_ops'),
    *('"end" text_ops', "lower(plain)"),
    *("plain) INCLUDE (n", "plain) WITH (fillfactor = 50", "n, (n + 1)", "n) WHERE (n > 0"),
    *('plain) WHERE ("a""b" IS NOT NULL AND m = \'ok\'', 'plain COLLATE "C" DESC', "u) WHERE (true"),
]  # fmt: skip


def _assert_as_written(url: str, why: str) -> None:
    with connect(url) as session:
        reader = PostgresReader(session)
        schema = reader.schema(version_table="alembic_version")
        with reader._pinned():
            written = Counter(reader._ask(_WRITTEN))
    parts = [
        *(("constraint", c.name, c.definition) for table in schema.tables for c in table.constraints),
        *(("index", i.name, i.definition) for table in schema.tables for i in table.indexes),
    ]
    assert Counter(parts) - written == Counter(), why


def _run(url: str, sql: str) -> None:
    with connect(url) as connection:
        connection.execute(sql.encode())


@pytest.mark.parametrize("server", ["postgres_url", "older_url"])
def test_each_alteration_leaves_definitions_that_the_server_would_write(
    request: pytest.FixtureRequest, server: str
) -> None:
    url = request.getfixturevalue(server)
    _run(url, ROLES + BASE)
    for sql in (*ALTERATIONS, *SINCE_15) if server == "postgres_url" else ALTERATIONS:
        _run(url, sql)
        _assert_as_written(url, sql)


@pytest.mark.parametrize("server", ["postgres_url", "older_url"])
def test_definitions_of_every_kind_are_what_the_server_would_write(request: pytest.FixtureRequest, server: str) -> None:
    url = request.getfixturevalue(server)
    _run(url, "CREATE TABLE kid_of (id int PRIMARY KEY);" + _PLAIN + (_SINCE_15 if server == "postgres_url" else ""))
    for n, keys in enumerate(_INDEXES):
        unique = "UNIQUE " * (n % 2)
        _run(url, f'CREATE {unique}INDEX "Index {n}" ON "odd one"."Order" USING btree ({keys})')
    for method, keys in (("hash", "n"), ("gin", "j"), ("gist", "i inet_ops"), ("brin", "ts")):
        _run(url, f'CREATE INDEX {method} ON "odd one"."Order" USING {method} ({keys})')
    _run(url, "CREATE INDEX through ON parts (v DESC); CREATE INDEX alone ON ONLY parts (k)")
    _assert_as_written(url, "all kinds")
    _run(
        url,
        "CREATE OPERATOR CLASS own DEFAULT FOR TYPE varchar USING btree AS OPERATOR 1 ~<~ (text, text),"
        "OPERATOR 2 ~<=~ (text, text), OPERATOR 3 = (text, text), OPERATOR 4 ~>=~ (text, text),"
        "OPERATOR 5 ~>~ (text, text), FUNCTION 1 (varchar, varchar) bttext_pattern_cmp(text, text)",
    )
    _run(
        url,
        'CREATE INDEX of_own ON "odd one"."Order" ("end"); CREATE INDEX of_text ON "odd one"."Order" ("end" text_ops)',
    )
    _assert_as_written(url, "with an operator class of one's own")


@pytest.mark.parametrize("server", ["postgres_url", "older_url"])
def test_expressions_that_are_stored_alike_have_the_names_of_their_own_columns(
    request: pytest.FixtureRequest, server: str
) -> None:
    url = request.getfixturevalue(server)
    for table, column in (("one", "a"), ("two", "a"), ("three", '"B c"')):
        _run(
            url,
            f"CREATE TABLE {table} (id int, {column} int CHECK ({column} > 0), g int GENERATED ALWAYS AS ({column} + 1)"
            f" STORED, CHECK ({table} IS NOT NULL), CHECK (tableoid > 0), CHECK (true));"
            f"CREATE INDEX ON {table} (id) WHERE {column} > 0; CREATE INDEX ON {table} (id) WHERE {table} IS NOT NULL",
        )
    _assert_as_written(url, "alike")
    with connect(url) as session:
        schema = PostgresReader(session).schema(version_table="alembic_version")
    assert {(table.name, table.columns[2].generated) for table in schema.tables} == {
        ("one", "STORED (a + 1)"),
        ("two", "STORED (a + 1)"),
        ("three", 'STORED ("B c" + 1)'),
    }
