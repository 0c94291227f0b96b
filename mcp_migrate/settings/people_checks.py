"""Can the steps of a change be held apart as the configuration says?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcp_migrate.settings.problems import Problem

if TYPE_CHECKING:
    from mcp_migrate.settings.model import Settings


def people_problems(settings: Settings) -> Iterator[Problem]:
    """Every problem under `people` and `separation`."""
    seen: dict[str, str] = {}
    for person, names in settings.people.items():
        for index, name in enumerate(names):
            if seen.setdefault(name, person) != person:
                yield Problem(("people", person, index), f"{name} is {seen[name]}'s already.", "Name it once.")
    for tier, steps in settings.separation.items():
        if len({*steps}) == 1:
            why = "one step alone is separated from nothing."
            yield Problem(("separation", str(tier)), why, "Name two or three of plan, apply and validate.")
