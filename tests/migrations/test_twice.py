"""Is a revision that does not give the same SQL twice refused, and one that does not care about time not?"""

from __future__ import annotations

import pytest

from mcp_migrate.errors import RenderFailedError
from tests.migrations.sample import Shop

_TOP = """WRITE, QUOTE = "INSERT INTO customers (name) VALUES ('%s')", "'"
import datetime, random, time, uuid
from datetime import datetime as Moment
"""


@pytest.mark.parametrize(
    "value",
    [
        "datetime.datetime.now()",
        "datetime.datetime.utcnow()",
        "datetime.date.today()",
        "Moment.now(datetime.timezone.utc)",
        "time.time()",
        "uuid.uuid4()",
        "random.random()",
        "hash('abc')",
        "list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})",
    ],
)
@pytest.mark.proves("records-twice")
def test_what_depends_on_clock_chance_or_order_is_refused(lite_shop: Shop, value: str) -> None:
    lite_shop.revise(
        "d4",
        "c3",
        f"op.execute(WRITE % str({value}).replace(QUOTE, ''))",
        top=_TOP,
    )
    with pytest.raises(RenderFailedError, match="Revision d4 does not give the same SQL twice") as refused:
        lite_shop.plan()
    assert "Write the value into the revision" in refused.value.hint


def test_a_value_that_is_another_each_time_is_a_doubt(lite_shop: Shop) -> None:
    work = "op.execute(sa.text('INSERT INTO customers (name) VALUES (:name)').bindparams(name=str(uuid.uuid4())))"
    lite_shop.revise("d4", "c3", work, top=_TOP)
    assert "writes values that are others each time" in str(lite_shop.plan().doubts)


def test_dates_that_stand_in_a_revision_are_what_they_are(lite_shop: Shop) -> None:
    work = """moment = datetime.datetime(2024, 2, 29, 12, 30)
assert isinstance(moment, datetime.datetime) and isinstance(moment.date(), datetime.date)
assert issubclass(type(moment), datetime.datetime)
assert datetime.datetime.fromisoformat('2024-02-29T12:30:00') == moment
assert datetime.datetime.strptime('2024', '%Y').year == 2024
table = sa.table('customers', sa.column('name'), sa.column('since', sa.DateTime))
op.add_column('customers', sa.Column('since', sa.DateTime))
op.bulk_insert(table, [{'name': 'x', 'since': moment}])"""
    lite_shop.revise("d4", "c3", work, top="import datetime")
    assert "2024-02-29" in str(lite_shop.plan().statements)
