"""Which entries have to stay, however old they are? Whole stories go, or none of their entries.

Entries belong to one story when they name one another: a call, its plan, its request, its apply. A story stays while
part of it is young or open, and while something that is decided later is found out from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mcp_migrate.ledger import Event, Kind

_SIGNED_HEADS = frozenset({Kind.CHECKPOINT_SIGNED, Kind.WITNESS_TOOK, Kind.WITNESS_FAILED})
_STORIES = ("call.", "plan.", "approval.", "step.", "statement.", "notice.")
"""What may go. All else stays: configurations, reviewers, undo data, and what the ledger says of itself."""

_ID = re.compile(r"\b(?:call|plan|req|apply)_[0-9a-f]{20}")
_ENDS = {
    Kind.CALL_RECEIVED: (Kind.CALL_FINISHED, Kind.CALL_REFUSED),
    Kind.STEP_STARTED: (Kind.STEP_FINISHED,),
}
_ENDED = {end: begin for begin, ends in _ENDS.items() for end in ends}


def needed(events: Iterable[Event], end: int, now: datetime) -> frozenset[int]:
    """The entries before `end` that stay, of all entries of the ledger."""
    found = _Found(end, now)
    for event in events:
        found.see(event)
    return found.staying()


class _Stories:
    """Which ids belong together? Each points towards the one that its story goes by."""

    def __init__(self) -> None:
        self._towards: dict[str, str] = {}

    def join(self, ids: Iterable[str]) -> str:
        names = [self.name(each) for each in ids]
        for each in names[1:]:
            self._towards[each] = names[0]
        self._towards.pop(names[0], None)
        return names[0]

    def name(self, each: str) -> str:
        while (further := self._towards.get(each)) is not None:
            self._towards[each] = self._towards.get(further, further)  # so that no way grows long
            each = further
        return each


@dataclass(slots=True)
class _Found:
    """What was seen so far. Stories go by the name of one of their ids."""

    end: int
    now: datetime
    stories: _Stories = field(default_factory=_Stories)
    of: dict[int, str] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    begun: dict[tuple[str, str], str] = field(default_factory=dict)
    latest: dict[tuple[str, ...], str] = field(default_factory=dict)
    stay: set[int] = field(default_factory=set)
    heads: dict[tuple[str, str | None], int] = field(default_factory=dict)

    def see(self, event: Event) -> None:
        ids = _ids(event) if event.kind.startswith(_STORIES) else []
        if ids:
            story = self.stories.join(ids)
            self._weigh(event, story)
            if event.seq < self.end:
                self.of[event.seq] = story
            else:
                self.alive.add(story)
        elif event.kind in _SIGNED_HEADS:
            if event.seq < self.end:
                self.of[event.seq] = self.stories.join([f"head {event.seq}"])
            self.heads[event.kind, event.subject] = event.seq
        else:
            self.stay.add(event.seq)

    def staying(self) -> frozenset[int]:
        """The numbers of all that stays, once everything was seen."""
        kept = (*self.alive, *self.begun.values(), *self.latest.values(), *(f"head {n}" for n in self.heads.values()))
        names = {self.stories.name(each) for each in kept}
        return frozenset(self.stay | {seq for seq, story in self.of.items() if self.stories.name(story) in names})

    def _weigh(self, event: Event, story: str) -> None:
        about = str(event.call_id if event.kind.startswith("call.") else event.subject)
        if event.kind in _ENDS:
            self.begun[event.kind, about] = story
        elif event.kind in _ENDED:
            self.begun.pop((_ENDED[Kind(event.kind)], about), None)
        for which in _latest(event):
            self.latest[which] = story
        if _holds(event, self.now):
            self.alive.add(story)
        # The question to the others about what one person did alone is open until they answer, however late.
        if event.kind == Kind.APPROVAL_REQUESTED and event.body.get("purpose") == "review":
            self.begun["review", about] = story
        elif event.kind == Kind.APPROVAL_DECIDED:
            self.begun.pop(("review", about), None)


def _latest(event: Event) -> Iterator[tuple[str, ...]]:
    """What is found out from the newest entry that says it: what stands on a target, and how far a key has counted."""
    body: Mapping[str, Any] = event.body
    if event.kind == Kind.STEP_STARTED:
        yield "apply", str(body.get("target"))
    if event.kind == Kind.STEP_FINISHED:
        yield "outcome", str(body.get("target")), str(body.get("status"))
        yield "left as", str(body.get("target")), str(bool(body.get("fingerprint")))
    if event.kind == Kind.APPROVAL_DECIDED:
        yield "key", str(_statement(event).get("key"))


def _holds(event: Event, now: datetime) -> bool:
    """Whether an entry means something still: a request that is open, a no, a way back whose time is not over."""
    body: Mapping[str, Any] = event.body
    if event.kind == Kind.APPROVAL_DECIDED:
        return _statement(event).get("decision") != "approve"
    until = [body.get("expires_at") if event.kind == Kind.APPROVAL_REQUESTED else body.get("covers_rollback_until")]
    undo = (body.get("plan") or {}).get("undo") if event.kind == Kind.STEP_STARTED else None
    if undo and undo["kept"]:
        until.append((datetime.fromisoformat(event.at) + timedelta(seconds=undo["keep_seconds"])).isoformat())
    return any(datetime.fromisoformat(each) > now for each in until if each)


def _statement(event: Event) -> Mapping[str, Any]:
    said = event.body.get("statement")
    return said if isinstance(said, Mapping) else {}


def _ids(event: Event) -> list[str]:
    """All that an entry names, itself first."""
    text = json.dumps(event.body, ensure_ascii=False)
    return [*filter(None, (event.call_id, event.subject)), *_ID.findall(text)]
