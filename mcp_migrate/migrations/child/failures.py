"""What went wrong inside the project, in words that name the revision or file?"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path

_LONGEST = 1_000


class RefusedError(Exception):
    """The project did something that cannot become frozen SQL."""


def is_fatal(problem: BaseException) -> bool:
    """Whether the child itself has to end: somebody wants it gone."""
    return isinstance(problem, KeyboardInterrupt | GeneratorExit | MemoryError)


def failure(problem: BaseException, revision: str | None, folder: Path | None) -> Mapping[str, str | None]:
    """The JSON form of an exception: the revision under way, the place in the project, the reason."""
    traceback.print_exception(problem)
    return {"revision": revision, "file": _place(problem, folder), "reason": _reason(problem)}


def _reason(problem: BaseException) -> str:
    if isinstance(problem, RefusedError):
        return str(problem)
    if isinstance(problem, SystemExit):
        return f"it ended the process ({problem.code})"
    words = str(getattr(problem, "orig", None) or problem).strip()
    return f"{type(problem).__name__}: {words}"[:_LONGEST].rstrip(": ")


def _place(problem: BaseException, folder: Path | None) -> str | None:
    """The innermost line inside the project's folder, as ``versions/0002_add.py, line 12``."""
    if folder is None:
        return None
    if isinstance(problem, SyntaxError) and problem.filename:
        return _inside(problem.filename, problem.lineno, folder)
    frames = traceback.extract_tb(problem.__traceback__)
    places = (_inside(frame.filename, frame.lineno, folder) for frame in reversed(frames))
    return next((place for place in places if place), None)


def _inside(filename: str, line: int | None, folder: Path) -> str | None:
    path = Path(filename)
    return f"{path.relative_to(folder)}, line {line}" if path.is_relative_to(folder) else None
