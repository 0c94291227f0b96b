"""What is one difference between two schemas, and how is it told?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mcp_migrate.model import Effect
from mcp_migrate.schema.impact import effects_of
from mcp_migrate.schema.text import clean

LONGEST = 600
"""Characters of a `before` or `after`; the whole length is told."""

_BODY = 160
_LONGEST_DETAIL = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `effects` are those of the statements that would make it.

    `table` is ``schema.table`` of what changes. A `confidence` below 1 is a guess, and `otherwise` says what the
    change is if the guess is wrong. `detail` shows, as a unified diff, what of a longer text changed.
    """

    kind: str
    object: str
    before: str | None
    after: str | None
    effects: tuple[Effect, ...]
    confidence: float = 1.0
    table: str | None = None
    otherwise: str | None = None
    detail: str | None = None

    def shown(self) -> dict[str, Any]:
        """The JSON form; what is not set is left out."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "object": self.object,
            "before": self.before,
            "after": self.after,
            "effects": sorted(self.effects),
            "confidence": self.confidence,
        }
        extra: Mapping[str, str | None] = {"otherwise": self.otherwise, "detail": self.detail}
        if self.table is not None and not f"{self.object}.".startswith(f"{self.table}."):
            extra = {"table": self.table, **extra}
        return told | {name: value for name, value in extra.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change is: the dialect decides on the statements, the table on what is touched."""

    dialect: str
    table: str | None = None

    def change(
        self,
        kind: str,
        thing: str,
        before: str | None,
        after: str | None,
        *,
        impact: str | None = None,
        confidence: float = 1.0,
        otherwise: str | None = None,
    ) -> Change:
        """A change of `kind`; `impact` is another entry of the table of effects, where the kind alone is too coarse."""
        effects = effects_of(impact or kind, self.dialect)
        return Change(kind, thing, before, after, effects, confidence, self.table, otherwise)

    def renamed(self, kind: str, was: str, now: str, confidence: float) -> Change:
        """A rename is always a guess: no database remembers it."""
        noun = kind.removeprefix("rename_")
        drop, add = effects_of(f"drop_{noun}", self.dialect), effects_of(f"add_{noun}", self.dialect)
        effects = ", ".join(sorted({*drop, *add}))
        otherwise = f"drop_{noun} {was} and add_{noun} {now} ({effects})"
        return self.change(kind, was, was, now, confidence=confidence, otherwise=otherwise)


def safe(change: Change) -> Change:
    """What a database says is data: it reaches reviewers and agents cut, without characters that command or hide."""
    detail = None
    if change.before and change.after and max(len(change.before), len(change.after)) > _BODY:
        detail = body_diff(change.before, change.after)
    limit = _BODY if detail else LONGEST
    return replace(
        change,
        object=_short(change.object, LONGEST),
        before=_short(change.before, limit),
        after=_short(change.after, limit),
        table=_short(change.table, LONGEST),
        otherwise=_short(change.otherwise, LONGEST),
        detail=detail,
    )


def _short(text: Any, limit: int) -> Any:
    """Cut before it is cleaned: a comment of a megabyte is not walked through for its first line."""
    if text is None or len(text) <= limit:
        return text if text is None else clean(text)
    return f"{clean(text[:limit])}… ({len(text)} characters)"


def body_diff(before: str, after: str) -> str:
    """The lines that changed, with one line around them; cut, with the whole length told."""
    if max(len(before), len(after)) > _LONGEST_DETAIL * 50:
        return f"{len(before)} characters became {len(after)}; too long to compare line by line"
    old, new = (_lines(text) for text in (before, after))
    lines = list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]
    text = "\n".join(_short(line, LONGEST) for line in lines)
    return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}… ({len(text)} characters)"


def _lines(text: str) -> list[str]:
    """Lines, or the clauses of a text that has only one."""
    lines = text.strip("\n").split("\n")
    return lines if len(lines) > 1 else text.replace(", ", ",\n").split("\n")
