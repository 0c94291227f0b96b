"""Can one person take a change from plan to validated, under whatever names and by whatever route?"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mcp_migrate.approvals.reviewers import reviewers as enrolled
from mcp_migrate.cli.doctor.people import who_is_alone
from mcp_migrate.errors import ApprovalDeniedError, NotSeparatedError, SelfApprovalError
from mcp_migrate.leave.alone import Changing, alone
from mcp_migrate.leave.circumstances import Circumstances
from mcp_migrate.leave.separation import Taker, before, marks, people, refuse_same
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import (
    Approved,
    Call,
    Caller,
    Classified,
    Effect,
    Grant,
    Granted,
    Judgement,
    Party,
    Prepared,
    Statement,
    canonical,
)
from mcp_migrate.settings import Settings
from mcp_migrate.signers.decisions import check, statement
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.sign import sign
from mcp_migrate.stages.approve import approve, request_body
from mcp_migrate.stages.authorise import permit
from mcp_migrate.stages.record import Recorder
from tests.approvals.conftest import NAMES, NOON, PLAN, Desk, configured

Keys = Mapping[str, tuple[Path, PublicKey]]
PERSONS = {
    "agent:one": "ada",
    "agent:two": "ada",
    "agent:three": "grace",
    "agent:four": "four",
    "agent:five": "five",
    "agent:worker": "worker",
    "agent:helper": "helper",
}
"""Whose each principal is: written down again, so that the configuration is held against something."""
ISSUER, WORKERS = "https://issuer", ("agent:worker", "agent:helper")


def handed(*names: str) -> Caller:
    """The last of these, acting by what each handed on to the next."""
    ends = NOON + timedelta(hours=1)
    grants = [Grant(f"{by} {to}", by, to, ("*",), ("*",), ends, frozenset(Effect)) for by, to in pairwise(names)]
    return Caller(names[-1], "launch-token", grants=tuple(grants))


def by_token(principal: str, subject: str) -> Caller:
    """Somebody who signed in, with a token that is mapped to this principal."""
    return Caller(principal, "oauth", Party(subject, ISSUER))


CALLERS = [
    *(Caller(name, proof) for name in PERSONS if name not in WORKERS for proof in ("launch-token", "claimed")),
    *(by_token(name, "x@sub") for name in ("agent:four", "agent:five")),
    *(by_token("agent:five", "y@sub"), Caller("agent:three", "oauth", Party("app"), chain=(Party("y@sub", ISSUER),))),
    *(handed("agent:one", "agent:worker"), handed("agent:four", "agent:worker")),
    *(handed("agent:one", "agent:worker", "agent:helper"), handed("agent:three", "agent:helper")),
]
callers = st.sampled_from([each for each in CALLERS if each.assurance != "claimed"] * 2 + CALLERS)
reviewers = st.sampled_from(NAMES)


def whose(caller: Caller) -> frozenset[str]:
    """Everybody that a call is by, or for: the person of its principal, of who handed on, and who signed in."""
    names = {PERSONS[name] for name in (caller.principal, *(grant.by for grant in caller.grants))}
    return frozenset(names | {party.subject for party in (caller.party, *caller.chain) if party})


def separated(keys: Keys, **changes: Any) -> dict[str, Any]:
    value = configured(keys)
    value["workflows"]["schema"]["principals"] += ["agent:four", "agent:five"]
    value["workflows"]["schema"]["workers"] = list(WORKERS)
    value["people"] = {"ada": ["agent:one", "agent:two"], "grace": ["agent:three"]}
    value["separation"] = {"staging": ["plan", "apply", "validate"]}
    return value | changes


OWN = replace(PLAN, to_revision="b2", statements=(Statement(1, "tool:forget", "UPDATE t SET c = NULL"),))
"""What a tool of a team makes and runs in one call."""


@dataclass
class Done:
    """One apply, as the machine saw it happen: whose each step was."""

    apply_id: str
    planners: tuple[frozenset[str], ...]
    applier: frozenset[str]
    approvers: frozenset[str]
    proven: bool


class Routes(RuleBasedStateMachine):
    """Everybody tries everything, in any order, on one target: by name, by token, by what was handed on to them."""

    keys: Keys

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="routes-")
        self.ledger = Ledger.open(f"sqlite:///{self.folder.name}/ledger.db")
        self.settings = Settings.model_validate(separated(self.keys))
        self.recorder = Recorder(self.ledger, self.settings.workflows)
        self.planned: list[frozenset[str]] = []
        self.applied: list[Done] = []
        self.validated: list[tuple[Done, Caller]] = []

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    def _prepared(self, caller: Caller, tool: str, **more: Any) -> Prepared:
        call = Call(f"call_{secrets.token_hex(4)}", tool, {}, "try everything", caller, NOON, "shop")
        workflow, owned = self.settings.workflow_of(caller.principal)
        return Prepared(Granted(call, workflow, owned.owner.name, tool, (0,)), **more)

    def _permitted(self, prepared: Prepared, effects: frozenset[Effect]) -> Any:
        judged = Judgement(1, effects, ("public.t.c",), "drop-column", "it is lost")
        classified = Classified(prepared, (judged,), effects, ("public.t.c",), {})
        return permit(classified, self.settings, Circumstances(before(prepared, self.settings, self.ledger)))

    @initialize(first=callers, second=callers)
    def planned_by_two(self, first: Caller, second: Caller) -> None:
        """Who planned is looked for among all who did, so there are several from the start."""
        self.plan(first)
        self.plan(second)

    @rule(caller=callers)
    def plans(self, caller: Caller) -> None:
        self.plan(caller)

    def plan(self, caller: Caller) -> None:
        prepared = self._prepared(caller, "migration_plan", present=lambda _c, _q: {}, plan=PLAN)
        try:
            self._permitted(prepared, frozenset({Effect.READ}))
        except NotSeparatedError:
            assert caller.assurance == "claimed"
            return
        self.recorder.planned(prepared.granted, PLAN, expires_at="2027-01-01T00:00:00+00:00")
        self.planned.append(whose(caller))

    @rule(caller=callers, effect=st.sampled_from([Effect.ADDITIVE, Effect.DESTRUCTIVE]))
    def apply(self, caller: Caller, effect: Effect) -> None:
        prepared = self._prepared(caller, "migration_apply", work=lambda _a, _r: {}, plan=PLAN)
        self._run(prepared, effect, tuple(self.planned) or (whose(caller),))

    @rule(caller=callers, effect=st.sampled_from([Effect.ADDITIVE, Effect.DESTRUCTIVE]))
    def use_a_tool_of_a_team(self, caller: Caller, effect: Effect) -> None:
        """It makes its plan and runs it in one call, so that whoever calls takes both steps."""
        more = {"work": lambda _a, _r: {}, "plan": OWN, "subject": {"tool_spec": "sha256:x"}}
        self._run(self._prepared(caller, "forget", **more), effect, (whose(caller),))

    @rule(caller=callers)
    def roll_back(self, caller: Caller) -> None:
        if self.applied:
            last = self.applied[-1]
            back = replace(PLAN, from_revision="c3", to_revision="b2")
            more = {"work": lambda _a, _r: {}, "plan": back, "undoes": last.apply_id}
            self._run(self._prepared(caller, "migration_rollback", **more), Effect.ADDITIVE, last.planners)

    def _run(self, prepared: Prepared, effect: Effect, planners: tuple[frozenset[str], ...]) -> None:
        try:
            permitted = self._permitted(prepared, frozenset({effect}))
            approved = approve(permitted, self.settings, self.ledger, now=NOON)
        except (NotSeparatedError, ApprovalDeniedError):
            return
        call = prepared.granted.call
        if not isinstance(approved, Approved):
            if approved.fresh:
                draft = Draft(Kind.APPROVAL_REQUESTED, request_body(approved), "schema", subject=approved.request_id)
                self.ledger.append(draft, at=NOON)
            return
        done = f"apply_{call.call_id}"
        self.recorder.started(approved, apply_id=done, at=NOON)
        self.ledger.append(Draft(Kind.STEP_FINISHED, {"status": "applied", "target": "shop"}, subject=done), at=NOON)
        proven = call.caller.assurance != "claimed"
        self.applied.append(Done(done, planners, whose(call.caller), frozenset(approved.reviewers), proven))

    @rule(reviewer=reviewers)
    def sign(self, reviewer: str) -> None:
        for request in self.ledger.last(Kind.APPROVAL_REQUESTED):
            path, public = self.keys[reviewer]
            said = statement(
                request.body,
                "approve",
                reviewer=reviewer,
                key=public,
                at=NOON,
                nonce=secrets.token_hex(16),
                head=asdict(self.ledger.head()),
            )
            decision = {"statement": said, "signature": sign(canonical(said), path, passphrase=str)}
            self.ledger.append(Draft(Kind.APPROVAL_DECIDED, decision, "schema", subject=request.subject), at=NOON)

    @rule(caller=callers)
    def validate(self, caller: Caller) -> None:
        for done in self.applied:
            looked = {"present": lambda _c, _q: {}, "validates": done.apply_id}
            prepared = self._prepared(caller, "migration_validate", **looked)
            try:
                self._permitted(prepared, frozenset({Effect.READ}))
            except NotSeparatedError:
                continue
            self.validated.append((done, caller))

    @invariant()
    def nobody_took_two_steps(self) -> None:
        for done in self.applied:
            assert not any(planner & done.applier for planner in done.planners)
            assert not done.approvers & done.applier.union(*done.planners)
            assert done.proven
        for done, caller in self.validated:
            assert not whose(caller) & done.applier.union(done.approvers, *done.planners)
            assert caller.assurance != "claimed"


@pytest.mark.proves("separation-of-duties", "separation-one-person")
def test_nobody_takes_two_steps_of_a_change_by_any_route(keys: Keys) -> None:
    machine: Any = type("Routes", (Routes,), {"keys": keys})
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=14, suppress_health_check=slow)
    )


def test_two_subjects_of_one_person_are_one_whoever_issued_the_names(keys: Keys) -> None:
    value = Settings.model_validate(separated(keys, people={"ada": ["https://issuer a@example.com", "agent:four"]}))
    me = Party("a@example.com", "https://issuer")
    taken = [Taker("plan", "agent:four", marks(["agent:four"], (), value))]
    for caller in (
        Caller("agent:five", "oauth", me),
        Caller("agent:five", "oauth", Party("client"), chain=(me,)),
    ):
        with pytest.raises(NotSeparatedError):
            refuse_same("apply", caller, taken, value, target="shop")
    other = Caller("agent:five", "oauth", Party("a@example.com", "https://elsewhere"))
    refuse_same("apply", other, taken, value, target="shop")


def test_a_subject_of_several_words_is_the_person_who_has_it(keys: Keys) -> None:
    """As each of a client certificate is: its issuer's name and its own have spaces in them."""
    ada = Party("CN=Ada Lovelace,O=Acme", "CN=Acme Clients,O=Acme")
    value = Settings.model_validate(separated(keys, people={"ada": [ada.subject, "agent:four"]}))
    taken = [Taker("plan", "agent:four", marks(["agent:four"], (), value))]
    with pytest.raises(NotSeparatedError):
        refuse_same("apply", Caller("agent:five", "mtls", ada), taken, value, target="shop")
    assert "ada" in people("agent:five", Caller("agent:five", "mtls", ada).told(), value)


