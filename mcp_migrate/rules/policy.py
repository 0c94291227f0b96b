"""What did an admin say about rules, for one target?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Policy
from mcp_migrate.settings import Settings, matches


def policy_for(target: str, settings: Settings) -> Policy:
    """The rules that are raised, and those that are accepted for `target`, with the reason."""
    said = settings.rules
    return Policy(
        raised={name: frozenset(effects) for name, effects in said.raise_.items()},
        accepted={entry.rule: entry.reason for entry in said.accept if matches(target, entry.targets)},
    )
