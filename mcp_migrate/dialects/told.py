"""What does a session on a target tell, beside its schema?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """What an apply left on its target, in the transactions of its own statements: how many of them stand."""

    plan: str
    done: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows a query returned, or why it could not be asked. It never holds a value of a row."""

    rows: int = 0
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What a server was seen to do: the strongest lock newly held on each table, and the tables written anew."""

    locks: tuple[tuple[str, str], ...] = ()
    rewrites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """What a statement left that failed half way: what it is called here, and the statement that removes it."""

    object: str
    what: str
    clean: str
