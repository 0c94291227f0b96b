"""Does policy ask for what its rules say, and can no rule make it ask for less?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_migrate.approvals.demands import as_strict, quorum
from mcp_migrate.approvals.standing import short_of
from mcp_migrate.errors import ApprovalDeniedError
from mcp_migrate.model import STRENGTH, Approved, Assurance, Effect, Judgement, Quorum, Reverse
from mcp_migrate.signers.decisions import Decision
from tests.approvals.conftest import NOON, PLAN, Desk

LATER = NOON + timedelta(minutes=1)


def asked(desk: Desk, *rules: dict[str, Any]) -> Quorum | None:
    desk.config["approvals"] = list(rules)
    return quorum(desk.permitted.classified, desk.settings)


def rule(require: dict[str, Any] | None = None, **when: Any) -> dict[str, Any]:
    return {"when": when, "require": {"count": 3, **(require or {})}}


MATCHES: dict[str, tuple[dict[str, Any], bool]] = {
    "the tier": ({"tier": "staging"}, True),
    "another tier": ({"tier": "production"}, False),
    "the target": ({"targets": ["sh*"]}, True),
    "another target": ({"targets": ["clone"]}, False),
    "the tool": ({"tools": ["migration_*"]}, True),
    "another tool": ({"tools": ["migration_rollback"]}, False),
    "an effect": ({"effects": ["destructive", "data"]}, True),
    "another effect": ({"effects": ["privilege"]}, False),
    "the object": ({"objects": ["public.t.c"]}, True),
    "the table of the column": ({"objects": ["public.t"]}, True),
    "a column of the same name elsewhere": ({"objects": ["public.u.c"]}, False),
    "another object": ({"objects": ["audit.*"]}, False),
    "more rows": ({"rows_over": 999}, True),
    "no more rows": ({"rows_over": 1000}, False),
    "something is lost for good": ({"irreversible": True}, True),
    "nothing is lost for good": ({"irreversible": False}, False),
    "these hours": ({"during": {"days": ["tue"], "hours": "09:00-17:00"}}, True),
    "other hours": ({"during": {"days": ["sat-sun"]}}, False),
    "all parts": ({"tier": "staging", "objects": ["public.*"], "rows_over": 1}, True),
    "all parts but one": ({"tier": "staging", "objects": ["public.*"], "rows_over": 9999}, False),
}


@pytest.mark.proves("approval-policy")
@pytest.mark.parametrize("name", MATCHES)
def test_a_rule_holds_where_every_part_of_it_fits(desk: Desk, name: str) -> None:
    when, fits = MATCHES[name]
    found = asked(desk, rule(**when))
    assert found is not None
    assert found.count == (3 if fits else 1)  # what destroys waits for somebody whatever the rules say


def test_a_statement_that_names_no_object_fits_every_pattern(desk: Desk) -> None:
    desk.objects = ()
    found = asked(desk, rule(objects=["audit.*"]))
    assert found is not None
    assert found.count == 3


def test_what_holds_the_object_of_a_rule_is_the_object_of_the_rule(desk: Desk) -> None:
    desk.objects = ("public.t",)
    found = asked(desk, rule(objects=["public.t.secret"]))
    assert found is not None
    assert found.count == 3


def test_a_rule_on_effect_and_object_means_one_statement_with_both(desk: Desk) -> None:
    classified = desk.permitted.classified
    judged = (
        Judgement(1, frozenset({Effect.DESTRUCTIVE}), ("public.t.c",), "drop-column", ""),
        Judgement(2, frozenset({Effect.ADDITIVE}), ("audit.log",), "create-table", ""),
    )
    effects = frozenset({Effect.DESTRUCTIVE, Effect.ADDITIVE})
    both = replace(classified, judgements=judged, effects=effects, objects=("audit.log", "public.t.c"))
    desk.config["approvals"] = [rule(effects=["destructive"], objects=["audit.*"])]
    found = quorum(both, desk.settings)
    doubted = quorum(replace(both, effects=effects | {Effect.UNKNOWN}), desk.settings)
    desk.config["approvals"] = [rule(effects=["unknown"], objects=["audit.*"])]
    whole = quorum(replace(both, effects=effects | {Effect.UNKNOWN}), desk.settings)
    assert [each.count for each in (found, doubted, whole) if each] == [1, 1, 3]


RULES = st.lists(
    st.builds(
        lambda when, require: {"when": when, "require": require},
        st.sampled_from([{"tier": "staging"}, {"effects": ["destructive"]}, {"rows_over": 1}, {"tier": "production"}]),
        st.fixed_dictionaries(
            {
                "from": st.sampled_from(["*", "dba", "leads"]),
                "count": st.integers(1, 3),
                "expires": st.sampled_from(["1h", "8h"]),
                "execute_within": st.sampled_from(["30m", "8h"]),
                "assurance": st.sampled_from([str(each) for each in STRENGTH]),
                "never": st.sampled_from([["requester"], ["owner"]]),
                "deny": st.sampled_from(["one", "quorum"]),
            }
        ),
    ),
    min_size=1,
    max_size=4,
)


def told(found: Quorum) -> dict[str, Any]:
    return {
        "by_group": dict(found.by_group),
        "assurance": found.assurance,
        "never": sorted(found.never),
        "deny": found.deny,
        "execute_seconds": found.execute_seconds,
    }


@pytest.mark.proves("approval-policy")
@given(rules=RULES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_rule_never_lowers_what_is_asked_and_order_is_nothing(desk: Desk, rules: list[dict[str, Any]]) -> None:
    everything, fewer = asked(desk, *rules), asked(desk, *rules[1:])
    backwards = asked(desk, *reversed(rules))
    assert everything
    assert fewer
    assert backwards
    if fewer.rules == ("built-in",):  # where no rule speaks, times and denial are a default and no demand
        fewer = replace(fewer, deny="quorum", execute_seconds=1e9, expires_seconds=1e9)
    assert as_strict(told(everything), fewer)
    assert everything.expires_seconds <= fewer.expires_seconds
    assert (told(everything), everything.expires_seconds) == (told(backwards), backwards.expires_seconds)


PEOPLE = st.lists(
    st.tuples(st.sampled_from("abcd"), st.frozensets(st.sampled_from(["dba", "leads"]))),
    max_size=4,
    unique_by=lambda p: p[0],
)


@given(people=PEOPLE, rules=RULES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_enough_people_for_all_rules_are_enough_for_each_of_them(
    desk: Desk, people: list[tuple[str, frozenset[str]]], rules: list[dict[str, Any]]
) -> None:
    signed = [
        Decision("approve", name, name, Assurance.VERIFIED, name, None, NOON, NOON, NOON, name, groups)
        for name, groups in people
    ]
    all_rules = asked(desk, *rules)
    each = [found for found in (asked(desk, one) for one in rules) if found]
    assert all_rules
    enough_for_all = not short_of(all_rules.by_group, signed)
    assert enough_for_all == all(not short_of(one.by_group, signed) for one in each)


@pytest.mark.proves("approval-quorum")
def test_one_of_each_group_satisfies_two_rules_and_two_of_one_group_do_not(desk: Desk) -> None:
    desk.config["reviewers"]["edsger"]["groups"] = ["leads"]
    desk.config["approvals"] = [
        {"when": {"effects": ["destructive"]}, "require": {"from": "dba"}},
        {"when": {"tier": "staging"}, "require": {"from": "leads"}},
    ]
    desk.ask()
    desk.put(desk.signed(by="grace"))
    desk.put(desk.signed(by="ada"))
    assert not desk.runs()
    desk.put(desk.signed(by="edsger"))
    assert desk.runs()


@pytest.mark.proves("approval-verified")
@pytest.mark.parametrize("effect", ["destructive", "unknown"])
def test_production_asks_for_a_verified_person_whatever_the_rules_say(desk: Desk, effect: str) -> None:
    desk.effects = frozenset({Effect(effect)})
    desk.config["targets"]["shop"]["tier"] = "production"
    bare, ruled = asked(desk), asked(desk, rule({"assurance": "software"}, effects=[effect]))
    desk.config["targets"]["shop"]["unsafe_software_keys"] = True
    unsafe = asked(desk)
    assert [each.assurance for each in (bare, ruled, unsafe) if each] == ["verified", "verified", "software"]


@pytest.mark.proves("approval-verified")
def test_a_key_of_software_does_not_destroy_anything_in_production(desk: Desk) -> None:
    desk.config["targets"]["shop"]["tier"] = "production"
    desk.ask()
    desk.put(desk.signed())
    assert not desk.runs()
    desk.config["targets"]["shop"]["unsafe_software_keys"] = True
    desk.ask()
    desk.put(desk.signed())
    assert desk.runs()


@pytest.mark.proves("approval-deny")
def test_one_denial_ends_a_request_where_policy_does_not_say_otherwise(desk: Desk) -> None:
    desk.config["approvals"][0]["require"]["count"] = 2
    desk.ask()
    desk.put(desk.signed("deny"))
    desk.put(desk.signed(by="edsger"))
    desk.put(desk.signed(by="ada"))
    with pytest.raises(ApprovalDeniedError):
        desk.ask(at=LATER)


@pytest.mark.proves("approval-deny")
def test_with_denial_by_quorum_one_voice_against_is_outvoted_and_two_are_not(desk: Desk) -> None:
    desk.config["approvals"][0]["require"].update(count=2, deny="quorum")
    desk.ask()
    desk.put(desk.signed("deny", by="grace"))
    desk.put(desk.signed(by="grace"))  # who said no cannot help to approve
    desk.put(desk.signed(by="edsger"))
    assert not desk.runs()
    desk.put(desk.signed(by="ada"))
    assert desk.runs()
    desk.put(desk.signed("deny", by="barbara"))
    with pytest.raises(ApprovalDeniedError):
        desk.ask(at=LATER)


def test_an_hour_at_which_more_is_asked_asks_anew(desk: Desk) -> None:
    night = {"when": {"during": {"hours": "18:00-06:00"}}, "require": {"from": "dba", "count": 2}}
    desk.config["approvals"].append(night)
    desk.config["approvals"][0]["require"].update(expires="8h", execute_within="8h")
    desk.ask()
    desk.put(desk.signed())
    assert desk.runs()
    evening = desk.ask(at=NOON + timedelta(hours=1))
    assert isinstance(evening, Approved)
    desk.call = replace(desk.call, at=NOON + timedelta(hours=7))
    assert not desk.runs(at=NOON + timedelta(hours=7))
    assert desk.request().body["quorum"]["count"] == 2


def test_the_owner_of_the_workflow_does_not_approve_where_a_rule_says_so(desk: Desk) -> None:
    desk.config["approvals"].append(
        {"when": {"irreversible": True}, "require": {"from": "dba", "never": ["requester", "owner"]}}
    )
    desk.plan = replace(PLAN, reverse=Reverse(available=False, restores_schema=False, why_not="none"))
    desk.ask()
    desk.put(desk.signed(by="ada"))
    assert not desk.runs()
    desk.put(desk.signed(by="grace"))
    assert desk.runs()
