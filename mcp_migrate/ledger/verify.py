"""Has anything in the ledger been changed, removed, inserted or reordered since it was written?

Every entry is hashed again, and every root computed again. What the file itself cannot show, a cut tail or a
log rewritten as a whole, shows only against heads known before: the head file's and those the caller trusts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger import sqlite
from mcp_migrate.ledger.events import Head, hashed_bytes
from mcp_migrate.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash
from mcp_migrate.ledger.sidecar import read_sidecar, sidecar_path
from mcp_migrate.ledger.trouble import is_damage, translated

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `seq` is the first entry that shows it, where it is about an entry."""

    seq: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `head` is that of the entries up to the first bad one."""

    head: Head
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings


def verify(ledger_url: str, *, trusted: Sequence[Head] = ()) -> Verification:
    """Check the whole ledger; nothing is changed and no file is made.

    Raises:
        ConfigInvalidError: the URL does not name an SQLite file.
        LedgerUnavailableError: it cannot be opened, or is not a ledger.
    """
    path = sqlite.locate(ledger_url)
    at_rest = sqlite.at_rest(path)
    result = _verify(path, trusted, "immutable" if at_rest else "ro")
    if at_rest and sqlite.at_rest(path) != at_rest:  # someone began to write while we read without locks
        return _verify(path, trusted, "ro")
    return result


def _verify(path: Path, trusted: Sequence[Head], mode: sqlite.Mode) -> Verification:
    # The head file is read first: entries that others append meanwhile must not make it look too new.
    beside, unreadable = _beside(path)
    witnesses = [
        *(("the head file", head) for head in beside),
        *(("a trusted head", head) for head in trusted),
    ]
    with closing(sqlite.connect(path, mode)) as connection, translated(path):
        log = _scan(connection, {head.size for _, head in witnesses})
        altered = [Finding(None, f"The file was altered: {what}.") for what in sqlite.changed_schema(connection)]
        damaged = _integrity(connection)
    cut = [found for name, head in witnesses if (found := _compare(name, head, log))]
    if not beside and not unreadable:
        missing = f"The head file {sidecar_path(path)} is missing: nothing shows whether the log's end was cut."
        cut.append(Finding(None, missing))
    first = [log.bad] if log.bad else []
    return Verification(
        Head(log.frontier.size, log.frontier.root.hex()), (*first, *unreadable, *cut, *altered, *damaged)
    )


@dataclass(frozen=True, slots=True)
class _Log:
    """What the entries say: the tree up to the first bad one, and the roots at the sizes asked for."""

    frontier: Frontier
    roots: Mapping[int, str]
    bad: Finding | None


def _beside(path: Path) -> tuple[list[Head], list[Finding]]:
    try:
        head = read_sidecar(path)
    except LedgerCorruptError as error:
        return [], [Finding(None, error.sentence)]
    except OSError as error:
        return [], [Finding(None, f"The head file cannot be read: {error}.")]
    return [head] if head else [], []


def _scan(connection: Connection, sizes: Collection[int]) -> _Log:
    from sqlalchemy.exc import DBAPIError

    from mcp_migrate.ledger.queries import ALL

    frontier, roots = Frontier(), {0: EMPTY_ROOT.hex()}
    try:
        for row in connection.execute(ALL):
            grown = _grow(frontier, row)
            if isinstance(grown, str):
                return _Log(frontier, roots, Finding(frontier.size, grown))
            frontier = grown
            if frontier.size in sizes:
                roots[frontier.size] = frontier.root.hex()
    except DBAPIError as error:
        if not is_damage(error.orig):
            raise
        return _Log(frontier, roots, Finding(frontier.size, f"It cannot be read: {error.orig}."))
    return _Log(frontier, roots, None)


def _grow(frontier: Frontier, row: Row[*tuple[Any, ...]]) -> Frontier | str:
    """The tree with this entry, or what is wrong with the entry."""
    seq, at, kind, workflow, call_id, subject, body, leaf, root, stored = row
    if seq != frontier.size:
        return f"It is missing: entry {seq} stands in its place."
    optional = all(value is None or isinstance(value, str) for value in (workflow, call_id, subject))
    if not optional or not all(isinstance(value, str) for value in (at, kind, body)):
        return "It was edited: a field is not text."
    expected = leaf_hash(
        hashed_bytes(seq=seq, at=at, kind=kind, body=body, workflow=workflow, call_id=call_id, subject=subject)
    )
    if leaf != expected:
        return "It was edited: its fields do not give its leaf hash."
    grown = frontier.append(expected)
    if root != grown.root:
        return "Its root does not follow from the entries up to it: one was edited, inserted, removed or moved."
    return grown if stored == grown.to_bytes() else "It was edited: its frontier is not that of the tree."


def _compare(name: str, head: Head, log: _Log) -> Finding | None:
    size = log.frontier.size
    if head.size > size:
        why = f"The log ends after {size} entries, and {name} knows {head.size}: its end was cut."
        return None if log.bad else Finding(size, why)
    if log.roots[head.size] != head.root.lower():
        return Finding(None, f"The first {head.size} entries are not those {name} vouches for.")
    return None


def _integrity(connection: Connection) -> list[Finding]:
    """Look-ups go by the indexes: one that leaves out an entry would hide a used approval."""
    from sqlalchemy.exc import DBAPIError

    try:
        report = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    except DBAPIError as error:
        if not is_damage(error.orig):
            raise
        report = str(error.orig)
    return [] if report == "ok" else [Finding(None, f"The file is damaged: {report}.")]
