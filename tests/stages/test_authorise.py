"""Does the one evaluator of scopes keep its laws?"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import MigrateError, NotPermittedError
from mcp_migrate.leave.circumstances import Circumstances
from mcp_migrate.leave.freezing import Frozen
from mcp_migrate.leave.tempo import Tempo
from mcp_migrate.model import (
    PROOFS,
    Call,
    Caller,
    Classified,
    Effect,
    Expects,
    Granted,
    Plan,
    Prepared,
    Proof,
    Reverse,
    Tier,
)
from mcp_migrate.settings import Settings
from mcp_migrate.settings.people import Identity
from mcp_migrate.stages.authorise import grant, permit

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
PLAN = Plan("t", "sqlite", None, None, "f", None, "alembic_version", (), Reverse(available=True, restores_schema=True))


def settings(*scopes: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {
            "version": 1,
            "ledger": "sqlite:///ledger.db",
            "targets": {"t": {"tier": "development", "alembic": "alembic.ini", "url": "sqlite:///t.db"}},
            "workflows": {
                "w": {
                    "owner": {"name": "Ada", "email": "ada@example.com"},
                    "principals": ["agent:a"],
                    "scopes": list(scopes),
                }
            },
        }
    )


def call(tool: str = "migration_apply", *, ticket: str | None = None, expects: Expects | None = None) -> Call:
    caller, expected = Caller("agent:a", address="10.1.2.3"), expects or Expects()
    return Call("call_1", tool, {}, "an intent", caller, NOW, "t", ticket=ticket, expects=expected, client="other 1")


LATER = Circumstances(opened=frozenset(range(4)), planned_at=NOW - timedelta(hours=2))
"""A call for a plan of two hours ago, while what scopes ask outside says `open`."""


def allowed(value: Settings, asked: Call, effects: frozenset[Effect], objects: tuple[str, ...], rows: int) -> bool:
    try:
        granted = grant(asked, value, LATER, scope_name=asked.tool)
        prepared = Prepared(granted, work=lambda _approved, _run: {}, plan=PLAN)
        permit(Classified(prepared, (), effects, objects, {"main.a": rows}), value, LATER)
    except MigrateError:
        return False
    return True


names = st.sampled_from(["main.a", "main.b", "other.a", "?"])
globs = st.sampled_from(["*", "main.*", "main.a", "other.*"])
scope = st.fixed_dictionaries(
    {
        "tools": st.lists(st.sampled_from(["migration_*", "migration_apply", "schema_read"]), min_size=1, max_size=2),
        "targets": st.just(["*"]),
        "effects": st.lists(st.sampled_from([str(e) for e in Effect]), min_size=1, unique=True),
    },
    optional={
        "objects": st.lists(globs, min_size=1, max_size=2),
        "max_rows": st.integers(0, 20),
        "ticket": st.just("required"),
        "tiers": st.sampled_from([["development"], ["staging", "production"]]),
        "clients": st.sampled_from([["other *"], ["*"]]),
        "plan_age": st.sampled_from(["1h", "3h"]),
        "while": st.just({"file": "/signal"}),
        "when": st.sampled_from([{"network": ["10.0.0.0/8"]}, {"network": ["10.1.2.3/32", "::/0"]}, {"days": ["mon"]}]),
    },
)
conditions = st.sampled_from(
    [
        {"objects": ["main.a"]},
        {"max_rows": 3},
        {"ticket": "required"},
        {"when": {"days": ["sat-sun"], "hours": "09:00-17:00", "zone": "UTC"}},
        {"when": {"network": ["192.168.0.0/16", "2001:db8::/32"]}},
        {"effects": ["read"]},
        {"tiers": ["staging"]},
        {"clients": ["claude-code *"]},
        {"plan_age": "1h"},
        {"while": {"file": "/signal"}},
    ]
)
effects = st.frozensets(st.sampled_from(list(Effect)), min_size=1)
objects = st.lists(names, max_size=3).map(tuple)


@given(scope, conditions, effects, objects, st.integers(0, 30))
@pytest.mark.proves("scopes-narrow-only")
def test_a_condition_never_widens_a_scope(
    base: dict[str, Any], more: dict[str, Any], real: frozenset[Effect], named: tuple[str, ...], rows: int
) -> None:
    narrowed = {**more, **{key: value for key, value in base.items() if key not in more}}
    if "effects" not in more and allowed(settings(narrowed), call(), real, named, rows):
        fewer = {key: value for key, value in base.items() if key not in more}
        assert allowed(settings(fewer), call(ticket="T-1"), real, named, rows)


@given(st.lists(scope, min_size=1, max_size=4), st.randoms(), effects, objects, st.integers(0, 30))
@pytest.mark.proves("scopes-narrow-only")
def test_the_order_of_scopes_never_matters(
    several: list[dict[str, Any]], random: Any, real: frozenset[Effect], named: tuple[str, ...], rows: int
) -> None:
    shuffled = random.sample(several, len(several))
    assert allowed(settings(*several), call(), real, named, rows) == allowed(
        settings(*shuffled), call(), real, named, rows
    )


@given(scope, effects, objects, st.integers(0, 30), effects)
@pytest.mark.proves("scopes-narrow-only")
def test_an_expectation_only_narrows(
    one: dict[str, Any], real: frozenset[Effect], named: tuple[str, ...], rows: int, expected: frozenset[Effect]
) -> None:
    expecting = call(expects=Expects(effects=expected, objects=("main.*",), max_rows=5))
    if allowed(settings(one), expecting, real, named, rows):
        assert allowed(settings(one), call(), real, named, rows)


@pytest.mark.proves("scopes-network")
@pytest.mark.parametrize(
    ("address", "fits"),
    [("10.1.2.3", True), ("192.0.2.1", False), ("2001:db8::1", True), ("2001:db9::1", False), (None, False)],
)
def test_a_scope_for_a_network_is_closed_to_calls_from_elsewhere_and_from_nowhere(
    address: str | None, *, fits: bool
) -> None:
    value = settings({"tools": ["*"], "targets": ["*"], "when": {"network": ["10.0.0.0/8", "2001:db8::/32"]}})
    asked = replace(call("schema_read"), caller=Caller("agent:a", address=address))
    with nullcontext() if fits else pytest.raises(NotPermittedError) as refused:
        grant(asked, value, Circumstances(), scope_name="schema_read")
    if refused is not None:
        [why] = refused.value.details["scopes"]
        where = f"not from {address}" if address else "and nothing says where this one comes from"
        assert why == f"is for calls from 10.0.0.0/8, 2001:db8::/32, {where}"


def test_no_scope_means_no_leave() -> None:
    with pytest.raises(MigrateError, match="Ada"):
        grant(
            call("schema_read"),
            settings({"tools": ["migration_*"], "targets": ["*"]}),
            Circumstances(),
            scope_name="schema_read",
        )


def test_to_plan_a_destructive_change_is_only_to_read() -> None:
    value = settings({"tools": ["migration_plan"], "targets": ["*"]})
    granted: Granted = grant(call("migration_plan"), value, Circumstances(), scope_name="migration_plan")
    prepared = Prepared(granted, present=lambda _classified, _quorum: {}, plan=PLAN)
    permitted = permit(
        Classified(prepared, (), frozenset({Effect.DESTRUCTIVE}), ("main.a",), {}), value, Circumstances()
    )
    assert permitted.scope == 0


@pytest.mark.parametrize("least", PROOFS)
@pytest.mark.proves("identity-least")
def test_a_name_that_is_proven_less_than_its_tier_asks_is_refused(least: Proof) -> None:
    value = settings({"tools": ["*"], "targets": ["*"]})
    value = value.model_copy(update={"identity": Identity(least={Tier.DEVELOPMENT: least})})
    for proof in PROOFS:
        asked = replace(call("schema_read"), caller=Caller("agent:a", proof))
        enough = PROOFS.index(proof) >= PROOFS.index(least)
        with nullcontext() if enough else pytest.raises(NotPermittedError, match=f"{least} or better"):
            grant(asked, value, Circumstances(), scope_name="schema_read")


tempos = st.builds(Tempo, calls=st.integers(0, 3), plans=st.integers(0, 3), applies=st.integers(0, 3))
held = st.builds(Circumstances, frozen=st.sampled_from([None, Frozen("t", "an incident", "root")]), tempo=tempos)
limits = st.fixed_dictionaries(
    {}, optional={name: st.integers(1, 3) for name in ("calls_per_minute", "applies_per_day")}
)


@given(scope, held, limits, st.data())
@pytest.mark.proves("limits-narrow-only")
def test_a_limit_or_a_freeze_never_allows_more(base: Any, around: Circumstances, most: Any, data: Any) -> None:
    def passes(around: Circumstances, most: dict[str, int]) -> bool:
        value = settings({**base, "effects": ["additive"]}).model_dump(by_alias=True)
        value["workflows"]["w"]["limits"] = most
        held_to, asked = Settings.model_validate(value), call(ticket="T-1")
        try:
            granted = grant(asked, held_to, around, scope_name=asked.tool)
            prepared = Prepared(granted, work=lambda _approved, _run: {}, plan=PLAN)
            permit(Classified(prepared, (), frozenset({Effect.ADDITIVE}), ("main.a",), {}), held_to, around)
        except MigrateError:
            return False
        return True

    if passes(around, most):
        fewer = {name: most[name] for name in most if data.draw(st.booleans())}
        assert passes(around, fewer)
        assert passes(replace(around, frozen=None), most)
        assert passes(Circumstances(), {})


CODE = replace(call("schema_read"), client="claude-code 2.1")
FITS: dict[str, tuple[dict[str, Any], Call, Circumstances]] = {
    "tiers": ({"tiers": ["development"]}, call("schema_read"), Circumstances()),
    "clients": (
        {"clients": ["claude-code *"]},
        replace(call("schema_read"), client="claude-code 2.1"),
        Circumstances(),
    ),
    "while": ({"while": {"file": "/signal"}}, call("schema_read"), Circumstances(opened=frozenset({0}))),
}
DOES_NOT: dict[str, tuple[dict[str, Any], Call, Circumstances]] = {
    "tiers": ({"tiers": ["staging"]}, call("schema_read"), Circumstances()),
    "clients": (
        {"clients": ["claude-code *"]},
        replace(call("schema_read"), client="claude-desktop 1"),
        Circumstances(),
    ),
    "a client without a name": ({"clients": ["*"]}, replace(call("schema_read"), client=None), Circumstances()),
    "while": ({"while": {"file": "/signal"}}, call("schema_read"), Circumstances(opened=frozenset({1}))),
}


@pytest.mark.parametrize("case", [*(("fits", name) for name in FITS), *(("does not", name) for name in DOES_NOT)])
@pytest.mark.proves("scope-conditions")
def test_a_condition_of_a_scope_holds_or_the_scope_does_not(case: tuple[str, str]) -> None:
    condition, asked, around = (FITS if case[0] == "fits" else DOES_NOT)[case[1]]
    value = settings({"tools": ["*"], "targets": ["*"], **condition})
    with nullcontext() if case[0] == "fits" else pytest.raises(NotPermittedError):
        grant(asked, value, around, scope_name="schema_read")


@pytest.mark.proves("scope-conditions")
def test_a_plan_older_than_its_scope_takes_is_not_applied_and_one_made_by_the_call_is_never_old() -> None:
    value = settings({"tools": ["*"], "targets": ["*"], "effects": ["additive"], "plan_age": "1h"})
    asked = call()
    prepared = Prepared(grant(asked, value, Circumstances(), scope_name=asked.tool), work=lambda _a, _r: {}, plan=PLAN)
    for age, fits in ((None, True), (timedelta(hours=1), True), (timedelta(hours=1, seconds=1), False)):
        around = Circumstances(planned_at=NOW - age if age else None)
        with nullcontext() if fits else pytest.raises(NotPermittedError, match="longer ago than"):
            permit(Classified(prepared, (), frozenset({Effect.ADDITIVE}), ("main.a",), {}), value, around)