def test_who_approved_does_not_take_a_step_that_is_separated_though_approving_is_no_step(keys: Keys) -> None:
    value = Settings.model_validate(separated(keys, separation={"staging": ["apply", "validate"]}))
    approved, planned = (Taker(step, "grace", marks(["grace"], (), value)) for step in ("approve", "plan"))
    caller = Caller("agent:three", "launch-token")
    refuse_same("validate", caller, [planned], value, target="shop")
    with pytest.raises(NotSeparatedError, match="grace"):
        refuse_same("validate", caller, [planned, approved], value, target="shop")


def test_what_stands_before_a_colon_makes_no_other_person(keys: Keys) -> None:
    value = Settings.model_validate(separated(keys, people={}))
    taken = [Taker("plan", "person:four", marks(["person:four"], (), value))]
    with pytest.raises(NotSeparatedError):
        refuse_same("apply", Caller("agent:four", "launch-token"), taken, value, target="shop")
    refuse_same("apply", Caller("agent:five", "launch-token"), taken, value, target="shop")


def test_nobody_decides_on_what_another_principal_of_theirs_asked_for(desk: Desk) -> None:
    desk.config["people"] = {"grace": ["agent:one"], "edsger": ["edsger@sub"]}
    desk.call = replace(desk.call, caller=Caller("agent:one", "oauth", Party("edsger@sub", "https://issuer")))
    desk.ask()
    for name in ("grace", "edsger"):
        with pytest.raises(SelfApprovalError):
            check(desk.signed(by=name), desk.request().body, desk.settings, roster(desk))
    assert check(desk.signed(by="barbara"), desk.request().body, desk.settings, roster(desk)).reviewer == "barbara"


