"""Which revisions does a project have, and which way is it from one to another?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mcp_migrate.errors import Action, RenderFailedError

_RELATIVE = re.compile(r"[+-][1-9][0-9]{0,3}")
_SHORTEST = 4
"""Characters of an abbreviated revision id, as in Alembic."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision file."""

    id: str
    down: tuple[str, ...]
    message: str
    path: Path


@dataclass(frozen=True)
class ProjectInfo:
    """What a project consists of. `revisions` come base first; `folders` hold the revision files."""

    heads: tuple[str, ...]
    revisions: tuple[Revision, ...]
    version_table: str
    folders: tuple[Path, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Revision]:
        return {revision.id: revision for revision in self.revisions}

    def head(self) -> str | None:
        """The one head; None in a project without revisions. Raises: RenderFailedError."""
        if len(self.heads) > 1:
            raise _cannot(
                f"The project has {len(self.heads)} heads: {', '.join(self.heads)}.",
                "Merge them with `alembic merge heads`, or name the revision to go to.",
                heads=list(self.heads),
            )
        return self.heads[0] if self.heads else None

    def resolve(self, to: str, current: str | None) -> str | None:
        """The revision that `to` means; None is base. Raises: RenderFailedError."""
        if to == "base":
            return None
        if to == "head":
            return self.head()
        if _RELATIVE.fullmatch(to):
            return self._walk(int(to), current)
        found = [to] if to in self.by_id else self._abbreviated(to)
        if len(found) != 1:
            raise _cannot(
                f"The project has {'no' if not found else 'more than one'} revision {to!r}.",
                f"Use head, base, +1, -1 or the id of a revision{self._like(to)}.",
                revision=to,
            ).then(Action.NONE)
        return found[0]

    def upgrades(self, current: str | None, to: str | None) -> bool:
        """Whether `to` lies ahead of `current`. Raises: RenderFailedError when it lies on another branch."""
        if current is None or (to is not None and current in self._behind(to)):
            return True
        if to is None or to in self._behind(current):
            return False
        raise _cannot(
            f"{to} is neither ahead of {current} nor behind it.",
            "Go to a revision of the same branch, or merge the branches.",
            revision=to,
        )

    def require(self, current: Iterable[str]) -> str | None:
        """The one revision a target is at. Raises: RenderFailedError when it is several, or not of this project."""
        rows = tuple(current)
        if len(rows) > 1:
            raise _cannot(
                f"The version table holds {len(rows)} rows: {', '.join(rows)}.",
                "One row is expected. Merge the branches, or have a person repair the version table.",
                revisions=list(rows),
            )
        if rows and rows[0] not in self.by_id:
            raise _cannot(
                f"The target is at revision {rows[0]}, which the project does not have.",
                "Get the revision file that is missing, or point the target at the right project.",
                revision=rows[0],
            )
        return rows[0] if rows else None

    def _like(self, name: str) -> str:
        """Those that may have been meant, or else the newest, for the end of a sentence."""
        meant = difflib.get_close_matches(name, self.by_id, n=3) or self.heads[:3]
        return f", as {', '.join(meant)}" if meant else ""

    def _abbreviated(self, to: str) -> list[str]:
        return [name for name in self.by_id if name.startswith(to)] if len(to) >= _SHORTEST else []

    def _walk(self, steps: int, current: str | None) -> str | None:
        for _ in range(abs(steps)):
            near = self._after(current) if steps > 0 else self._before(current)
            if len(near) != 1:
                raise _cannot(
                    f"{steps:+d} from {current or 'base'} is {'nothing' if not near else 'ambiguous'}.",
                    "Name the revision to go to."
                    if near
                    else f"Nothing comes {'after' if steps > 0 else 'before'} it.",
                    revision=current,
                ).then(Action.NONE)
            current = near[0]
        return current

    def _after(self, current: str | None) -> list[str | None]:
        return [r.id for r in self.revisions if (current in r.down if current else not r.down)]

    def _before(self, current: str | None) -> list[str | None]:
        return [] if current is None else list(self.by_id[current].down or (None,))

    def _behind(self, revision: str) -> set[str]:
        """`revision` and all its ancestors."""
        found: set[str] = set()
        stack = [revision]
        while stack:
            name = stack.pop()
            if name not in found and name in self.by_id:
                found.add(name)
                stack.extend(self.by_id[name].down)
        return found


def _cannot(sentence: str, hint: str, **details: object) -> RenderFailedError:
    return RenderFailedError(sentence, hint=hint, **details)


def agree(configured: str, used: str) -> None:
    """Hold the version table that `env.py` configures against the one that is read. Raises: RenderFailedError."""
    if configured != used:
        raise RenderFailedError(
            f"env.py configures the version table {configured}, the target is read with {used}.",
            hint="Configure one version table.",
        )
