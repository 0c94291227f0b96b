"""How does a ledger go to another database and stay the same tree?

The old one gets a last entry that says where it goes on, and takes nothing after it; that entry is copied with all the
others, so both have the same leaves and roots up to there. The new one begins with an entry that says where it comes
from. A move that was cut short is taken up again where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mcp_migrate.errors import ConfigInvalidError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger.events import Draft, Head
from mcp_migrate.ledger.kinds import Kind
from mcp_migrate.ledger.merkle import Frontier
from mcp_migrate.ledger.scan import COLUMNS, scan
from mcp_migrate.ledger.storage import Storage, open_storage
from mcp_migrate.ledger.store import Ledger
from mcp_migrate.ledger.verify import verify

_PAGE = 500
_HINT = "Run `mcp-migrate ledger verify` on both, and keep both."


def move(source_url: str, target_url: str, *, at: datetime) -> Head:
    """Have the ledger go on at `target_url`; the head that both have is the answer.

    Raises:
        ConfigInvalidError: both are one, or the target holds something else.
        LedgerCorruptError: the source does not verify, or what was copied does not.
        LedgerUnavailableError: one of them cannot be used, or the move was finished before.
    """
    _check_whole(source_url, ())
    source, target = (open_storage(url, create=url is target_url, remember=None) for url in (source_url, target_url))
    with Ledger(source) as old, Ledger(target) as new:
        _check_beginning(old, new)
        if not _is_last(old, Kind.LEDGER_MOVED):
            old.append(Draft(Kind.LEDGER_MOVED, {"to": new.place}), at=at)
        head = old.head()
        _copy(source, target, new.head().size)
        if new.head() != head:
            raise LedgerCorruptError(f"The ledger {new.place} is not what was copied to it.", hint=_HINT)
        _check_whole(target_url, (head,))
        new.append(Draft(Kind.LEDGER_CONTINUED, {"from": old.place, "size": head.size, "root": head.root}), at=at)
    return head


def _check_whole(url: str, trusted: Sequence[Head]) -> None:
    found = verify(url, trusted=trusted).findings
    if found:
        where = "" if found[0].seq is None else f"entry {found[0].seq}: "
        raise LedgerCorruptError(f"The ledger does not verify, so it is not moved: {where}{found[0].why}", hint=_HINT)


def _check_beginning(old: Ledger, new: Ledger) -> None:
    """What the target holds already has to be the beginning of the source: nothing is mixed, and nothing forked."""
    have, whole = new.head(), old.head()
    if old.place == new.place:
        raise ConfigInvalidError("Both names are of one ledger.", hint="Name another database to move it to.")
    if have.size > whole.size and new.root_at(whole.size) == whole.root:
        raise LedgerUnavailableError(
            f"The ledger {new.place} goes on from this one already.", hint="Set `ledger` in the configuration to it."
        )
    if have.size > whole.size or old.root_at(have.size) != have.root:
        raise ConfigInvalidError(
            f"The ledger {new.place} is another one: its {have.size} entries are not the beginning of this one.",
            hint="Move to an empty database, schema or file.",
        )


def _is_last(ledger: Ledger, kind: Kind) -> bool:
    size = ledger.head().size
    return any(event.kind == kind for event in ledger.read(since=size - 1, limit=1)) if size else False


def _copy(source: Storage, target: Storage, have: int) -> None:
    """Put each entry that is missing as it is, hashed again on the way."""
    from mcp_migrate.ledger import queries  # SQLAlchemy is there by now

    at = Frontier()
    while page := source.select(queries.rows(at.size, _PAGE)):
        checked = scan([_row(row) for row in page], at, ())
        if checked.bad:
            raise LedgerCorruptError(f"Entry {checked.bad.seq} was not copied: {checked.bad.why}", hint=_HINT)
        at = checked.frontier
        missing = [dict(row) for row in page if row["seq"] >= have]
        if missing:
            with target.turn():
                with target.writing():
                    target.put(missing, ())
                target.publish(Head(at.size, at.root.hex()))


def _row(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in COLUMNS)
