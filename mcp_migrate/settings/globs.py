"""Does a name, or one of several, fit one of these patterns?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether `name` fits one of `patterns`: case-sensitive, and ``*`` crosses dots."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def any_matches(names: Iterable[str], patterns: Collection[str]) -> bool:
    """Whether one of `names` fits one of `patterns`."""
    return any(matches(name, patterns) for name in names)
