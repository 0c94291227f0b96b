"""Freezing and writing together: what is replayed makes the same database as what was recorded."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.model import Statement, canonical

META = sa.MetaData()
THINGS = sa.Table(
    "things",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, server_default="50% 'off': %(x)s :y ?"),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("price", sa.Numeric(12, 4)),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("day", sa.Date),
    sa.Column("hour", sa.Time),
    sa.Column("ratio", sa.Float),
    sa.Column("ok", sa.Boolean),
    sa.Column("document", sa.JSON),
    sa.Column("key", sa.Uuid),
    sa.Column("long", sa.Interval),
)
ROW: dict[str, Any] = {
    "text": "100%% of \"it\"; -- '%s' :name ? $1 \\ é\n",
    "raw": b"\x00%s\xff",
    "price": Decimal("12.3400"),
    "at": datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC),
    "day": date(2026, 3, 4),
    "hour": time(5, 6, 7),
    "ratio": 0.1,
    "ok": True,
    "document": {"b": [1, None, "50%"], "a": {"$bytes": "no"}},
    "key": uuid.UUID(int=5),
    "long": timedelta(days=3, seconds=4, microseconds=5),
}


def common(connection: sa.Connection) -> None:
    META.create_all(connection)
    connection.execute(THINGS.insert(), ROW)
    connection.execute(THINGS.insert(), [{"id": 10 + n, "text": f"{n}%", "price": n} for n in range(3)])
    connection.execute(sa.insert(THINGS).values([{"id": 20, "text": "a"}, {"id": 21, "text": "b:c"}]))
    connection.execute(THINGS.update().where(THINGS.c.id == 20).values(text=THINGS.c.text + "%(x)s"))
    connection.execute(sa.text("UPDATE things SET text = text || :more WHERE text LIKE '%b\\:c%'"), {"more": "'%"})
    connection.execute(THINGS.delete().where(THINGS.c.id.in_([10, 11])))
    connection.execute(sa.text("INSERT INTO things DEFAULT VALUES"))


def sqlite_only(connection: sa.Connection) -> None:
    connection.exec_driver_sql("INSERT INTO things (id, text) VALUES (?, '5%%s')", [(30,), (31,)])
    connection.exec_driver_sql("CREATE TABLE odd (\"per%cent\" TEXT DEFAULT 'a?:b')")
    connection.exec_driver_sql("INSERT INTO odd DEFAULT VALUES", ())


def postgresql_only(connection: sa.Connection) -> None:
    arrays = sa.Table(
        "arrays",
        sa.MetaData(),
        sa.Column("words", postgresql.ARRAY(sa.Text)),
        sa.Column("grid", postgresql.ARRAY(sa.Integer, dimensions=2)),
        sa.Column("document", postgresql.JSONB),
        sa.Column("spoken", sa.JSON),
    )
    arrays.create(connection)
    row = {"words": ["a%", "b'", None, 'c"'], "grid": [[1, 2], [3, 4]], "document": [{"z": 1, "a": "%s"}]}
    connection.execute(arrays.insert(), {**row, "spoken": {"z": 1, "a": 2}})
    connection.execute(arrays.insert(), [{**row, "words": []}, {**row, "words": None}])
    connection.exec_driver_sql("CREATE TABLE odd (a text DEFAULT '5%%', CHECK (a LIKE '%%5%%'))")
    connection.exec_driver_sql("INSERT INTO odd VALUES (%s || '%%')", [("5",), ("15",)])
    connection.exec_driver_sql("INSERT INTO odd VALUES (%(x)s || %(x)s)", {"x": "5"})
    connection.exec_driver_sql("DO $$ BEGIN EXECUTE format('CREATE TABLE %%I (a int)', 'made'); END $$")
    connection.execution_options(no_parameters=True).exec_driver_sql("INSERT INTO odd VALUES ('5%%s')")


def record(url: str, *parts: Callable[[sa.Connection], None]) -> list[Statement]:
    """The frozen statements of what SQLAlchemy sends while it runs."""
    dialect, kept = dialect_for(url), list[Statement]()
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)

    def keep(_c: Any, _cursor: Any, sql: str, parameters: Any, context: Any, many: Any) -> None:
        rows = parameters if many else [parameters]
        text, frozen = dialect.freeze(sql, rows, no_parameters=bool(context and context.no_parameters))
        if dialect.reads(text) is None:
            statement = Statement(len(kept) + 1, "r1", text, frozen)
            kept.append(Statement.thaw(json.loads(canonical(statement.frozen()))))

    sa.event.listen(engine, "after_cursor_execute", keep)
    with engine.begin() as connection:
        for part in parts:
            part(connection)
    return kept


def replay(url: str, statements: list[Statement]) -> None:
    with dialect_for(url).open_writer(url, statements, limits=Limits()) as writer:
        for statement in statements:
            writer.run(statement)


def test_sqlite_is_the_same_after_a_replay(tmp_path: Path) -> None:
    recorded, replayed = (f"sqlite:///{tmp_path}/{name}.db" for name in ("recorded", "replayed"))

    replay(replayed, record(recorded, common, sqlite_only))

    one, other = (_sqlite(url) for url in (recorded, replayed))
    assert one == other
    assert len(one) == 12


def test_postgresql_is_the_same_after_a_replay(postgres_url: str) -> None:
    with dialect_for(postgres_url).open_scratch(postgres_url) as recorded:
        replay(postgres_url, record(recorded.url, common, postgresql_only))

        one, other = (_postgresql(url) for url in (recorded.url, postgres_url))
        assert one == other
        assert [table[0] for table in one] == ["arrays", "made", "odd", "things"]


def _sqlite(url: str) -> list[str]:
    """Schema and rows with their types."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return list(connection.iterdump())


def _postgresql(url: str) -> list[Any]:
    """Columns with their defaults, and rows as the server writes them."""
    with connect(url) as session:
        names = session.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
        ).fetchall()
        return [
            (
                name,
                session.execute(
                    "SELECT column_name, data_type, column_default FROM information_schema.columns"
                    " WHERE table_name = $1 ORDER BY 1",
                    [name],
                ).fetchall(),
                session.execute(f"SELECT t::text FROM {name} AS t ORDER BY 1".encode()).fetchall(),  # noqa: S608  our own names
            )
            for (name,) in names
        ]
