"""What went wrong inside the project, in words that name the revision or file?"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

TOO_MUCH = "it is too much for one plan"
_LONGEST = 1_000


class RefusedError(Exception):
    """The project, or one `revision` of it, did something that cannot become frozen SQL."""

    def __init__(self, reason: str, *, revision: str | None = None) -> None:
        super().__init__(reason)
        self.revision = revision


def is_fatal(problem: BaseException) -> bool:
    """Whether the child itself has to end: somebody wants it gone."""
    return isinstance(problem, KeyboardInterrupt | GeneratorExit | MemoryError)


def failure(problem: BaseException, revision: str | None, folders: Sequence[Path]) -> Mapping[str, str | None]:
    """The JSON form of an exception: the revision under way, the place in the project, the reason."""
    if isinstance(problem, RefusedError):
        revision = problem.revision or revision
    else:
        print("".join(_told(problem, folders).format()), file=sys.stderr)  # noqa: T201  what the project prints
    return {"revision": revision, "file": _place(problem, folders), "reason": _reason(problem)}


def _told(problem: BaseException, folders: Sequence[Path]) -> traceback.TracebackException:
    """The way to what went wrong through the project's own files; all of it where it is in none of them."""
    told = traceback.TracebackException.from_exception(problem)
    return told if _shortened(told, folders) else traceback.TracebackException.from_exception(problem)


def _shortened(told: traceback.TracebackException, folders: Sequence[Path]) -> bool:
    """Leave the project's own files alone in it; whether there are any."""
    deeper = told.__cause__ or told.__context__
    if deeper is not None and not _shortened(deeper, folders):
        told.__cause__ = told.__context__ = None  # as a driver's below SQLAlchemy's, which repeats its words
    own = [frame for frame in told.stack if _inside(frame.filename, frame.lineno, folders)]
    if own:
        told.stack = traceback.StackSummary.from_list(own)
    return bool(own)


def _reason(problem: BaseException) -> str:
    if isinstance(problem, RefusedError):
        return str(problem)
    if isinstance(problem, SystemExit):
        return f"it ended the process ({problem.code})"
    words = str(getattr(problem, "orig", None) or problem).strip()
    return f"{type(problem).__name__}: {words}"[:_LONGEST].rstrip(": ")


def _place(problem: BaseException, folders: Sequence[Path]) -> str | None:
    """The innermost line inside the project's folders, as ``versions/0002_add.py, line 12``."""
    if isinstance(problem, SyntaxError) and problem.filename:
        return _inside(problem.filename, problem.lineno, folders)
    frames = traceback.extract_tb(problem.__traceback__)
    places = (_inside(frame.filename, frame.lineno, folders) for frame in reversed(frames))
    return next((place for place in places if place), None)


def _inside(filename: str, line: int | None, folders: Sequence[Path]) -> str | None:
    if filename.startswith("<"):
        return None  # no file: ``<string>``, ``<frozen os>``
    path = Path(filename).absolute()
    near = next((folder for folder in folders if path.is_relative_to(folder)), None)
    return f"{path.relative_to(near).as_posix()}, line {line}" if near else None
