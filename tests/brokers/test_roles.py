"""Do the statements that an admin is given make roles with which steps can do their own, and no more?"""

from __future__ import annotations

import uuid

import psycopg
import pytest
from sqlalchemy.engine import make_url

from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.roles import roles_sql
from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import ConfigInvalidError
from tests.brokers.conftest import Ground, step


def powers(url: str) -> Powers:
    with dialect_for(url).open_reader(url) as reader:
        return reader.powers()


@pytest.mark.proves("doctor-rights")
@pytest.mark.parametrize("mint", [None, "mcp_migrate_mint"])
@pytest.mark.parametrize("server", ["postgres_server", "older_server"])
def test_with_the_roles_that_are_printed_a_step_does_its_own_and_no_more(
    server: str, mint: str | None, request: pytest.FixtureRequest
) -> None:
    url, name = request.getfixturevalue(server), f"app_{uuid.uuid4().hex[:8]}"
    owner, reader, broker = (f"{name}_{part}" for part in ("owner", "reader", "broker"))
    inside = url.replace("/postgres?", f"/{name}?")
    with connect(url) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    with connect(inside) as admin:
        admin.execute(b"CREATE TABLE there (id serial)")
        admin.execute(b"GRANT CREATE ON SCHEMA public TO PUBLIC")  # as a database that was upgraded has it
        if mint is None and admin.info.server_version >= 160_000:  # otherwise it has to be everybody's
            admin.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC".encode())
        admin.execute(roles_sql(owner=owner, reader=reader, broker=broker, database=name, mint=mint).encode())
        admin.execute(f"ALTER TABLE there OWNER TO {owner}".encode())
    mine = make_url(inside)._replace(drivername="postgresql", username=broker, password=None)
    reads_by = {"mint": mint} if mint else {"reader_role": reader}
    here = Ground(inside, mine.render_as_string(hide_password=False), owner, reader, reads_by)
    try:
        writing, reading = here.broker.issue(step()), here.broker.issue(step(Purpose.READ))
        with connect(writing.url) as session:
            session.execute(b"CREATE TABLE made (id serial); CREATE SCHEMA beside; CREATE TABLE beside.kept (id int)")
        with connect(reading.url) as session:
            for place in (b"made, beside.kept", b"made_id_seq", b"there", b"there_id_seq"):
                session.execute(b"SELECT count(*) FROM " + place)
        with connect(here.url) as its_own, pytest.raises(psycopg.errors.InsufficientPrivilege):
            its_own.execute(b"SELECT * FROM there")
        assert [said for said in here.broker.excess() if "has the rights of" in said] == []
        writes, reads = powers(writing.url), powers(reading.url)
        assert (writes.role, writes.rules, writes.foreign) == (owner, False, ())
        assert (reads.rules, reads.changes, reads.unread) == (False, (), ())
        for issued in (writing, reading):
            here.broker.revoke(issued)
    finally:
        with connect(url) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            admin.execute(f"DROP ROLE {broker}, {owner}, {reader}".encode())


@pytest.mark.parametrize("name", ['shop"; DROP ROLE x; --', "shop'", "Shop", "1shop", "shop-owner", "geschäft"])
def test_a_name_that_would_need_quotes_is_refused(name: str) -> None:
    with pytest.raises(ConfigInvalidError):
        roles_sql(owner=name, reader="reader", broker="broker", database="shop")
