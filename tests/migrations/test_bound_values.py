"""Does a bound value of each type end up in the database as plain Alembic puts it there?"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import RenderFailedError
from tests.mariadb import ask
from tests.migrations.sample import Shop, alembic, emptied, lite

Values = Sequence[tuple[str, str]]
"""The type of a column and a value for it, as Python."""

TOP = """
import datetime as dt
import enum, ipaddress, uuid, zoneinfo
from decimal import Decimal
from sqlalchemy.dialects import mysql, postgresql as pg
from sqlalchemy.dialects.postgresql import Range

class Colour(enum.Enum):
    RED = "r"

class Size(enum.StrEnum):
    BIG = "big"

class Name(str):
    pass

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
MOMENT = dt.datetime(2026, 10, 25, 2, 30, 0, 123456)
"""
EVERYWHERE: Values = [
    ("sa.BigInteger()", "2**63 - 1"),
    ("sa.BigInteger()", "-(2**63)"),
    ("sa.Boolean()", "True"),
    ("sa.Double()", "0.1"),
    ("sa.LargeBinary()", "bytes(range(256))"),
    ("sa.Date()", "dt.date(1, 1, 1)"),
    ("sa.Enum(Colour, name='colour')", "Colour.RED"),
    ("sa.String(40)", "Size.BIG"),
    ("sa.String(40)", "Name('a subclass')"),
    ("sa.String(40)", r"'100% :a %s %(a)s ? $1 \\ \' \" é 🐘'"),
    ("sa.JSON()", "{'b': [1, None, {'a': 'é'}], 'a': 1.5}"),
    ("sa.JSON()", "sa.JSON.NULL"),
    ("sa.Uuid()", "uuid.UUID(int=7)"),
    ("sa.Interval()", "dt.timedelta(days=3, microseconds=1)"),
]
POSTGRESQL: Values = [
    *EVERYWHERE,
    ("sa.Numeric()", "2**80"),
    ("sa.Numeric(30, 10)", "Decimal('1.10')"),
    ("sa.Numeric()", "Decimal('NaN')"),
    ("sa.Double()", "float('inf')"),
    ("sa.Double()", "float('-inf')"),
    ("sa.Double()", "float('nan')"),
    ("sa.LargeBinary()", "bytearray(b'\\0a')"),
    ("sa.LargeBinary()", "memoryview(b'\\0b')"),
    ("sa.Time()", "dt.time(1, 2, 3, 4)"),
    ("sa.Time(timezone=True)", "dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-3)))"),
    ("sa.DateTime()", "MOMENT"),
    ("sa.DateTime(timezone=True)", "MOMENT.replace(tzinfo=BERLIN)"),
    ("sa.DateTime(timezone=True)", "MOMENT.replace(tzinfo=BERLIN, fold=1)"),
    ("sa.DateTime(timezone=True)", "MOMENT.replace(tzinfo=dt.UTC)"),
    ("sa.Interval()", "dt.timedelta(days=-3, seconds=1)"),
    ("pg.JSONB()", "{'b': [1], 'a': None}"),
    ("pg.ARRAY(sa.Integer)", "[1, None, 3]"),
    ("pg.ARRAY(sa.Integer)", "[]"),
    ("pg.ARRAY(sa.Text)", "['a', '{', None, '']"),
    ("pg.ARRAY(sa.Integer, dimensions=2)", "[[1, 2], [3, 4]]"),
    ("pg.ARRAY(sa.Uuid)", "[uuid.UUID(int=1)]"),
    ("pg.ARRAY(sa.Numeric)", "[Decimal('1.50')]"),
    ("pg.INT4RANGE()", "Range(1, 5)"),
    ("pg.INT8RANGE()", "Range(None, 5, bounds='()')"),
    ("pg.NUMRANGE()", "Range(Decimal('1.5'), Decimal('2'), bounds='[]')"),
    ("pg.DATERANGE()", "Range(dt.date(2026, 1, 1), dt.date(2026, 2, 1))"),
    ("pg.TSTZRANGE()", "Range(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None)"),
    ("pg.INT4RANGE()", "Range(empty=True)"),
    ("pg.INT4MULTIRANGE()", "[Range(1, 2), Range(5, 9)]"),
    ("pg.INET()", "'10.0.0.1/8'"),
    ("pg.INET()", "ipaddress.ip_address('10.0.0.1')"),
    ("pg.INET()", "ipaddress.ip_interface('::1/64')"),
    ("pg.CIDR()", "ipaddress.ip_network('10.0.0.0/8')"),
]
SQLITE: Values = [
    *EVERYWHERE,
    ("sa.Numeric(10, 2, asdecimal=True)", "Decimal('1.10')"),
    ("sa.Double()", "float('inf')"),
    ("sa.Double()", "float('nan')"),
    ("sa.Time()", "dt.time(1, 2, 3, 4)"),
    ("sa.DateTime()", "MOMENT"),
    ("sa.DateTime()", "MOMENT.replace(tzinfo=dt.UTC)"),
    ("sa.Text()", "'a\\0b'"),
]
MARIADB: Values = [
    *(value for value in EVERYWHERE if "dt.date(1," not in value[1]),
    ("sa.Numeric(65, 0)", "2**80"),
    ("sa.Numeric(30, 10)", "Decimal('1.10')"),
    ("mysql.TIME(fsp=6)", "dt.time(1, 2, 3, 4)"),
    ("mysql.TIME(fsp=6)", "dt.timedelta(hours=-100, microseconds=7)"),
    ("mysql.DATETIME(fsp=6)", "MOMENT"),
    ("sa.Text()", "'a\\0b'"),
]
AT_THE_DRIVER = {
    "postgresql": [
        ("numeric", "2**80"),
        ("inet", "ipaddress.ip_address('::1')"),
        ("text", "Size.BIG"),
        ("int[]", "[1]"),
    ],
    "mariadb": [("numeric(65)", "2**80"), ("text", "Size.BIG"), ("blob", "b'\\0\\xff'"), ("time(6)", "dt.time(1, 2)")],
    "sqlite": [("blob", "bytearray(b'\\0')"), ("text", "Name('x')"), ("real", "1e300 * 10")],
}
"""Values that no type of SQLAlchemy's turned into something else before."""


