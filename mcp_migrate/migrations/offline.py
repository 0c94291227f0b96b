"""Do the recording and Alembic's offline rendering agree?

The recording is the truth. A disagreement means that the revision does something else when nobody records it:
it swallows errors, or asks how it is being run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mcp_migrate.model import Statement

_SHOWN = 300
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"(BEGIN|COMMIT)( TRANSACTION)?")
_WORD = re.compile(r'[\w."\[\]`$]+')


def disagreements(
    statements: Sequence[Statement], rendered: Mapping[str, Sequence[str]], *, version_table: str
) -> Iterator[str]:
    """One doubt for each revision that renders something else than it was recorded with."""
    for revision, texts in rendered.items():
        recorded = [s for s in statements if s.revision == revision and s.kind == "change"]
        offline = [text for text in map(_normal, texts) if not _is_alembics_own(text, version_table)]
        found = _first_difference(recorded, offline)
        if found:
            online, other = found
            yield f"revision {revision} does not render as it runs: recorded {_cut(online)}, offline {_cut(other)}"


def _first_difference(recorded: Sequence[Statement], offline: Sequence[str]) -> tuple[str, str] | None:
    """The first pair that differs.

    A statement with parameters stands for all rendered statements in a row that begin alike: offline, each row of
    values is a statement of its own.
    """
    at = 0
    for n, statement in enumerate(recorded):
        other = offline[at] if at < len(offline) else "nothing"
        following = _normal(recorded[n + 1].sql) if n + 1 < len(recorded) else ""
        if not statement.parameters:
            if _normal(statement.sql) != other:
                return statement.sql, other
            at += 1
        elif _head(statement.sql) == _head(other):
            at = _past(offline, at, following)
        elif not _continues(recorded, n):
            return statement.sql, other
    return ("nothing", offline[at]) if at < len(offline) else None


def _past(offline: Sequence[str], at: int, following: str) -> int:
    head = _head(offline[at])
    while at < len(offline) and _head(offline[at]) == head and offline[at] != following:
        at += 1
    return at


def _continues(recorded: Sequence[Statement], n: int) -> bool:
    """Whether the statement goes on where the one before it, with parameters as well, left off."""
    before = recorded[n - 1] if n else None
    return bool(before and before.parameters and _head(before.sql) == _head(recorded[n].sql))


def _normal(sql: str) -> str:
    return _SPACE.sub(" ", sql).strip().rstrip(";").rstrip()


def _head(sql: str) -> str:
    """The first keywords and the table."""
    words = [word.strip('"`[]').lower() for word in _WORD.findall(sql)[:3]]
    return " ".join(words[:2] if words[:1] == ["update"] else words)


def _is_alembics_own(text: str, version_table: str) -> bool:
    """Its comments, transaction control and the movement of the version table."""
    if not text or text.startswith("-- Running ") or _CONTROL.fullmatch(text):
        return True
    name = version_table.rpartition(".")[2]
    moves = re.match(r"(INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE) (\S+)", text)
    return bool(moves and moves[2].replace('"', "").rpartition(".")[2] == name)


def _cut(sql: str) -> str:
    text = _normal(sql)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
