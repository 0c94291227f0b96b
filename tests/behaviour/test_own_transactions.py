"""Is a revision that ends or leaves its transaction refused, or recorded as what it does?"""

from __future__ import annotations

import pytest

from tests.world import World

pytestmark = pytest.mark.anyio

_FIRST = 'op.execute("INSERT INTO kept VALUES (1)")\n    '
_LAST = '\n    op.create_table("last", sa.Column("id", sa.Integer))'
_WAYS = (
    'op.execute("/* x */ commit")',
    "op.get_bind().commit()",
    'op.get_bind().execution_options(isolation_level="AUTOCOMMIT")',
    "op.get_bind().connection.dbapi_connection.rollback()",  # SQLAlchemy never hears of it
)


@pytest.fixture
def shop(world: World, request: pytest.FixtureRequest) -> World:
    """The shop on one of the two, at a revision that made a table."""
    url: str = request.getfixturevalue(request.param)
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    world.write_revision("r0", None, 'op.create_table("kept", sa.Column("id", sa.Integer))', 'op.drop_table("kept")')
    secret = world.folder.parent / "url"
    secret.write_text(url)
    world.configure(lambda config: config["targets"]["shop"].update(url=f"${{file:{secret}}}"))
    return world


@pytest.mark.proves("own-transactions")
@pytest.mark.parametrize(
    ("shop", "ways"), [("postgres_url", _WAYS), ("mariadb_url", (_WAYS[0], _WAYS[3]))], indirect=["shop"]
)
async def test_a_revision_that_ends_its_own_transaction_gets_no_plan(shop: World, ways: tuple[str, ...]) -> None:
    codes = []
    async with shop.agent() as agent:
        await agent.plan_and_apply("r0")
        for way in ways:
            shop.write_revision("r1", "r0", _FIRST + way + _LAST, "pass")
            codes.append((await agent.call("migration_plan", target="shop")).get("code"))
    assert codes == ["rehearsal_failed", *["render_failed"] * (len(ways) - 1)]