def revision(values: Values, plain: Values, mark: str) -> str:
    """Make a table with a column for each value, insert them by SQLAlchemy and then at the driver."""
    columns = ", ".join(f"sa.Column('c{n}', {kind})" for n, (kind, _value) in enumerate(values))
    row = ", ".join(f"'c{n}': {value}" for n, (_kind, value) in enumerate(values))
    kinds = ", ".join(f"c{n} {kind}" for n, (kind, _value) in enumerate(plain))
    marks = ", ".join([mark] * len(plain))
    bound = ", ".join(value for _kind, value in plain)
    insert = f"INSERT INTO plain VALUES ({marks})"  # noqa: S608  a revision of ours
    return f"""
table = op.create_table('bound', sa.Column('id', sa.Integer, primary_key=True), {columns})
op.bulk_insert(table, [{{'id': 1, {row}}}])
op.bulk_insert(table, [{{'id': 2, **{{c.name: None for c in table.c if c.name != 'id'}}}}])
op.execute('CREATE TABLE plain ({kinds})')
op.get_bind().exec_driver_sql('{insert}', ({bound},))
"""


def rows(url: str) -> list[tuple[Any, ...]]:
    """All rows of both tables, as the database itself shows them."""
    backend, tables = make_url(url).get_backend_name(), ("bound", "plain")
    if backend == "sqlite":
        with closing(sqlite3.connect(str(make_url(url).database))) as session:
            names = {t: [row[1] for row in session.execute(f"PRAGMA table_info({t})")] for t in tables}
            typed = {t: ", ".join(f"typeof({c}), quote({c})" for c in names[t]) for t in tables}
            return [row for t in tables for row in session.execute(f"SELECT {typed[t]} FROM {t}")]  # noqa: S608  ours
    if backend == "mariadb":
        return [row for t in tables for row in ask(url, f"SELECT * FROM {t} ORDER BY 1")]  # noqa: S608  ours
    texts = [f"SELECT {t}::text FROM {t} ORDER BY 1".encode() for t in tables]  # noqa: S608  ours
    with connect(url) as session:
        return [row for each in texts for row in session.execute(each)]


@pytest.mark.proves("values-frozen")
def test_each_value_is_in_the_database_as_plain_alembic_puts_it_there(shop: Shop) -> None:
    product = shop.dialect.name
    values = {"postgresql": POSTGRESQL, "sqlite": SQLITE, "mariadb": MARIADB}[product]
    shop.revise("d4", "c3", revision(values, AT_THE_DRIVER[product], "?" if product == "sqlite" else "%s"), top=TOP)
    with_driver = shop.url.replace("postgresql://", "postgresql+psycopg://")
    plain = shop.folder / "plain.ini"
    plain.write_text(shop.ini.read_text().replace("driver://nobody:nothing@nowhere/never", with_driver))
    alembic(plain, "upgrade", "head", environment={"PATH": os.environ["PATH"]})
    expected = rows(shop.url)
    emptied(shop.url)

    shop.run_and_compare("head")

    assert rows(shop.url) == expected
    assert len(expected) == len("bound bound plain".split())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{'a': 1}", "a value of type dict, which cannot be frozen"),
        ("Colour.RED", "a value of type Colour, which cannot be frozen"),
        ("2**64", "OverflowError"),
    ],
)
def test_a_value_that_cannot_be_bound_is_refused_with_its_revision(value: str, said: str, tmp_path: Path) -> None:
    shop = lite(tmp_path)
    registering = "import sqlite3\nfor kind in (dict, Colour): sqlite3.register_adapter(kind, str)\n"
    shop.revise("d4", "c3", f"{registering}op.get_bind().exec_driver_sql('SELECT ?', ({value},))", top=TOP)

    with pytest.raises(RenderFailedError, match=rf"^Revision d4 .*{said}"):
        shop.plan()
