from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.migrations.sample import Shop

ENV = """
import asyncio

from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import async_engine_from_config

config = context.config


def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def online():
    engine = async_engine_from_config(
        config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if context.is_offline_mode():
    context.configure(url=config.get_main_option("sqlalchemy.url"), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online())
"""


@pytest.mark.parametrize(
    "shop", ["sqlite", "postgresql"], indirect=True
)  # what MariaDB needs, aiomysql, is not kept up
@pytest.mark.skipif(not find_spec("greenlet") or not find_spec("aiosqlite"), reason="needs greenlet and aiosqlite")
def test_an_asynchronous_env_py_gives_the_same_plan(shop: Shop) -> None:
    plain = shop.plan()
    shop.env(ENV)

    assert shop.plan().frozen() == plain.frozen()
    assert shop.run_and_compare("head").doubts == ()


def test_an_asynchronous_project_can_be_described_without_its_driver(shop: Shop) -> None:
    shop.env(ENV)

    assert shop.project.describe(shop.dialect.name).heads == ("c3",)
