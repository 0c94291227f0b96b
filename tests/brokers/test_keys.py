"""Does a call hold no credential longer than it needs it, and none that is not on the record?"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from mcp_migrate.brokers import broker_for
from mcp_migrate.brokers.interface import Credential, Purpose, Step
from mcp_migrate.brokers.keys import Keys
from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.settings import Target
from tests.brokers.conftest import Written
from tests.waiting import until

TARGET = {"tier": "staging", "alembic": "/shop/alembic.ini", "url": "postgresql://broker@db/shop"}


@dataclass
class Counting:
    """A broker whose roles are numbers. With `away` the database is."""

    roles: set[str] = field(default_factory=set)
    made: int = 0
    away: bool = False
    standing: bool = False
    swept: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    kept: str | None = None

    def issue(self, step: Step) -> Credential:
        self._reach()
        self.made += 1
        self.roles.add(str(self.made))
        return Credential(f"postgresql://{self.made}@db/shop?{step.purpose}", role=str(self.made), swept=self.swept)

    def revoke(self, credential: Credential) -> str | None:
        self._reach()
        self.roles.discard(str(credential.role))
        return self.kept

    def sweep(self) -> tuple[str, ...]:
        return self.over

    def maker(self) -> str | None:
        return None

    def excess(self) -> tuple[str, ...]:
        return ()

    def _reach(self) -> None:
        if self.away:
            raise CredentialFailedError("The broker cannot reach the database.", hint="Wait.")


def keys(broker: Counting, written: Written, ttl: float = 60) -> Keys:
    given = {"broker": "postgres-role", "owner_role": "owner"}
    target = Target.model_validate({**TARGET, "credentials": given})
    credentials = target.credentials.model_copy(update={"ttl": ttl})
    target = target.model_copy(update={"credentials": credentials})
    return Keys({"shop": target}.__getitem__, lambda _target: broker, written, "agent:one")


@pytest.mark.proves("step-credentials-recorded")
def test_what_is_issued_is_on_the_record_and_dies_with_its_step() -> None:
    broker, written = Counting(), Written()
    with keys(broker, written) as held:
        assert held.url("shop", Purpose.READ) == held.url("shop", Purpose.READ)  # one for all reads of a call
        with held.credential("shop", Purpose.APPLY) as url:
            assert url.endswith("apply")
            assert broker.roles == {"1", "2"}
        assert broker.roles == {"1"}
        held.revoke()
        assert held.url("shop", Purpose.READ).startswith("postgresql://3@")
    assert broker.roles == set()
    assert written.lines == [
        ("issued", "read", "postgres-role 1"),
        ("issued", "apply", "postgres-role 2"),
        ("revoked", "apply", "the step is over: 2"),
        ("revoked", "read", "the step is over: 1"),
        ("issued", "read", "postgres-role 3"),
        ("revoked", "read", "the step is over: 3"),
    ]


@pytest.mark.proves("step-credentials-recorded")
def test_what_cannot_be_recorded_is_revoked_before_anybody_has_it() -> None:
    broker = Counting()
    with pytest.raises(RuntimeError), keys(broker, Written(broken=True)).credential("shop", Purpose.APPLY):
        pytest.fail("nobody gets it")
    assert broker.roles == set()


@pytest.mark.proves("step-credentials-recorded")
def test_all_are_revoked_where_the_end_of_none_can_be_recorded() -> None:
    broker, written = Counting(), Written()
    held = keys(broker, written)
    for purpose in (Purpose.READ, Purpose.PLAN, Purpose.APPLY):
        held.url("shop", purpose)
    written.broken = True
    with pytest.raises(RuntimeError, match="no ledger"):
        held.revoke()
    assert broker.roles == set()


def test_a_broker_that_is_away_when_it_is_asked_fails_the_step() -> None:
    with pytest.raises(CredentialFailedError), keys(Counting(away=True), Written()).credential("shop", Purpose.APPLY):
        pytest.fail("nobody gets it")


def test_a_broker_that_is_away_at_the_end_fails_nothing_and_is_told() -> None:
    broker, written = Counting(), Written()
    held = keys(broker, written)
    with held.credential("shop", Purpose.APPLY):
        broker.away = True
    assert [line[0] for line in written.lines] == ["issued", "left"]
    assert len(held.left) == 1


@pytest.mark.proves("step-credentials-expire")
def test_a_step_that_outlasts_its_credential_loses_it() -> None:
    broker, written = Counting(), Written()
    with keys(broker, written, ttl=0.5).credential("shop", Purpose.APPLY):
        assert all(thread.daemon for thread in _waiting())
        until(lambda: not broker.roles)
    assert [line[::2] for line in written.lines][1:] == [("revoked", "its time is over: 1")]


@pytest.mark.proves("step-credentials-recorded")
def test_what_is_swept_is_told_before_what_is_issued() -> None:
    written = Written()
    broker = Counting(swept=("older",))
    held = keys(broker, written)
    held.sweep("shop")
    assert written.lines == []
    broker.over = ("old",)
    held.sweep("shop")
    held.url("shop", Purpose.READ)
    assert written.lines == [
        ("swept", "shop", "old"),
        ("swept", "shop", "older"),
        ("issued", "read", "postgres-role 1"),
    ]
    held.revoke()


@pytest.mark.proves("step-credentials-recorded")
def test_what_stays_of_a_credential_is_told() -> None:
    written = Written()
    with keys(Counting(kept="a locked definer"), written).credential("shop", Purpose.APPLY):
        pass
    assert written.lines[1:] == [("revoked", "apply", "the step is over: a locked definer")]


def test_two_threads_of_a_call_share_the_credential_for_their_reads() -> None:
    both = threading.Barrier(2)

    class Slow(Counting):
        def issue(self, step: Step) -> Credential:
            with suppress(threading.BrokenBarrierError):  # nobody comes who would issue another
                both.wait(0.3)
            return super().issue(step)

    with keys(Slow(), Written()) as held, ThreadPoolExecutor() as pool:
        urls = set(pool.map(lambda _: held.url("shop", Purpose.READ), range(2)))
    assert len(urls) == 1


def test_nothing_waits_for_the_time_of_a_step_that_is_over() -> None:
    with keys(Counting(), Written(), ttl=3600).credential("shop", Purpose.APPLY):
        assert _waiting()
    until(lambda: not _waiting())


def _waiting() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_the_standing_key_is_no_credential_of_a_step() -> None:
    target = Target.model_validate(TARGET)
    written = Written()
    with Keys({"shop": target}.__getitem__, broker_for, written, "agent:one") as held:
        assert held.url("shop", Purpose.APPLY) == TARGET["url"]
    assert written.lines == []
    assert list(broker_for(target).excess()) != []
