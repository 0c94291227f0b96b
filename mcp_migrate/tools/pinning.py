"""Which tools may agents be shown? Those in the words that they began with, or in words that somebody accepted since.

Where admins answer for more than development, a tool that comes later begins with words that one of them accepted.

What a model reads of a tool steers it: its title and description, its parameters and what is said of them, its hints.
Whoever can write a tool's file could let it be approved in harmless words and put others there later, when nobody looks
any more. So the words are pinned on the ledger; those that changed are withheld until a person has seen them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.ledger.walking import walk
from mcp_migrate.model import Tier, digest

if TYPE_CHECKING:
    from mcp_migrate.settings import Settings
    from mcp_migrate.tools.registry import Registry
    from mcp_migrate.tools.specs import ToolSpec

FORMAT, NAMESPACE = "mcp-migrate/tool/1", "tool@mcp-migrate"


def words(spec: ToolSpec) -> dict[str, Any]:
    """All that a model reads of a tool."""
    return {
        "title": spec.title,
        "description": spec.description,
        "parameters": spec.input_schema,
        "answer": spec.output,
        "hints": spec.annotations.model_dump(),
    }


class Pins:
    """What the ledger says of each tool's words."""

    kinds = (Kind.TOOL_PINNED, Kind.TOOL_CHANGED, Kind.TOOL_ACCEPTED)

    def __init__(self) -> None:
        self.first: dict[str, Event] = {}
        self.changes: dict[int, Event] = {}
        self.accepted: dict[str, tuple[Event, ...]] = {}

    def begin(self, ledger: Ledger) -> None:
        for event in (each for kind in self.kinds for each in walk(ledger, kind=kind)):
            self.take(event)

    def take(self, event: Event) -> None:
        name = str(event.subject)
        if event.kind == Kind.TOOL_ACCEPTED:
            others = tuple(each for each in self.accepted.get(name, ()) if each.seq != event.seq)
            self.accepted = {**self.accepted, name: (*others, event)}
        elif event.kind == Kind.TOOL_PINNED:
            self.first = {name: event, **self.first}  # the first one counts
        else:
            self.changes = {**self.changes, event.seq: event}

    def knows(self, name: str, body: Mapping[str, Any]) -> bool:
        """Whether exactly this is on the record."""
        said = (each for each in (self.first.get(name), *self.changes.values()) if each and each.subject == name)
        return any(_digests(each.body) == _digests(body) for each in said)

    def change(self, name: str, of: str) -> Event | None:
        """The entry that put words on the record which a tool did not begin with."""
        said = (each for each in self.changes.values() if each.subject == name and each.body["words_digest"] == of)
        return next(said, None)


