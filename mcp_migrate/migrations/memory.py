"""What does this process remember of what projects gave, and for how long?

In memory alone: a file could be written by whoever writes revisions, and would say what no revision says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mcp_migrate.migrations.inputs import Inputs
from mcp_migrate.migrations.planning import Recorded, Way
from mcp_migrate.migrations.scratch import has_version_table, server_of
from mcp_migrate.model import Plan
from mcp_migrate.schema import Schema, fingerprint

SECONDS = 600.0
"""What a revision asks of its server, and the day, are not among its inputs, and change."""
T = TypeVar("T")
MOST = 8
"""Answers of each kind for each target."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    answer: T
    inputs: Inputs
    since: float


class Memory(Generic[T]):
    """Answers by question, each with the files it depends on; the oldest goes first."""

    def __init__(self, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[Hashable, _Kept[T]] = {}

    def find(self, question: Hashable) -> T | None:
        """The answer, if it still is the answer."""
        kept = self._kept.get(question)
        if kept is None or self._clock() - kept.since > self._seconds or not kept.inputs.unchanged():
            self._kept.pop(question, None)
            return None
        return kept.answer

    def keep(self, question: Hashable, answer: T, inputs: Inputs) -> None:
        """Remember an answer, unless it is not known what it depends on."""
        if not inputs.entries:
            return
        self._kept = dict([*self._kept.items(), (question, _Kept(answer, inputs, self._clock()))][-MOST:])


@dataclass(frozen=True, slots=True)
class Remembered:
    """A recording, what `finish` made of it, and that plan rehearsed."""

    recorded: Recorded
    finished: Plan
    rehearsed: Plan


def question(way: Way, url: str) -> Hashable:
    """All that a recording depends on but files: the way, and what a scratch database takes over from the target."""
    from sqlalchemy.engine import make_url

    place = make_url(url)  # whoever opens it: a step has an account of its own
    table = has_version_table(way.dialect, url, way.info.version_table)
    server = (place.host, place.port, place.database, server_of(way.dialect, url), table)
    return (way.target, way.start, way.end, way.cage, way.rehearse, way.max_rows, fingerprint(way.live), server)


@dataclass(frozen=True, slots=True)
class Replay:
    """A schema that revisions give, and what it cost to find out."""

    schema: Schema
    seconds: float
    remembered: bool
