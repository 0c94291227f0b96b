"""Which credentials does one call hold? Each is on the record before it is used, and dies with the call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self

from mcp_migrate.brokers.interface import Broker, Credential, Purpose, Step
from mcp_migrate.errors import MigrateError
from mcp_migrate.settings import Target


class Register(Protocol):
    """Where it is written what became of credentials; never what is secret of them."""

    def issued(self, step: Step, credential: Credential, broker: str) -> None:
        """It is there, and nobody has it yet."""
        ...

    def revoked(
        self, step: Step, credential: Credential, *, why: str, left: MigrateError | None, kept: str | None
    ) -> None:
        """Its sessions and itself were ended, or may still be there for the reason in `left`; `kept` is what stays."""
        ...

    def swept(self, target: str, roles: tuple[str, ...]) -> None:
        """These outlived their time, and are gone now."""
        ...


@dataclass(eq=False, slots=True)
class _Held:
    """One credential that is in use, and what ends it when its time is over."""

    step: Step
    broker: Broker
    credential: Credential
    watchdog: threading.Timer | None = field(default=None)


class Keys:
    """The credentials of one call. Leaving the context revokes what it still holds.

    `left` are the reasons why some could not be revoked; they end by themselves when their time is over.
    """

    def __init__(
        self,
        target_of: Callable[[str], Target],
        broker_for: Callable[[Target], Broker],
        register: Register,
        principal: str,
    ) -> None:
        self._target_of, self._broker_for = target_of, broker_for
        self._register, self._principal = register, principal
        self._held: list[_Held] = []
        self._opened: dict[tuple[str, Purpose], _Held] = {}
        self._lock = threading.Lock()
        self.left: list[MigrateError] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.revoke()

    def url(self, target: str, purpose: Purpose) -> str:
        """What opens the target for `purpose`: issued when it is first asked for, kept until `revoke`.

        Raises:
            CredentialFailedError: it cannot be issued.
        """
        with self._lock:
            held = self._opened.get((target, purpose))
            if held is None or held not in self._held:
                held = self._opened[target, purpose] = self._issue(target, purpose, ())
            return held.credential.url

    @contextmanager
    def credential(self, target: str, purpose: Purpose, objects: tuple[str, ...] = ()) -> Iterator[str]:
        """The URL of a credential that is revoked when the context is left.

        Raises:
            CredentialFailedError: it cannot be issued.
        """
        held = self._issue(target, purpose, objects)
        try:
            yield held.credential.url
        finally:
            self._end(held, "the step is over")

    def revoke(self) -> None:
        """Revoke all that is held, also where what became of one cannot be recorded."""
        with ExitStack() as ends:
            for held in list(self._held):
                ends.callback(self._end, held, "the step is over")

    def sweep(self, target: str) -> None:
        """Remove what dead servers left on a target. Raises: CredentialFailedError."""
        self._register.swept(target, self._broker_for(self._target_of(target)).sweep())

    def _issue(self, name: str, purpose: Purpose, objects: tuple[str, ...]) -> _Held:
        target = self._target_of(name)
        broker, ttl = self._broker_for(target), target.credentials.ttl
        step = Step(name, self._principal, purpose, ttl, objects)
        held = _Held(step, broker, broker.issue(step))
        self._held.append(held)
        if not broker.standing:
            held.watchdog = threading.Timer(ttl, self._end, (held, "its time is over"))
            held.watchdog.daemon = True
            held.watchdog.start()
            self._recorded(held, target.credentials.broker)
        return held

    def _recorded(self, held: _Held, broker: str) -> None:
        """One that cannot be put on the record is revoked before anybody has it."""
        try:
            self._register.swept(held.step.target, held.credential.swept)
            self._register.issued(held.step, held.credential, broker)
        except BaseException:
            self._end(held, "it could not be recorded")
            raise

    def _end(self, held: _Held, why: str) -> None:
        """Once, whether the step or the watchdog comes first.

        What cannot be revoked is never the step's failure: it is on the record, its time is short, and it is swept.
        """
        try:
            self._held.remove(held)
        except ValueError:
            return
        if held.watchdog is None:
            return
        held.watchdog.cancel()
        left = kept = None
        try:
            kept = held.broker.revoke(held.credential)
        except MigrateError as error:
            left = error
            self.left.append(error)
        self._register.revoked(held.step, held.credential, why=why, left=left, kept=kept)
