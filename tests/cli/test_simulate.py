"""Does a simulated call come out as the real one would?"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.world import World

APPLY = {"principal": "agent:demo", "tool": "migration_apply", "target": "shop"}


def said(world: World, *words: str) -> dict[str, Any]:
    done = world.here("config", "simulate", *words, "--json")
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


@pytest.mark.parametrize(
    ("words", "outcome", "why"),
    [
        (("agent:demo", "schema_read", "shop"), "allow", "scope 0"),
        (("agent:demo", "migration_apply", "shop", "--effects", "additive"), "allow", "scope 2"),
        (("agent:demo", "migration_apply", "shop", "--effects", "destructive"), "ask", "approvals[0]"),
        (("agent:demo", "migration_apply", "shop", "--effects", "privilege"), "deny", "not_permitted"),
        (("agent:other", "schema_read", "shop"), "deny", "belongs to no workflow"),
        (("agent:demo", "schema_read", "nowhere"), "deny", "unknown_target"),
    ],
)
def test_the_stages_of_a_real_call_decide(world: World, words: tuple[str, ...], outcome: str, why: str) -> None:
    verdict = said(world, *words)
    assert (verdict["outcome"], why in verdict["why"]) == (outcome, True)


def test_objects_rows_hours_and_tickets_count(world: World) -> None:
    def narrow(value: Any) -> None:
        [*_others, scope] = value["workflows"]["shop-agent"]["scopes"]
        scope |= {"objects": ["public.orders*"], "max_rows": 100, "ticket": "required", "when": {"days": ["mon-fri"]}}
        value["approvals"][0]["require"]["count"] = 1

    world.configure(narrow)
    fits = {"--effects": "data", "--objects": "public.orders.total", "--rows": "100", "--ticket": "T-1"}
    fits |= {"--at": "2026-03-02T10:00:00"}  # a Monday
    call = ("agent:demo", "migration_apply", "shop")
    assert said(world, *call, *(word for pair in fits.items() for word in pair))["outcome"] == "allow"
    for option, value in [
        ("--objects", "public.customers"),
        ("--rows", "101"),
        ("--ticket", ""),
        ("--at", "2026-03-01T10:00:00"),
    ]:
        words = [word for pair in {**fits, option: value}.items() for word in pair]
        assert said(world, *call, *words)["outcome"] == "deny", option


def test_a_table_holds_the_policy_to_what_is_expected(world: World) -> None:
    table = world.folder / "policy.yaml"
    rows: list[dict[str, Any]] = [
        {"call": {**APPLY, "effects": ["additive"]}, "expect": "allow"},
        {"call": {**APPLY, "effects": ["destructive"]}, "expect": "ask", "asks": {"dba": 1}},
    ]
    table.write_text(yaml.safe_dump(rows))
    assert world.here("config", "simulate", "--cases", str(table)).stdout == "2 of 2 calls come out as expected.\n"
    table.write_text(yaml.safe_dump([*rows, {"call": {**APPLY, "effects": ["unknown"]}, "expect": "deny"}]))
    done = world.here("config", "simulate", "--cases", str(table))
    assert done.returncode == 1
    assert "deny expected, ask came: (1 of dba)" in done.stdout


@pytest.mark.parametrize(
    "text",
    ["- {call: {tool: x}, expect: allow}", "- {expect: allow}", "[", "- {call: {principal: a, tool: b}, expect: no}"],
)
def test_a_table_that_is_none_is_refused(world: World, text: str) -> None:
    table = world.folder / "policy.yaml"
    table.write_text(text)
    done = world.here("config", "simulate", "--cases", str(table))
    assert (done.returncode, "config_invalid" in done.stderr) == (1, True)


def test_nothing_of_it_is_on_the_record(world: World) -> None:
    said(world, "agent:demo", "migration_apply", "shop", "--effects", "destructive")
    assert not (world.folder / ".mcp-migrate" / "ledger.db").exists()
