"""What do plans on tables that are in use amount to, beyond the effects of each statement?"""

from __future__ import annotations

import pytest

from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.schema.model import Column, Index, Other, Schema, Table
from tests.rules.labelled import SCHEMAS

_CHECK = "ALTER TABLE users ADD CONSTRAINT k CHECK (name IS NOT NULL) NOT VALID"
_VALID = "ALTER TABLE users VALIDATE CONSTRAINT k"
_SET = "ALTER TABLE users ALTER name SET NOT NULL"


def _judged(*texts: str, schema: Schema | None = SCHEMAS["postgresql"]) -> tuple[Judgement, ...]:
    return judge([Statement(n, "r", text) for n, text in enumerate(texts)], dialect="postgresql", schema=schema)


def test_a_validated_check_spares_the_scan() -> None:
    assert _judged(_CHECK, _VALID, _SET)[-1].effects == {Effect.ADDITIVE}


@pytest.mark.parametrize(
    "before",
    [
        (_CHECK,),
        (_CHECK, _VALID, "ALTER TABLE users DROP CONSTRAINT k"),
        (_CHECK, _VALID, "ALTER TABLE orders RENAME TO users"),
        (_CHECK, "ALTER TABLE users VALIDATE CONSTRAINT other"),
        (_CHECK, "ALTER TABLE app.users VALIDATE CONSTRAINT k"),
        (_CHECK.replace("users", "app.users"), _VALID.replace("users", "app.users")),
        (_CHECK.replace("users", "public.users"), _VALID),
        ("CREATE TABLE app.items (id integer)", "ALTER TABLE app.users ADD CONSTRAINT k CHECK (name IS NOT NULL)"),
        ("ALTER TABLE users ADD CONSTRAINT k CHECK (name IS NOT NULL) NO INHERIT",),
        ("ALTER TABLE users ADD CONSTRAINT k CHECK (name IS NOT NULL) NOT ENFORCED",),
        (_CHECK, _VALID, "DROP DOMAIN positive CASCADE"),
        (_CHECK, _VALID, "SET search_path = app"),
    ],
)
def test_nothing_less_spares_the_scan(before: tuple[str, ...]) -> None:
    assert _judged(*before, _SET)[-1].scans


def test_a_column_that_took_the_name_of_another_is_not_widened_by_what_that_was() -> None:
    renames = ("ALTER TABLE users RENAME email TO mail", "ALTER TABLE users RENAME name TO email")
    widened = "ALTER TABLE users ALTER email TYPE varchar(100)"
    assert Effect.DESTRUCTIVE in _judged(*renames, widened)[-1].effects
    assert _judged(widened)[-1].effects == {Effect.ADDITIVE}


def test_the_safer_way_to_shut_nulls_out_scans_under_no_strong_lock() -> None:
    [alone] = _judged(_SET)
    steps = _judged(*(alone.safer or "").splitlines())
    assert [step.lock for step in steps if step.scans] == ["SHARE UPDATE EXCLUSIVE"]


@pytest.mark.parametrize(
    "sql", ["VACUUM users", "DROP INDEX CONCURRENTLY by_email", "CREATE INDEX CONCURRENTLY i ON users (name)"]
)
def test_what_cannot_run_in_a_transaction_says_so(sql: str) -> None:
    assert not _judged(sql)[0].transactional


_VIEWED = Schema(
    "postgresql",
    (
        Table(
            "public",
            "users",
            (Column("id", "integer", nullable=False),),
            indexes=(
                Index("one", "CREATE UNIQUE INDEX one ON users (id)", unique=True),
                Index("many", "CREATE INDEX many ON users (id)", unique=False),
            ),
        ),
    ),
    (
        Other("view", "public", "seen", "SELECT id FROM users"),
        Other("view", "app", "again", "SELECT id FROM public.seen"),
        Other("view", "public", "apart", "SELECT 'users' AS word"),
    ),
)


@pytest.mark.parametrize("sql", ["DROP TABLE users CASCADE", "ALTER TABLE users DROP COLUMN id CASCADE"])
def test_cascade_names_the_views_that_go_too(sql: str) -> None:
    [told] = _judged(sql, schema=_VIEWED)
    assert {"public.seen", "app.again"} <= set(told.objects)
    assert "by CASCADE public.seen, app.again and whatever else depends on it" in told.why
    assert "apart" not in told.why


def test_cascade_without_a_schema_says_that_anything_may_go() -> None:
    assert "whatever depends on it" in _judged("DROP TABLE users CASCADE", schema=None)[0].why


def test_a_known_unique_index_is_told_from_another() -> None:
    rules = [_judged(f"DROP INDEX {name}", schema=_VIEWED)[0].rule for name in ("one", "many")]
    assert rules == ["drop-unique-index", "drop-index"]


def test_the_safer_way_to_drop_an_index_stops_nobody() -> None:
    [told] = _judged("DROP INDEX many", schema=_VIEWED)
    [safer] = _judged((told.safer or "").rstrip(";"), schema=_VIEWED)
    assert (safer.lock, safer.effects) == ("SHARE UPDATE EXCLUSIVE", told.effects)
