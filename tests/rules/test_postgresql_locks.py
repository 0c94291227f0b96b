"""Do the locks and rewrites that the rules tell hold on a real server, on the oldest we can get and the newest?"""

from __future__ import annotations

from typing import Any

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.model import Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.locks import BLOCKS
from mcp_migrate.schema.model import Column, Schema, Table

_SHAPE = """
CREATE TABLE a (id integer PRIMARY KEY, name varchar(50), total integer, n integer NOT NULL, at date,
    CONSTRAINT kept CHECK (total IS NOT NULL), CONSTRAINT later CHECK (id > 0) NOT VALID);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer, name text,
    CONSTRAINT b_fk FOREIGN KEY (a_id) REFERENCES a (id) DEFERRABLE);
CREATE INDEX by_name ON a (name);
CREATE UNIQUE INDEX one_n ON a (n);
CREATE TABLE parted (id integer, name text) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE loose (id integer, name text);
CREATE TABLE heir () INHERITS (loose);
CREATE TABLE alike (id integer, name text);
CREATE MATERIALIZED VIEW totals AS SELECT id FROM a;
CREATE UNIQUE INDEX one_total ON totals (id);
CREATE SEQUENCE counter;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION nothing();
INSERT INTO a VALUES (1, 'x', 1, 1, now());
"""
_NAMED = ("a", "b", "parted", "part_1", "loose", "heir", "alike", "totals", "counter", "by_name")

_STATEMENTS = """
ALTER TABLE a ADD COLUMN x integer
ALTER TABLE a ADD COLUMN x integer DEFAULT 3
ALTER TABLE a ADD COLUMN x uuid DEFAULT gen_random_uuid()
ALTER TABLE a ADD COLUMN x serial
ALTER TABLE a DROP COLUMN total
ALTER TABLE a ALTER name SET DEFAULT 'x'
ALTER TABLE a ALTER name DROP DEFAULT
ALTER TABLE a ALTER name SET NOT NULL
ALTER TABLE a ALTER total SET NOT NULL
ALTER TABLE a ALTER n DROP NOT NULL
ALTER TABLE a ALTER name SET STATISTICS 500
ALTER TABLE a ALTER name SET (n_distinct = 5)
ALTER TABLE a ALTER name SET STORAGE EXTERNAL
ALTER TABLE a SET (fillfactor = 70)
ALTER TABLE a SET (autovacuum_enabled = false)
ALTER TABLE a RESET (fillfactor)
ALTER TABLE a CLUSTER ON by_name
ALTER TABLE a SET WITHOUT CLUSTER
ALTER TABLE alike SET UNLOGGED
ALTER TABLE a REPLICA IDENTITY FULL
ALTER TABLE a DISABLE TRIGGER watch
ALTER TABLE a DISABLE TRIGGER ALL
ALTER TABLE a ENABLE ALWAYS TRIGGER watch
ALTER TABLE a ALTER n ADD GENERATED ALWAYS AS IDENTITY
ALTER TABLE a ADD CONSTRAINT c CHECK (total > 0)
ALTER TABLE a ADD CONSTRAINT c CHECK (total > 0) NOT VALID
ALTER TABLE a ADD CONSTRAINT c UNIQUE (total)
ALTER TABLE a ADD CONSTRAINT c UNIQUE USING INDEX one_n
ALTER TABLE a ADD EXCLUDE USING btree (total WITH =)
ALTER TABLE b ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES a (id)
ALTER TABLE b ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES a (id) NOT VALID
ALTER TABLE a VALIDATE CONSTRAINT later
ALTER TABLE a DROP CONSTRAINT later
ALTER TABLE b ALTER CONSTRAINT b_fk NOT DEFERRABLE
ALTER TABLE a ALTER name TYPE varchar(100)
ALTER TABLE a ALTER name TYPE text
ALTER TABLE a ALTER total TYPE bigint
ALTER TABLE a ALTER name TYPE varchar(20)
ALTER TABLE a ALTER at TYPE timestamp
ALTER TABLE a RENAME TO z
ALTER TABLE a RENAME COLUMN name TO z
ALTER TABLE a RENAME CONSTRAINT kept TO z
ALTER TABLE parted ATTACH PARTITION alike FOR VALUES IN (2)
ALTER TABLE parted DETACH PARTITION part_1
ALTER TABLE alike INHERIT loose
ALTER TABLE heir NO INHERIT loose
CREATE TABLE new PARTITION OF parted FOR VALUES IN (3)
CREATE TABLE new (a_id integer REFERENCES a (id))
CREATE INDEX i ON a (name)
CREATE UNIQUE INDEX i ON a (n)
CREATE STATISTICS s ON id, name FROM a
COMMENT ON TABLE a IS 'x'
COMMENT ON COLUMN a.name IS 'x'
DROP TABLE b
DROP INDEX by_name
DROP MATERIALIZED VIEW totals
REFRESH MATERIALIZED VIEW totals
REFRESH MATERIALIZED VIEW CONCURRENTLY totals
CLUSTER a USING by_name
ANALYZE a
REINDEX INDEX by_name
REINDEX TABLE loose
ALTER SEQUENCE counter RESTART
ALTER SEQUENCE counter CACHE 5
INSERT INTO b (id) VALUES (9)
UPDATE b SET name = 'x'
DELETE FROM b
MERGE INTO b USING alike ON b.id = alike.id WHEN MATCHED THEN DELETE
"""

