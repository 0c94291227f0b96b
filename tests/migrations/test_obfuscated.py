"""Is a revision judged by what it emits, however it is written?"""

from __future__ import annotations

import pytest

from mcp_migrate.model import Effect
from mcp_migrate.rules import judge
from tests.migrations.sample import Shop

_TOP = "import base64\nimport helpers"
_HELPERS = "def tidy(bind, table):\n    bind.exec_driver_sql(f'DROP TABLE {table}')\n"
_WRITTEN = {
    "plainly": 'op.drop_table("orders")',
    "by a name put together": 'getattr(op, "drop_" + "table")("orders")',
    "as a text put together": 'word = "TABLE"\nop.execute(f"DR{chr(79)}P {word} orders")',
    "through the connection": 'op.get_bind().exec_driver_sql("DROP /* tidy */ TABLE orders")',
    "in a helper": 'helpers.tidy(op.get_bind(), "orders")',
    "in base64": 'op.execute(base64.b64decode("RFJPUCBUQUJMRSBvcmRlcnM=").decode())',
    "in code that is run": "exec(\"op.drop_table('orders')\")",
    "in a loop": 'for name in ["absent", "orders"]:\n    op.execute(f"DROP TABLE IF EXISTS {name}")',
    "behind a branch for offline mode": (
        'if context.is_offline_mode():\n    op.execute("SELECT 1")\nelse:\n    op.drop_table("orders")'
    ),
}


@pytest.mark.parametrize("way", _WRITTEN)
@pytest.mark.proves("effects-no-harm-passes")
def test_a_table_that_is_dropped_is_seen_however_the_revision_says_it(lite_shop: Shop, way: str) -> None:
    assert "orders" in _dropped(lite_shop, _WRITTEN[way])


def test_it_is_seen_whichever_driver_is_sent_it(shop: Shop) -> None:
    assert "orders" in _dropped(shop, _WRITTEN["through the connection"])


def _dropped(shop: Shop, way: str) -> set[str]:
    """The tables that the plan of a revision with this body is judged to destroy."""
    (shop.folder / "helpers.py").write_text(_HELPERS)
    shop.revise("d4", "c3", way, message="add nothing", top=_TOP)
    shop.apply(shop.plan("c3").statements)
    judgements = judge(shop.plan().statements, dialect=shop.dialect.name, schema=shop.live()[1])
    destroyed = {name for j in judgements if Effect.DESTRUCTIVE in j.effects for name in j.objects}
    return {name.rpartition(".")[2] for name in destroyed}
