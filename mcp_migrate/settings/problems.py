"""Where in the file is something wrong, and what was probably meant?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mcp_migrate.errors import ConfigInvalidError

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Counted from 1, as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold."""

    key: Key
    problem: str
    suggestion: str = ""


def nearest(word: str, known: Iterable[str]) -> str:
    """``Did you mean …?``, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {near[0]}?" if near else ""


def invalid(path: Path, problems: Sequence[Problem], positions: Mapping[Key, Position]) -> ConfigInvalidError:
    """All problems of one file as one error."""
    rows = [_row(path, problem, positions) for problem in problems]
    first = rows[0]
    return ConfigInvalidError(
        render([{**first, "suggestion": ""}]) + (f" (and {len(rows) - 1} more problems)" if len(rows) > 1 else ""),
        hint=first["suggestion"] or "`mcp-migrate config check` lists every problem.",
        problems=rows,
    )


def render(problems: Iterable[Mapping[str, Any]]) -> str:
    """One line for each problem: ``file:line:column: key: what; suggestion``."""
    return "\n".join(
        f"{p['file']}:{p['line']}:{p['column']}: {p['key']}: {p['problem']} {p['suggestion']}".rstrip()
        for p in problems
    )


def _row(path: Path, problem: Problem, positions: Mapping[Key, Position]) -> dict[str, Any]:
    return {
        "file": str(path),
        **asdict(_nearest_position(problem.key, positions)),
        "key": ".".join(map(str, problem.key)) or "(whole file)",
        "problem": problem.problem,
        "suggestion": problem.suggestion,
    }


def _nearest_position(key: Key, positions: Mapping[Key, Position]) -> Position:
    """Where the key stands; a key that is missing is where its parent stands."""
    for length in range(len(key), -1, -1):
        if key[:length] in positions:
            return positions[key[:length]]
    return Position(1, 1)