_LOCKS = """
SELECT replace(regexp_replace(replace(mode, 'Lock', ''), '([a-z])([A-Z])', '\\1 \\2', 'g'), '  ', ' ')
FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation = ANY ($1)
"""


def _table(name: str, /, **columns: str) -> Table:
    return Table("public", name, tuple(Column(column, kind, nullable=True) for column, kind in columns.items()))


_SCHEMA = Schema(
    "postgresql",
    (
        _table("a", id="integer", name="character varying(50)", total="integer", n="integer", at="date"),
        _table("b", id="integer", a_id="integer", name="text"),
        *(_table(name, id="integer", name="text") for name in ("parted", "part_1", "loose", "heir", "alike")),
    ),
)


def _measured(cursor: Any, sql: str) -> tuple[str | None, bool]:
    """The strongest lock that the statement took on what was there, and whether a file was written anew."""
    cursor.execute("SELECT array_agg(oid ORDER BY oid) FROM pg_class WHERE relname = ANY ($1)", (list(_NAMED),))
    known = cursor.fetchone()[0]
    files = "SELECT oid::int, pg_relation_filenode(oid)::int FROM pg_class WHERE oid = ANY ($1) AND relkind <> 'S'"
    # A sequence is one row, and any change of it writes that anew: no table is.
    cursor.execute(files, (known,))
    before = dict(cursor.fetchall())
    cursor.execute("COMMIT")
    cursor.execute("BEGIN")
    cursor.execute(sql)
    cursor.execute(_LOCKS, (known,))
    modes = [mode.upper() for (mode,) in cursor.fetchall()]
    cursor.execute(files, (known,))
    changed = any(before[oid] != node for oid, node in cursor.fetchall())
    return max(modes, key=list(BLOCKS).index, default=None), changed


def _differences(url: str) -> list[str]:
    found = []
    with connect(url) as connection:
        cursor = connection.cursor()
        cursor.execute(_SHAPE.encode())
        for sql in _STATEMENTS.strip().splitlines():
            cursor.execute("BEGIN")
            measured = _measured(cursor, sql)
            cursor.execute("ROLLBACK")
            [told] = judge([Statement(1, "r", sql)], dialect="postgresql", schema=_SCHEMA)
            if measured != (told.lock, told.rewrites):
                found.append(f"{sql}: told {told.lock}, {told.rewrites}; the server says {measured}")
    return found


def test_locks_and_rewrites_are_as_told_on_the_newest_version(postgres_url: str) -> None:
    assert _differences(postgres_url) == []


def test_locks_and_rewrites_are_as_told_on_version_15(postgres_15: str) -> None:
    assert _differences(postgres_15) == []
