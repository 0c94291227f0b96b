"""Is this the change that was denied, however it is written now?

Two statements are the same change when their words are the same without spelling, or when one does the worst that the
other did to the same object or to what holds it. It is about sameness, never about safety: what is not the same is
judged and asked as anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.model import Effect, canonical

_BY_OBJECT = (Effect.PRIVILEGE, Effect.DESTRUCTIVE, Effect.UNKNOWN, Effect.BREAKING, Effect.DATA)
"""Effects that are the same change on the same object, the worst first. What only adds or blocks goes by its words."""
_OURS = frozenset({"version", "preserve"})
"""Kinds of statements that no revision wrote and that change nothing of the user's."""
_DIALECTS = {"postgresql": "postgres"}
_NESTED = 3
"""Bodies within bodies that are read by words; deeper ones are compared as they stand."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one statement asks for."""

    n: int
    words: bytes
    effects: frozenset[str]
    objects: frozenset[str]

    @property
    def worst(self) -> str | None:
        return next((effect for effect in _BY_OBJECT if effect in self.effects), None)

    def repeats(self, denied: Change) -> bool:
        """Whether asking for this asks for `denied` again."""
        if self.words == denied.words:
            return True
        return denied.worst in self.effects and any(_within(old, new) for old in denied.objects for new in self.objects)


def changes_of(asked: Mapping[str, Any], *, among: Collection[int] = ()) -> tuple[Change, ...]:
    """The changes in what a request or a call asks for; only the statements `among` some, if any are named."""
    plan = asked["plan"]
    if plan is None:
        words = canonical([asked["tool"], asked["subject"]])
        return (Change(0, words, frozenset(asked["effects"]), frozenset(map(str.casefold, asked["objects"]))),)
    found = tuple(_changes(plan, asked["judgements"], among))
    return found or (Change(0, canonical(plan["statements"]), frozenset(), frozenset()),)


def _changes(plan: Mapping[str, Any], judged: Iterable[Mapping[str, Any]], among: Collection[int]) -> Iterator[Change]:
    by_number = {judgement["n"]: judgement for judgement in judged}
    for statement in plan["statements"]:
        n = statement["n"]
        if statement["kind"] in _OURS or (among and n not in among):
            continue
        judgement = by_number.get(n, {"effects": (), "objects": ()})
        words = canonical([list(words_of(statement["sql"], plan["dialect"])), statement["parameters"]])
        objects = frozenset(name.casefold() for name in judgement["objects"] if name != "?")
        yield Change(n, words, frozenset(judgement["effects"]), objects)


def words_of(sql: str, dialect: str, *, depth: int = 0) -> Iterator[str]:
    """The words of a statement without white space, comments, case, quotes around names and closing semicolons."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(sql, read=_DIALECTS.get(dialect, dialect))
    except SqlglotError:
        yield " ".join(sql.split()).casefold()
        return
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    for token in tokens:
        body = token.text.strip("$ \t\r\n")
        if depth < _NESTED and any(map(str.isspace, body)):
            yield from words_of(body, dialect, depth=depth + 1)
        else:
            yield body.casefold() if body else token.text


def _within(old: str, new: str) -> bool:
    """Whether to do it to `new` is to do it to `old`: the same object, or what holds it."""
    return old == new or old.startswith(f"{new}.")
