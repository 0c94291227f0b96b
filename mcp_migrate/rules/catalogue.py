"""Which rules are there, for which databases?

Nothing is listed by hand: each package of the family is walked, and whatever a module holds, alone or in a table, is
a rule of that database.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mcp_migrate.model import Effect
from mcp_migrate.rules.interface import NOT_UNDERSTOOD, Rule

Catalogue = Mapping[str, Mapping[str, Rule]]
"""By id, and then by dialect."""


@cache
def catalogue() -> Catalogue:
    """Every rule, by id and dialect, in the order of the ids."""
    family = importlib.import_module("mcp_migrate.rules")
    entries: dict[str, dict[str, Rule]] = {}
    for package in pkgutil.iter_modules(family.__path__, f"{family.__name__}."):
        if package.ispkg:
            dialect = package.name.rpartition(".")[2]
            for rule in (NOT_UNDERSTOOD, *_rules_of(package.name)):
                entries.setdefault(rule.id, {}).setdefault(dialect, rule)
    return dict(sorted(entries.items()))


def rules_of(dialect: str) -> list[Rule]:
    """The rules of one database; two may share an id where one thing is told in two ways."""
    return [NOT_UNDERSTOOD, *_rules_of(f"mcp_migrate.rules.{dialect}")]


def effects() -> Mapping[str, frozenset[Effect]]:
    """What each rule may amount to, in any database."""
    found: dict[str, frozenset[Effect]] = {}
    for dialect in {dialect for by_dialect in catalogue().values() for dialect in by_dialect}:
        for rule in rules_of(dialect):
            found[rule.id] = found.get(rule.id, frozenset()) | rule.effects
    return dict(sorted(found.items()))


def _rules_of(package: str) -> Iterator[Rule]:
    seen: set[int] = set()
    inside = pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
    for name in (package, *(module.name for module in inside)):
        for value in vars(importlib.import_module(name)).values():
            for rule in _within(value):
                if id(rule) not in seen:
                    seen.add(id(rule))
                    yield rule


def _within(value: Any) -> Iterator[Rule]:
    """The rules in a value: itself, or what a table or a tuple of it holds."""
    if isinstance(value, Rule):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _within(inner)
    elif isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from _within(inner)
