"""Has anything in the ledger been changed, removed, inserted or reordered since it was written?

Every entry is hashed again, and every root computed again. What the file itself cannot show, a cut tail or a
log rewritten as a whole, shows only against heads known before: the head file's and those the caller trusts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger import sqlite
from mcp_migrate.ledger.events import Event, Head
from mcp_migrate.ledger.merkle import EMPTY_ROOT, Frontier
from mcp_migrate.ledger.scan import COLUMNS, Finding, Scan, UnreadableError, scan
from mcp_migrate.ledger.sidecar import read_sidecar, sidecar_path
from mcp_migrate.ledger.trouble import is_damage, translated

__all__ = ["Finding", "Inside", "Known", "Verification", "verify"]

_FROM = "WHERE seq >= ? OR seq < 0"


@dataclass(frozen=True, slots=True)
class Known:
    """A head that somebody outside of the log vouches for: as the message names them."""

    by: str
    head: Head


@dataclass(frozen=True, slots=True)
class Inside:
    """Which entries vouch for heads themselves, and how: what was signed stands on the record too."""

    kinds: frozenset[str] = frozenset()
    known: Callable[[Sequence[Event]], Sequence[Known]] = lambda _events: ()


_NOTHING = Inside()


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `head` is that of the entries up to the first bad one; `agreed` are the heads that fit."""

    head: Head
    findings: tuple[Finding, ...]
    agreed: tuple[Known, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class _Asked:
    trusted: Sequence[Head]
    known: Sequence[Known]
    since: Head | None
    inside: Inside


def verify(
    ledger_url: str,
    *,
    trusted: Sequence[Head] = (),
    known: Sequence[Known] = (),
    since: Head | None = None,
    inside: Inside = _NOTHING,
) -> Verification:
    """Check the whole ledger, or the entries from `since` on; nothing is changed and no file is made.

    `since` is trusted to be a head of this log; what is stored beside its last entry has to give its root.

    Raises:
        ConfigInvalidError: the URL does not name an SQLite file.
        LedgerUnavailableError: it cannot be opened, or is not a ledger.
    """
    path, asked = sqlite.locate(ledger_url), _Asked(trusted, known, since, inside)
    at_rest = sqlite.at_rest(path)
    found = _verify(path, asked, "immutable" if at_rest else "ro")
    if at_rest and sqlite.at_rest(path) != at_rest:  # someone began to write while we read without locks
        return _verify(path, asked, "ro")
    return found


def _verify(path: Path, asked: _Asked, mode: sqlite.Mode) -> Verification:
    # The head file is read first: entries that others append meanwhile must not make it look too new.
    beside, unreadable = _beside(path)
    heads = [
        *(Known("the head file", head) for head in beside),
        *(Known("a trusted head", head) for head in asked.trusted),
        *asked.known,
    ]
    # SQLite looks through its own pages beside us: together these take as long as the longer of the two.
    with ThreadPoolExecutor(1) as aside, closing(sqlite.connect(path, mode)) as connection, translated(path):
        looking = aside.submit(_integrity, path, mode)
        driver = sqlite.driver(connection)
        log = _scan(driver, asked, {each.head.size for each in heads})
        heads += asked.inside.known([_event(row) for row in log.collected])
        roots = {**_roots(driver, {each.head.size for each in heads}, log.frontier.size), **log.roots}
        altered = [Finding(None, f"The file was altered: {what}.") for what in sqlite.changed_schema(connection)]
        damaged = looking.result()
    looked_at = [each for each in heads if asked.since is None or each.head.size >= asked.since.size]
    agreed = tuple(each for each in looked_at if roots.get(each.head.size) == each.head.root.lower())
    cut = list(_disagreeing(looked_at, agreed, log))
    if not beside and not unreadable:
        gone = f"The head file {sidecar_path(path)} is missing: nothing shows whether the log's end was cut."
        cut.append(Finding(None, gone))
    first = [log.bad] if log.bad else []
    head = Head(log.frontier.size, log.frontier.root.hex())
    return Verification(head, (*first, *unreadable, *cut, *altered, *damaged), agreed)


def _beside(path: Path) -> tuple[list[Head], list[Finding]]:
    try:
        head = read_sidecar(path)
    except LedgerCorruptError as error:
        return [], [Finding(None, error.sentence)]
    except OSError as error:
        return [], [Finding(None, f"The head file cannot be read: {error}.")]
    return [head] if head else [], []


def _scan(driver: sqlite3.Connection, asked: _Asked, sizes: Collection[int]) -> Scan:
    begin, since = Frontier(), asked.since
    if since is not None and since.size:
        held = _stored(driver, since.size)
        if held is None or held.root.hex() != since.root:
            why = f"The first {since.size} entries are not those to begin after."
            return Scan(begin, {}, Finding(None, why))
        begin = held
    return scan(_rows(driver, begin.size), begin, sizes, asked.inside.kinds)


def _rows(driver: sqlite3.Connection, begin: int) -> Iterator[Sequence[Any]]:
    try:
        yield from driver.execute(f"SELECT {', '.join(COLUMNS)} FROM events {_FROM} ORDER BY seq", [begin])  # noqa: S608  no value is in it
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        raise UnreadableError(str(error)) from error


def _stored(driver: sqlite3.Connection, size: int) -> Frontier | None:
    """The frontier that is stored after `size` entries, whatever it is worth."""
    row = driver.execute("SELECT frontier FROM events WHERE seq = ?", [size - 1]).fetchone()
    try:
        return Frontier.from_bytes(size, row[0] if row and isinstance(row[0], bytes) else b"")
    except ValueError:
        return None


def _roots(driver: sqlite3.Connection, sizes: Collection[int], largest: int) -> dict[int, str]:
    """The roots after so many entries, of the part of the log that was found good."""
    found = {0: EMPTY_ROOT.hex()}
    for size in sizes:
        if 0 < size <= largest:
            row = driver.execute("SELECT root FROM events WHERE seq = ?", [size - 1]).fetchone()
            found[size] = bytes(row[0]).hex() if row else ""
    return found


def _event(row: Sequence[Any]) -> Event:
    seq, at, kind, workflow, call_id, subject, body, leaf, root, _ = row
    return Event(seq, at, kind, json.loads(body), workflow, call_id, subject, leaf, root)


def _disagreeing(heads: Sequence[Known], agreed: Sequence[Known], log: Scan) -> Iterator[Finding]:
    """Where the log is not what others know of it, with the first entry that can be the bad one."""
    size = log.frontier.size
    for each in heads:
        if each.head.size > size and not log.bad:
            yield Finding(size, _cut(each, size))
        elif each.head.size <= size and each not in agreed:
            still = max((good.head.size for good in agreed if good.head.size < each.head.size), default=0)
            good = f" The first {still} still fit what others know." if still else ""
            yield Finding(still, f"The first {each.head.size} entries are not those {each.by} vouches for.{good}")


def _cut(known: Known, size: int) -> str:
    return f"The log ends after {size} entries, and {known.by} knows {known.head.size}: its end was cut."


def _integrity(path: Path, mode: sqlite.Mode) -> list[Finding]:
    """Look-ups go by the indexes: one that leaves out an entry would hide a used approval."""
    from sqlalchemy.exc import DBAPIError

    try:
        with closing(sqlite.connect(path, mode)) as connection:
            report = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    except DBAPIError as error:
        if not is_damage(error.orig):
            raise
        report = str(error.orig)
    return [] if report == "ok" else [Finding(None, f"The file is damaged: {report}.")]