class Pinning:
    """The tools of one server that a team wrote, held against the ledger. What is the server's own comes with it."""

    def __init__(
        self, registry: Registry, settings: Settings, ledger: Callable[[], Ledger], clock: Callable[[], datetime]
    ) -> None:
        self._settings, self._ledger, self._clock = settings, ledger, clock
        self._bodies = {tool.spec.name: _body(tool.spec) for tool in registry if not tool.ours}
        self._lock = threading.Lock()
        self._recorded = False
        self._held: dict[int, bool] = {}
        self._guards = bool(settings.admins) and any(
            target.tier is not Tier.DEVELOPMENT for target in settings.targets.values()
        )

    def withheld(self, *, look: bool = False) -> frozenset[str]:
        """The tools that no agent may be shown now, by name. To `look` puts nothing on the record.

        Raises:
            LedgerUnavailableError: nobody can say.
        """
        if not self._bodies:
            return frozenset()
        pins = self._ledger().current(Pins) if look else self._recorded_pins()
        return frozenset(name for name, body in self._bodies.items() if not self._may_be_shown(name, body, pins))

    def record(self) -> None:
        """Put each tool as it is now on the record, before anything says that a server began without it.

        Raises:
            LedgerUnavailableError: it cannot be.
        """
        if self._bodies:
            self._recorded_pins()

    def before(self, name: str) -> Mapping[str, Any]:
        """The words that agents were shown last; none of a tool that is new. Raises: LedgerUnavailableError."""
        pins = self._recorded_pins()
        accepted = [pins.changes[each.body["statement"]["entry"]] for each in self._accepted(name, pins)]
        began = [pins.first[name]] if name in pins.first else []
        shown: Mapping[str, Any] = [{}, *(each.body["words"] for each in (*began, *accepted))][-1]
        return shown

    def statement(self, name: str, *, by: str, at: datetime, nonce: str) -> dict[str, Any]:
        """What accepts the words that a tool has now, and no others. Where there are admins one signs it, as `key`.

        Raises:
            InvalidArgumentsError: there is nothing to accept.
        """
        if name not in self.withheld():
            raise InvalidArgumentsError(
                f"There is nothing to accept of {name}.", hint="`mcp-migrate tools list` says which tools are withheld."
            )
        of = self._bodies[name]["words_digest"]
        change = self._recorded_pins().change(name, of)
        said = {"format": FORMAT, "tool": name, "words": of, "entry": change.seq if change else None}
        return {**said, "by": by, "key": None, "signed_at": at.isoformat(), "nonce": nonce}

    def accept(self, entry: Mapping[str, Any]) -> None:
        """Have agents shown these words from now on. Raises: ApprovalInvalidError: no admin signed this."""
        name = str(entry["statement"]["tool"])
        _check(entry, name, self._recorded_pins(), self._settings)
        self._ledger().append(Draft(Kind.TOOL_ACCEPTED, entry, subject=name), at=self._clock())

    def _may_be_shown(self, name: str, body: Mapping[str, Any], pins: Pins) -> bool:
        if name not in pins.first and not self._comes_late(pins):
            return True
        began = {pins.first[name].body["words_digest"]} if name in pins.first else set()
        accepted = (each.body["statement"]["words"] for each in self._accepted(name, pins))
        return body["words_digest"] in {*began, *accepted}

    def _comes_late(self, pins: Pins) -> bool:
        """Whether a tool that is not pinned has to be accepted: others were there, or calls, when it was not."""
        return self._guards and bool(pins.first or pins.changes or self._ledger().last(Kind.CONFIG_LOADED))

    def _accepted(self, name: str, pins: Pins) -> Iterator[Event]:
        """What counts: an entry that no admin signed does not, however it came into the ledger."""
        for event in pins.accepted.get(name, ()):
            if event.seq not in self._held:
                self._held[event.seq] = _holds(event.body, name, pins, self._settings)
            if self._held[event.seq]:
                yield event

    def _recorded_pins(self) -> Pins:
        """What the ledger says, once each tool as it is now is on it."""
        with self._lock:
            pins = self._ledger().current(Pins)
            if not self._recorded:
                new = {name: body for name, body in self._bodies.items() if not pins.knows(name, body)}
                if drafts := [self._draft(name, body, pins) for name, body in new.items()]:
                    self._ledger().append(*drafts, at=self._clock())
                self._recorded, pins = True, self._ledger().current(Pins)
            return pins

    def _draft(self, name: str, body: Mapping[str, Any], pins: Pins) -> Draft:
        new = name not in pins.first
        if new and not self._comes_late(pins):
            return Draft(Kind.TOOL_PINNED, body, subject=name)
        withheld = not self._may_be_shown(name, body, pins)
        return Draft(Kind.TOOL_CHANGED, {**body, "withheld": withheld, **({"new": True} if new else {})}, subject=name)


def _body(spec: ToolSpec) -> dict[str, Any]:
    """What stands on the record of a tool: the digest of its whole file, and its words."""
    said = words(spec)
    return {"tool": spec.name, "spec": spec.digest, "words_digest": digest(said), "words": said}


def _digests(body: Mapping[str, Any]) -> tuple[object, object]:
    return body.get("spec"), body.get("words_digest")


def _holds(entry: Mapping[str, Any], name: str, pins: Pins, settings: Settings) -> bool:
    try:
        _check(entry, name, pins, settings)
    except ApprovalInvalidError:
        return False
    return True


def _check(entry: Mapping[str, Any], name: str, pins: Pins, settings: Settings) -> None:
    """Hold what accepts words against them, and against the admins' keys. Raises: ApprovalInvalidError."""
    told = entry.get("statement")
    said = told if isinstance(told, Mapping) else {}
    change = pins.changes.get(said.get("entry", -1))
    if change is None or (change.subject, change.body["words_digest"]) != (name, said.get("words")):
        raise _invalid("it is about other words than those on the record")
    if (said.get("format"), said.get("tool")) != (FORMAT, name):
        raise _invalid("it is for another tool, or another purpose")
    if settings.admins:
        from mcp_migrate.signers.admins import check_admin  # cryptography loads when there is something to check

        check_admin(entry, settings, namespace=NAMESPACE, refused=_invalid)


def _invalid(why: str) -> ApprovalInvalidError:
    return ApprovalInvalidError(f"This accepts nothing: {why}.", hint="Sign with `mcp-migrate tools accept --key`.")