WHO_ELSE = {
    "another token": (by_token("agent:one", "ada@sub"), by_token("agent:one", "grace@sub")),
    "another grant": (handed("agent:one", "agent:worker"), handed("agent:three", "agent:worker")),
}


@pytest.mark.parametrize("name", WHO_ELSE)
def test_an_approval_does_not_count_for_a_call_that_is_by_or_for_who_gave_it(desk: Desk, name: str) -> None:
    """The same principal calls again, and now it is somebody else."""
    asks, runs = WHO_ELSE[name]
    desk.config["people"] = {"grace": ["agent:three", "grace@sub"]}
    desk.config["workflows"]["schema"]["workers"] = list(WORKERS)
    desk.call = replace(desk.call, caller=asks)
    desk.ask()
    desk.put(desk.signed(by="grace"))
    desk.call = replace(desk.call, caller=runs)
    assert not desk.runs()
    desk.call = replace(desk.call, caller=asks)
    assert desk.runs()


@pytest.mark.proves("approval-break-glass")
def test_nobody_breaks_the_glass_for_a_call_of_their_own(desk: Desk) -> None:
    desk.config["people"] = {"grace": ["grace@sub"]}
    desk.config["break_glass"] = {"people": ["grace"], "assurance": ["software", "presence"]}
    desk.give_token("grace", "touch", pin=False)
    desk.call = replace(desk.call, caller=by_token("agent:one", "ada@sub"))
    desk.ask()
    for key in (None, "touch"):
        said = desk.signed("break-glass", by="grace", key=key, reason="nobody else can be reached at night")
        desk.put(said, kind=Kind.APPROVAL_BROKEN)
    desk.call = replace(desk.call, caller=by_token("agent:one", "grace@sub"))
    assert not desk.runs()
    desk.call = replace(desk.call, caller=by_token("agent:one", "ada@sub"))
    assert desk.runs()


