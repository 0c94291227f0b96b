"""Does a grant only narrow, and does a chain of them hold only whole, signed, recorded and in time?"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import MigrateError, NotPermittedError, NotSeparatedError
from mcp_migrate.leave.circumstances import Circumstances
from mcp_migrate.leave.delegation import chain_of, made, spent
from mcp_migrate.leave.revoking import revoke, revoked
from mcp_migrate.leave.separation import Taker, marks, refuse_same
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import Call, Caller, Classified, Effect, Grant, Permitted, Prepared, canonical
from mcp_migrate.settings import Settings
from mcp_migrate.signers import granting
from mcp_migrate.signers.line import line
from mcp_migrate.signers.sign import sign
from mcp_migrate.stages.authorise import again, explain, permit
from mcp_migrate.stages.authorise import grant as authorised
from tests.approvals.conftest import NOON, Desk

SOON = NOON + timedelta(hours=1)
HANDED = Grant("", "agent:one", "agent:w1", ("migration_*",), ("*",), SOON, frozenset({Effect.ADDITIVE}))
ONE_KEY = {"agent:one": "grace", "agent:w1": "edsger", "agent:w2": "ada", "agent:w3": "barbara"}


def prepared(desk: Desk) -> None:
    workflow = desk.config["workflows"]["schema"]
    workflow["workers"] = ["agent:w1", "agent:w2", "agent:w3", "agent:w4"]
    desk.config["delegators"] = {name: [desk.keys[key][1].line] for name, key in ONE_KEY.items()}


def signed(desk: Desk, handed: Grant, *, key: str | None = None, **more: Any) -> str:
    path, public = desk.keys[key or ONE_KEY[handed.by]]
    told = {name: value for name, value in handed.told().items() if name != "grant_id"}
    said = granting.statement(told, key=public, at=NOON, nonce=secrets.token_hex(16)) | more
    return line(said, sign(canonical(said), path, passphrase=str, namespace=granting.NAMESPACE))


def recorded(desk: Desk, text: str, chain: Sequence[Grant] = ()) -> str:
    made(text, chain, desk.settings, desk.ledger, now=NOON)
    return text


def chain(desk: Desk, *names: str) -> list[str]:
    """Texts of grants from the first name to the second, from there to the third, and so on."""
    texts: list[str] = []
    for by, to in pairwise(names):
        before = chain_of(texts, by, desk.settings, desk.ledger, now=NOON)
        texts.append(recorded(desk, signed(desk, replace(HANDED, by=by, to=to)), before))
    return texts


@pytest.mark.proves("delegation-holds")
def test_a_chain_of_grants_is_read_from_the_first_and_ends_with_whoever_calls(desk: Desk) -> None:
    prepared(desk)
    texts = chain(desk, "agent:one", "agent:w1", "agent:w2", "agent:w3")
    found = chain_of(texts, "agent:w3", desk.settings, desk.ledger, now=NOON)
    assert [(each.by, each.to) for each in found][0::2] == [("agent:one", "agent:w1"), ("agent:w2", "agent:w3")]
    assert len(desk.ledger.read(kind=Kind.GRANT_SIGNED)) == len(texts)
    with pytest.raises(NotPermittedError, match="not agent:w2's"):
        chain_of(texts, "agent:w2", desk.settings, desk.ledger, now=NOON)
    with pytest.raises(NotPermittedError, match="no leave of its own"):
        chain_of(texts[1:], "agent:w3", desk.settings, desk.ledger, now=NOON)
    with pytest.raises(NotPermittedError, match="gap"):
        chain_of([texts[0], texts[2]], "agent:w3", desk.settings, desk.ledger, now=NOON)
    with pytest.raises(NotPermittedError, match="is over"):
        chain_of(texts, "agent:w3", desk.settings, desk.ledger, now=SOON)


BAD: dict[str, tuple[Callable[[Desk], str], str]] = {
    "a stranger's key": (lambda d: signed(d, HANDED, key="stranger"), "none of agent:one's keys"),
    "a worker's key for its principal": (lambda d: signed(d, HANDED, key="edsger"), "none of agent:one's keys"),
    "nobody who may hand on": (lambda d: signed(d, replace(HANDED, by="agent:two"), key="ada"), "none of agent:two's"),
    "to no worker": (lambda d: signed(d, replace(HANDED, to="agent:two")), "no worker"),
    "to another workflow's": (lambda d: signed(d, replace(HANDED, to="agent:three")), "no worker"),
    "to itself": (lambda d: signed(d, replace(HANDED, to="agent:one")), "comes back"),
    "a worker without a grant": (lambda d: signed(d, replace(HANDED, by="agent:w1", to="agent:w2")), "no leave"),
    "no tools": (lambda d: signed(d, HANDED, tools=[]), "what it hands on"),
    "no objects": (lambda d: signed(d, HANDED, objects=[]), "what it hands on"),
    "no end": (lambda d: signed(d, HANDED, until=None), "what it hands on"),
    "no zone": (lambda d: signed(d, HANDED, until="2026-11-24T13:00:00"), "what it hands on"),
    "no use": (lambda d: signed(d, HANDED, uses=0), "what it hands on"),
    "an effect that is none": (lambda d: signed(d, HANDED, effects=["all"]), "what it hands on"),
    "another format": (lambda d: signed(d, HANDED, format="mcp-migrate/launch/1"), "of this version"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.proves("delegation-holds")
def test_what_is_no_grant_of_a_principals_own_is_refused(desk: Desk, bad: str) -> None:
    prepared(desk)
    make, why = BAD[bad]
    with pytest.raises(NotPermittedError, match=why):
        recorded(desk, make(desk))


@pytest.mark.proves("delegation-holds")
def test_a_chain_does_not_come_back_to_anybody_nor_grow_without_end(desk: Desk) -> None:
    prepared(desk)
    texts = chain(desk, "agent:one", "agent:w1", "agent:w2", "agent:w3")
    before = chain_of(texts, "agent:w3", desk.settings, desk.ledger, now=NOON)
    for to in ("agent:w1", "agent:w4"):
        with pytest.raises(NotPermittedError, match="more than 3"):
            recorded(desk, signed(desk, replace(HANDED, by="agent:w3", to=to)), before)
    unrecorded = signed(desk, HANDED)
    with pytest.raises(NotPermittedError, match="not made for this ledger"):
        chain_of([unrecorded], "agent:w1", desk.settings, desk.ledger, now=NOON)


VALUE = Settings.model_validate(
    {
        "version": 1,
        "targets": {"shop": {"tier": "staging", "alembic": "/a.ini", "url": "sqlite:////s.db"}},
        "workflows": {
            "schema": {
                "owner": {"name": "Ada", "email": "ada@example.com"},
                "principals": ["agent:one"],
                "workers": ["agent:w1", "agent:w2"],
                "scopes": [{"tools": ["migration_*"], "targets": ["*"], "effects": ["additive", "data"]}],
            }
        },
    }
)
globs = st.sampled_from([("*",), ("migration_apply",), ("schema_*",), ("shop",), ("main.*",), ("main.a",)])
grants = st.builds(
    Grant,
    grant_id=st.sampled_from(["grant_1", "grant_2"]),
    by=st.just("agent:one"),
    to=st.just("agent:w1"),
    tools=globs,
    targets=globs,
    until=st.sampled_from([SOON, NOON]),
    effects=st.frozensets(st.sampled_from(list(Effect))),
    objects=st.none() | globs,
)


def passes(caller: Caller, effects: frozenset[Effect], used: frozenset[str]) -> bool:
    call = Call("call_1", "migration_apply", {}, "an intent", caller, NOON, "shop")
    try:
        granted = authorised(call, VALUE, Circumstances(), scope_name=call.tool)
        ready = Prepared(granted, work=lambda _approved, _run: {})
        permit(Classified(ready, (), effects, ("main.a", "main.b"), {}), VALUE, Circumstances(spent=used))
    except MigrateError:
        return False
    return True


used = st.sampled_from([frozenset[str](), frozenset({"grant_2"})])


@pytest.mark.proves("delegation-narrows-only")
def test_what_a_worker_may_is_explained_with_what_was_handed_on_to_it() -> None:
    few = replace(HANDED, tools=("migration_plan",))
    for caller, allowed in ((Caller("agent:w1"), False), (Caller("agent:w1", grants=(few,)), True)):
        told = explain(VALUE, caller=caller, tool="migration_plan", scope_name="migration_plan", target="shop", at=NOON)
        assert told["allowed"] is allowed, told
        assert allowed or told["needed"] == ["a grant that covers it: it has none"]


@given(st.lists(grants, max_size=3), st.frozensets(st.sampled_from(list(Effect))), st.randoms(), used)
@pytest.mark.proves("delegation-narrows-only")
def test_a_grant_never_adds_to_what_its_giver_may_and_another_one_never_widens_it(
    several: list[Grant], effects: frozenset[Effect], random: Any, gone: frozenset[str]
) -> None:
    worker = Caller("agent:w1", grants=tuple(several))
    allowed = passes(worker, effects, gone)
    if allowed:
        assert several, "a worker has nothing of its own"
        assert passes(Caller("agent:one"), effects, frozenset())
        assert all(passes(replace(worker, grants=(each,)), effects, gone) for each in several)
    assert passes(replace(worker, grants=tuple(random.sample(several, len(several)))), effects, gone) == allowed


@pytest.mark.proves("delegation-narrows-only", "separation-one-person", "tokens-revoked")
def test_changes_by_a_grant_are_counted_and_a_worker_is_one_person_with_whoever_it_acts_for(desk: Desk) -> None:
    prepared(desk)
    text = recorded(desk, signed(desk, replace(HANDED, uses=2)))
    [grant] = chain_of([text], "agent:w1", desk.settings, desk.ledger, now=NOON)
    worker = Caller("agent:w1", "launch-token", grants=(grant,))
    for n, gone in enumerate((frozenset(), frozenset(), frozenset({grant.grant_id}))):
        assert spent([grant], desk.ledger) == gone
        draft = Draft(Kind.STEP_STARTED, {"caller": worker.told()}, call_id=f"call_{n}", subject=f"apply_{n}")
        desk.ledger.append(draft, at=NOON)
    through = [not spent([grant], desk.ledger, before=f"call_{n}") for n in range(3)]
    assert through == [True, True, False], "of those that began at once the first two go on"
    gone = spent([grant], desk.ledger, before="call_2")
    call = Call("call_1", "migration_apply", {}, "an intent", worker, NOON, "shop")
    granted = authorised(call, desk.settings, Circumstances(), scope_name=call.tool)
    begun = Permitted(Classified(Prepared(granted), (), frozenset(), (), {}), 0)
    again(begun, desk.settings, Circumstances(), at=NOON)
    with pytest.raises(NotPermittedError, match="as often as it may"):  # another that began at once was faster
        again(begun, desk.settings, Circumstances(spent=gone), at=NOON)
    revoke(grant.grant_id, "it went astray", "ada", desk.ledger, now=NOON)
    astray = Circumstances(revoked=revoked(worker, desk.ledger))
    for asks in (
        lambda: again(begun, desk.settings, astray, at=NOON),
        lambda: authorised(call, desk.settings, astray, scope_name=call.tool),
        lambda: chain_of([text], "agent:w1", desk.settings, desk.ledger, now=NOON),
    ):
        with pytest.raises(NotPermittedError, match="it went astray"):
            asks()
    desk.config["separation"] = {"staging": ["plan", "apply"]}
    planned = [Taker("plan", "agent:one", marks(["agent:one"], (), desk.settings))]
    with pytest.raises(NotSeparatedError, match="one person with agent:one"):
        refuse_same("apply", worker, planned, desk.settings, target="shop")
