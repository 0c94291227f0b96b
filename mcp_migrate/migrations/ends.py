"""Which ends of a way back may take back the part of a plan that ran, with the undo data that it kept?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mcp_migrate.dialects.settlement import only_keeps
from mcp_migrate.model import Plan, Statement

OURS = frozenset({"preserve", "restore"})
"""The kinds of statements that planning added."""
_NAME = re.compile(r"\w+")
_TRIES = 12
"""Ends of a way back that are tried, each on a scratch database of its own."""


def ends_of_way_back(begun: Plan, ran: Sequence[Statement]) -> Iterator[list[Statement]]:
    """Ends of the way back, the likeliest first: as many statements as ran of the revision that was not finished."""
    finished = {s.revision for s in ran if s.kind == "version" and not s.sql.lstrip().upper().startswith("CREATE")}
    reverse = [s for s in begun.reverse.statements if s.kind != "version" or s.revision in finished]
    back = [s for s in reverse if s.kind not in OURS]
    whole = sum(s.revision in finished for s in back)
    part = sum(s.kind == "change" and s.revision not in finished for s in ran)
    lengths = sorted(range(whole, len(back) + 1), key=lambda length: abs(length - whole - part))
    missing = _never_kept(begun, ran)
    for length in lengths[:_TRIES] if begun.reverse.available else ():
        end = back[len(back) - length :]
        yield [s for s in reverse if s in end or (s.kind in OURS and _can_run(s, missing))]


def _can_run(restoring: Statement, missing: set[str]) -> bool:
    """Whether all that it puts back is there; what only clears away may find nothing."""
    clears = restoring.sql.startswith("DROP TABLE IF EXISTS ")
    return clears or not missing & set(_NAME.findall(restoring.sql))


def _never_kept(begun: Plan, ran: Sequence[Statement]) -> set[str]:
    """The places of undo data for statements that did not run: what they would hold was not lost.

    What is parked is away as soon as it is moved.
    """
    undo = begun.undo
    lost: set[str] = set()
    aside = {name for kept in undo.parked for name in _NAME.findall(kept.place)} if undo else set()
    seen: list[str] = []
    for statement in ran:
        if statement.kind == "preserve":
            named = _NAME.findall(statement.sql)
            seen += named
            lost.update(() if only_keeps(statement) else aside & set(named))
        elif statement.kind == "change":
            lost.update(seen)
    places = {name for kept in undo.kept for name in _NAME.findall(kept.place)} if undo else set()
    return {each for name in places - lost for each in (name, f"{name}_new")}
