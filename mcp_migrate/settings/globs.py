"""Does a name fit one of these patterns?"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether `name` fits one of `patterns`: case-sensitive, and ``*`` crosses dots."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
