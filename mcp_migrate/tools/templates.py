"""How do a caller's values get into the SQL of a tool? As bound parameters, quoted names or dates, never as text.

The classifier judges what comes of it like any other statement; this only sees to it that a value stays a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from mcp_migrate.dialects.interface import Dialect, quoted
from mcp_migrate.errors import InvalidArgumentsError

Kind = Literal["value", "identifier", "table", "date"]
"""A bound value; one quoted name; a name that may have its schema before it, each part quoted; a day.

A day is for where no database takes a parameter, as in the bounds of a partition: what is written is made of the year,
month and day that were read.
"""

_PLACE = r"\{[A-Za-z_]\w*(?::\w*)?\}"
_TOKEN = re.compile(
    rf"""
    (?P<text> '(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | (?P<tag>\$\w*\$).*?(?P=tag) | --[^\n]* | /\*.*?\*/ )
    | (?P<place> {_PLACE})
    | (?P<stray> ['"`{{}}] | /\* )
    """,
    re.VERBOSE | re.DOTALL,
)
_INSIDE = re.compile(_PLACE)
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Place:
    """Where an argument goes."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Template:
    """One statement with its places. `quoted` are names that look like places inside quotes or comments."""

    parts: tuple[str | Place, ...]
    quoted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises: ValueError, with what is wrong in words for the author of the tool."""
        parts: list[str | Place] = []
        quoted: list[str] = []
        before = 0
        for token in _TOKEN.finditer(text):
            if token["stray"]:
                raise ValueError(f"{token['stray']!r} at character {token.start() + 1} begins nothing that ends")
            if token["text"]:
                _refuse_ambiguous(token["text"])
                quoted += [each[0][1:-1].partition(":")[0] for each in _INSIDE.finditer(token["text"])]
                continue
            parts += [text[before : token.start()], _place(token["place"])]
            before = token.end()
        return cls((*parts, text[before:]), tuple(quoted))

    @property
    def places(self) -> Iterator[Place]:
        """In their order."""
        return (part for part in self.parts if isinstance(part, Place))

    def filled(self, arguments: Mapping[str, Any], dialect: Dialect) -> tuple[str, tuple[tuple[Any, ...], ...]]:
        """Frozen text and parameters. Raises: InvalidArgumentsError: a name is none."""
        bound = [arguments[place.name] for place in self.places if place.kind == "value"]
        escapes = bool(bound) and dialect.name != "sqlite"  # the other drivers give % a meaning
        mark = "?" if dialect.name == "sqlite" else "%s"
        words = []
        for part in self.parts:
            if isinstance(part, Place):
                words.append(mark if part.kind == "value" else _written(part, arguments[part.name], dialect.quote_mark))
            else:
                words.append(part.replace("%", "%%") if escapes else part)
        return dialect.freeze("".join(words), [tuple(bound)] if bound else [], no_parameters=not bound)


def templates(texts: Sequence[str]) -> tuple[Template, ...]:
    """Raises: ValueError."""
    return tuple(Template.parse(text) for text in texts)


def _place(token: str) -> Place:
    name, _, kind = token[1:-1].partition(":")
    if (kind or "value") not in get_args(Kind):
        raise ValueError(f"{token} is of no kind that is known; they are {', '.join(get_args(Kind))}")
    return Place(name, kind or "value")  # type: ignore[arg-type]  # it is one of them


def _refuse_ambiguous(text: str) -> None:
    """What databases read differently, so that nobody knows where it ends."""
    if text[0] in "'\"" and "\\" in text:
        raise ValueError("a backslash in quotes ends them in one database and not in another; use a parameter")
    if text.startswith("/*") and "/*" in text[2:]:
        raise ValueError("a comment in a comment ends differently from database to database; take it out")


def _written(place: Place, value: Any, mark: str) -> str:
    return _day(place, value) if place.kind == "date" else _named(place, value, mark)


def _day(place: Place, value: Any) -> str:
    try:
        return f"'{date.fromisoformat(str(value)).isoformat()}'"
    except ValueError as error:
        raise InvalidArgumentsError(
            f"{place.name} is no day: {str(value)[:80]!r}.", hint="Pass it as 2026-12-31."
        ) from error


def _named(place: Place, value: Any, mark: str) -> str:
    parts = str(value).split(".", 1) if place.kind == "table" else [str(value)]
    for part in parts:
        if not part or len(part) > _LONGEST_NAME or not part.isprintable() or (place.kind == "table" and "." in part):
            raise InvalidArgumentsError(
                f"{place.name} is no name: {str(value)[:80]!r}.", hint="Pass the name as the database says it."
            )
    return quoted(*parts, mark=mark)
