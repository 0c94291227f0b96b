"""What of a recording belongs to the plan, and what makes us doubt that it is the whole truth?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mcp_migrate.migrations.info import ProjectInfo
from mcp_migrate.migrations.versions import VersionTexts
from mcp_migrate.model import Read, Statement


@dataclass(frozen=True, slots=True)
class Frozen:
    """A recording, sorted: the statements of the plan, the reads of user tables, and the doubts about them."""

    statements: tuple[Statement, ...]
    doubts: tuple[str, ...]
    reads: tuple[Read, ...] = ()


def freeze(
    recording: Mapping[str, Any], info: ProjectInfo, *, dialect_name: str, upgrade: bool, scratch_names: Sequence[str]
) -> Frozen:
    """Keep what changes something, in the order it was sent; drop what only read, and say so where rows were read."""
    kinds = _Kinds(VersionTexts(dialect_name, info), first=_first(recording), upgrade=upgrade)
    kept: list[Statement] = []
    doubts = list(recording["doubts"])
    reads: list[Read] = []
    for record in recording["statements"]:
        if record["reads"] is not None:
            reads.extend(_read(record, info.version_table, before=len(kept) + 1))
            continue
        statement = _statement(len(kept) + 1, record, kinds)
        doubts.extend(_leaks(statement, scratch_names))
        kept.append(statement)
    return Frozen(tuple(kept), tuple(dict.fromkeys(doubts)), tuple(reads))


@dataclass(frozen=True, slots=True)
class _Kinds:
    texts: VersionTexts
    first: str
    upgrade: bool

    def place(self, revision: str | None, sql: str) -> tuple[str, Literal["change", "version"]]:
        """The revision a statement belongs to, and whether it is Alembic moving its version table."""
        if revision is None:
            creates = sql in self.texts.creations()
            return (self.first, "version") if creates else ("env.py", "change")
        moves = sql in self.texts.of(revision, upgrade=self.upgrade)
        return revision, "version" if moves else "change"


def _first(recording: Mapping[str, Any]) -> str:
    return next((str(record["revision"]) for record in recording["statements"] if record["revision"]), "env.py")


def _statement(n: int, record: Mapping[str, Any], kinds: _Kinds) -> Statement:
    revision, kind = kinds.place(record["revision"], record["sql"])
    return Statement(
        n=n,
        revision=revision,
        sql=record["sql"],
        parameters=tuple(tuple(row) for row in record["parameters"]),
        transactional=record["transactional"],
        kind=kind,
    )


def _read(record: Mapping[str, Any], version_table: str, *, before: int) -> Iterator[Read]:
    """A read of user tables; the version table is ours to know."""
    plain = version_table.rpartition(".")[2]
    tables = tuple(table for table in record["reads"] if table.rpartition(".")[2] != plain)
    if tables:
        row = record["parameters"][0] if record["parameters"] else ()
        yield Read(before, record["revision"] or "env.py", record["sql"], tuple(row), tables, str(record["result"]))


def unheld(reads: Iterable[Read]) -> Iterator[str]:
    """The doubt about each read whose rows the scratch database did not have."""
    for read in reads:
        who = "env.py" if read.revision == "env.py" else f"revision {read.revision}"
        yield f"{who} read rows of {', '.join(read.tables)} while it was recorded: the plan may depend on data"


def _leaks(statement: Statement, names: Sequence[str]) -> Iterator[str]:
    """The doubt about a statement that names the scratch database, which the target is not."""
    if any(name in statement.sql for name in names):
        yield f"revision {statement.revision} wrote the name of the database it was recorded on into a statement"
