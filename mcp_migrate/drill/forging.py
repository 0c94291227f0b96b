"""What does a forger make of the entries? Who is careless leaves the hashes; who is thorough makes each again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from mcp_migrate.ledger import Head
from mcp_migrate.ledger.events import PURGED, hashed_bytes
from mcp_migrate.ledger.merkle import Frontier, leaf_hash
from mcp_migrate.ledger.scan import COLUMNS
from mcp_migrate.ledger.sidecar import begin_in

if TYPE_CHECKING:
    from mcp_migrate.drill.copies import Copy

Row = dict[str, Any]
Change = Callable[[list[Row]], list[Row]]
"""What becomes of the entries."""

_HASHED = COLUMNS[1:7]


def rows(copy: Copy, begin: int = 0) -> list[Row]:
    """The entries from `begin` on."""
    from mcp_migrate.ledger.queries import ALL, events

    with closing(copy.reach()) as connection:
        return [dict(row) for row in connection.execute(ALL.where(events.c.seq >= begin)).mappings()]


def careless(copy: Copy, change: Change, begin: int = 0) -> None:
    """Change the entries from `begin` on, numbered without a gap, and leave their hashes."""
    _put(copy, begin, [{**row, "seq": begin + n} for n, row in enumerate(change(rows(copy, begin)))])


def rewrite(copy: Copy, change: Change, begin: int = 0) -> Head:
    """Change the entries from `begin` on, and make every hash again that follows; the head that comes of it."""
    frontier = _frontier(copy, begin)
    made = list(_hashed(frontier, change(rows(copy, begin))))
    _put(copy, begin, made)
    root: bytes = made[-1]["root"] if made else frontier.root
    return Head(begin + len(made), root.hex())


def forge(copy: Copy, change: Change, begin: int = 0) -> Head:
    """As `rewrite`, and the head file too: nothing that lies with the ledger tells."""
    head = rewrite(copy, change, begin)
    if copy.head_file is not None:
        replace_head(copy, head)
    return head


def replace_head(copy: Copy, head: Head) -> None:
    """Put another head beside the copy, whatever was there."""
    from mcp_migrate.ledger.sidecar import put_in

    if copy.head_file is None:
        return
    copy.head_file.unlink(missing_ok=True)
    new = copy.head_file.with_suffix(".new")
    begin_in(copy.head_file, new)
    new.unlink()
    put_in(copy.head_file, head)


def _frontier(copy: Copy, size: int) -> Frontier:
    if not size:
        return Frontier()
    return Frontier.from_bytes(size, rows(copy, size - 1)[0]["frontier"])


def _hashed(frontier: Frontier, changed: list[Row]) -> Iterator[Row]:
    for row in changed:
        fields = {name: row[name] for name in _HASHED} | {"seq": frontier.size}
        leaf = row["leaf"] if row["kind"] == PURGED else leaf_hash(hashed_bytes(**fields))
        frontier = frontier.append(leaf)
        yield {**fields, "leaf": leaf, "root": frontier.root, "frontier": frontier.to_bytes()}


def _put(copy: Copy, begin: int, made: list[Row]) -> None:
    from mcp_migrate.ledger.queries import events

    with copy.disarmed() as connection:
        connection.execute(events.delete().where(events.c.seq >= begin))
        if made:
            connection.execute(events.insert(), made)
