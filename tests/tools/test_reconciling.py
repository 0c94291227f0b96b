"""Is what differs from the record named as what it is, and is what is gone again told by who had brought it?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.schema import Schema, Table, fingerprint, shape, short_fingerprints
from mcp_migrate.tools.reconciling import Base, base_of, differences, unexplained

NOW = datetime(2026, 3, 4, tzinfo=UTC)
_OBJECTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1", "2", "3"]))
_ADA, _BOB, _NOBODY = (Table("public", "t", columns=(), owner=owner) for owner in ("ada", "bob", None))


def schema(*tables: Table) -> Schema:
    return Schema(dialect="postgresql", tables=tables)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


def seen(ledger: Ledger, name: str, left: Schema) -> None:
    """As an apply records it, with its outcome."""
    state = {"target": "shop", "revision": "b2", "fingerprint": fingerprint(left)}
    ledger.append(
        Draft(Kind.SCHEMA_SEEN, {**state, "objects": short_fingerprints(left)}, subject=name),
        Draft(Kind.STEP_FINISHED, {**state, "status": "applied"}, subject=name),
        at=NOW,
    )


@given(now=_OBJECTS, history=st.lists(_OBJECTS, min_size=1, max_size=4))
@pytest.mark.proves("reconcile-found")
def test_exactly_what_differs_is_named_and_as_what_it_is(now: dict[str, str], history: list[dict[str, str]]) -> None:
    states = [Base(f"apply_{n}", "", None, None, objects) for n, objects in enumerate(history)]
    found = differences(now, states)
    before = history[0]
    assert {each.object for each in found if each.how == "added"} == now.keys() - before.keys()
    assert {each.object for each in found if each.how == "removed"} == before.keys() - now.keys()
    altered = {each.object for each in found if each.how == "altered"}
    assert altered == {name for name in now.keys() & before.keys() if now[name] != before[name]}


@given(before=_OBJECTS, after=_OBJECTS)
@pytest.mark.proves("reconcile-found")
def test_all_that_an_apply_did_is_gone_where_the_target_is_what_it_was_before(
    before: dict[str, str], after: dict[str, str]
) -> None:
    states = [Base("apply_2", "", None, None, after), Base("apply_1", "", None, None, before)]
    assert {each.gone for each in differences(before, states)} <= {"apply_2"}
    assert differences(after, states) == ()


@pytest.mark.proves("reconcile-found")
def test_an_owner_that_was_changed_is_a_difference_too(ledger: Ledger) -> None:
    seen(ledger, "apply_1", schema(_ADA))
    assert unexplained(ledger, "shop", ["b2"], schema(_ADA)) is None
    found = unexplained(ledger, "shop", ["b2"], schema(_BOB))
    assert found
    assert [(each.how, each.object) for each in found.differences] == [("altered", "table public.t")]
    assert unexplained(ledger, "other", ["b2"], schema(_BOB)) is None
    seen(ledger, "apply_2", schema(_NOBODY))
    assert unexplained(ledger, "shop", ["b2"], schema(_BOB))


@pytest.mark.proves("reconcile-first-use")
def test_an_apply_that_was_settled_says_its_shape_alone_and_is_the_base_all_the_same(ledger: Ledger) -> None:
    assert base_of(ledger, "shop") is None
    seen(ledger, "apply_1", schema())
    body = {"target": "shop", "status": "applied", "revision": "c3", "fingerprint": shape(schema(_ADA))}
    ledger.append(Draft(Kind.STEP_FINISHED, body, subject="apply_2"), at=NOW)
    ledger.append(Draft(Kind.STEP_FINISHED, {"target": "shop", "status": "applied"}, subject="apply_3"), at=NOW)
    assert unexplained(ledger, "shop", ["c3"], schema(_BOB)) is None  # who owns it was not recorded
    found = unexplained(ledger, "shop", ["c3"], schema())
    assert found
    assert (found.base.name, found.differences, found.moved) == ("apply_2", (), False)
    assert "the record does not say what of it" in found.summary()