def roster(desk: Desk) -> Any:
    return enrolled(desk.settings, desk.ledger)


ASKED = [{"when": {"tier": "staging"}, "require": {"from": "dba"}}]
SOMETIMES = [{"when": {"tier": "staging", "rows_over": 1}, "require": {"from": "dba"}}]
EVERYBODY = ("agent:five", "agent:four", "agent:one, agent:two", "agent:three")


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({}, ()),
        ({"separation": {}}, EVERYBODY),
        ({"separation": {"staging": ["apply", "validate"]}}, EVERYBODY),
        ({"separation": {"production": ["plan", "apply"]}}, EVERYBODY),
        ({"separation": {}, "approvals": ASKED}, ()),
        ({"separation": {}, "approvals": SOMETIMES}, EVERYBODY),
    ],
)
@pytest.mark.proves("separation-alone-told")
def test_who_could_act_alone_is_found_out_from_the_configuration(keys: Keys, changes: Any, who: Any) -> None:
    assert alone(Settings.model_validate(separated(keys, **changes)), "shop") == who


def test_who_may_only_roll_back_could_do_that_alone_and_who_only_reads_nothing(keys: Keys) -> None:
    value = separated(keys, separation={})
    back = {"tools": ["migration_rollback"], "targets": ["*"], "effects": ["additive"]}
    value["workflows"]["schema"]["scopes"] = [back]
    value["workflows"]["other"]["scopes"] = [{"tools": ["*"], "targets": ["*"]}]
    assert alone(Settings.model_validate(value), "shop") == EVERYBODY[:3]
    for asked, who in (("migration_apply", EVERYBODY[:3]), ("migration_*", ())):
        value["approvals"] = [{"when": {"tools": [asked]}, "require": {"from": "dba"}}]
        assert alone(Settings.model_validate(value), "shop") == who


@pytest.mark.proves("separation-alone-told")
def test_a_teams_own_tool_that_nobody_is_asked_about_is_a_way_to_act_alone(keys: Keys) -> None:
    value = separated(keys, separation={}, approvals=[{"when": {"tools": ["migration_*"]}, "require": {"from": "dba"}}])
    own = {"tools": ["tidying", "migration_*"], "targets": ["*"], "effects": ["data"]}
    value["workflows"]["schema"]["scopes"] = value["workflows"]["other"]["scopes"] = [own]
    tidy = Changing("tidying", frozenset({"tidying", "tidy_up"}), frozenset({Effect.DATA}))
    adds = Changing("tidying", frozenset({"tidying", "add"}), frozenset({Effect.ADDITIVE}))

    def who(*tools: Changing, **more: Any) -> tuple[str, ...]:
        return alone(Settings.model_validate({**value, **more}), "shop", own=tools)

    assert (who(), who(adds), who(tidy)) == ((), (), EVERYBODY)
    assert who(tidy, separation={"staging": ["plan", "apply"]}) == ()
    for named in ("tidying", "tidy_up"):
        rule = {"when": {"tools": [named]}, "require": {"from": "dba"}}
        assert who(tidy, approvals=[*value["approvals"], rule]) == (), named


@pytest.mark.parametrize(
    ("tier", "separation", "states"),
    [
        ("production", {}, {"fails"}),
        ("production", {"production": ["plan", "apply"]}, {"ok"}),
        ("staging", {"staging": ["plan", "validate"]}, {"note"}),
        ("staging", {}, set()),
    ],
)
@pytest.mark.proves("separation-alone-told")
def test_the_doctor_fails_where_anybody_could_act_alone_in_production(
    keys: Keys, tier: str, separation: Any, states: set[str]
) -> None:
    value = separated(keys, separation=separation)
    for target in value["targets"].values():
        target["tier"] = tier
    assert {finding.state for finding in who_is_alone(Settings.model_validate(value))} == states
