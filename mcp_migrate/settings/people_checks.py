"""Can the steps of a change be held apart as the configuration says?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcp_migrate.settings.list_checks import no_public_keys
from mcp_migrate.settings.problems import Problem, nearest

if TYPE_CHECKING:
    from mcp_migrate.settings.model import Settings


def people_problems(settings: Settings) -> Iterator[Problem]:
    """Every problem under `people`, `delegators` and `separation`."""
    seen: dict[str, str] = {}
    for person, names in settings.people.items():
        for index, name in enumerate(names):
            if seen.setdefault(name, person) != person:
                yield Problem(("people", person, index), f"{name} is {seen[name]}'s already.", "Name it once.")
    known = {name for workflow in settings.workflows.values() for name in workflow.members}
    for name, lines in settings.delegators.items():
        if name not in known:
            yield Problem(("delegators", name), f"{name} belongs to no workflow.", nearest(name, known))
        yield from no_public_keys(("delegators", name), lines)
    for tier, steps in settings.separation.items():
        if len({*steps}) == 1:
            why = "one step alone is separated from nothing."
            yield Problem(("separation", str(tier)), why, "Name two or three of plan, apply and validate.")
