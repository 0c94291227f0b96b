"""What may the role of a PostgreSQL session do? Asked of the catalogs, which answer for roles that it is in as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_migrate.dialects.powers import Powers


def powers(named: Callable[..., list[tuple[Any, ...]]]) -> Powers:
    """By the queries of `powers.sql`."""
    [(role, rules, at)] = named("role")
    told = {name: tuple(what for (what,) in named(name)) for name in ("changes", "foreign", "unread")}
    return Powers(role, rules, **told, at=at)
