"""In which ways can a ledger be tampered with? Each alteration is one way, done to a copy.

*Careless* ones leave traces in the ledger itself. *Thorough* ones leave none: whoever does them has full write access,
knows how entries are hashed and makes all of it again, but has no key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mcp_migrate.drill.copies import FileCopy, SchemaCopy
from mcp_migrate.drill.forging import Change, Row, careless, forge, replace_head, rewrite
from mcp_migrate.ledger import Head, Kind
from mcp_migrate.ledger.scan import COLUMNS, NOTHING_LEFT
from mcp_migrate.model import canonical

if TYPE_CHECKING:
    from mcp_migrate.drill.copies import Copy

_SOME = 1000
"""Entries of a log that is made anew: as many as can be held at once."""
_LIE = '{"drill":1}'
_SAYS = COLUMNS[1:7]
"""What an entry says, without its number and its hashes."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a copy is altered: at an entry of so many, and at the last decision whose signature holds."""

    at: int
    size: int
    decision: int | None


class Found(StrEnum):
    """Who finds an alteration: whoever has the ledger, whoever knows a head of it, or only people outside."""

    INSIDE = "inside"
    SIGNED = "signed"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Alteration:
    """One way, and who is said to find it.

    `first` is the first bad entry of a spot: what is known of a head that is no larger cannot tell.
    """

    name: str
    do: Callable[[Copy, Spot], object]
    found: Found = Found.INSIDE
    first: Callable[[Spot], int | None] = lambda spot: spot.at


def edited(**columns: Any) -> Change:
    """The first entry, with other columns."""
    return lambda rows: [{**rows[0], **columns}, *rows[1:]]


def inserted(rows: list[Row]) -> list[Row]:
    """Before the first entry there is one that never was."""
    return [_lie(rows[0]), *rows]


def swapped(rows: list[Row]) -> list[Row]:
    """The first two entries, the other way round; of two that say the same, one says something else."""
    first, second = rows[:2]
    same = all(first[name] == second[name] for name in _SAYS)
    return [second, _lie(first) if same else first, *rows[2:]]


def forked(rows: list[Row]) -> list[Row]:
    """From here on, another history of the same length."""
    return [_lie(row) for row in rows]


def emptied(rows: list[Row]) -> list[Row]:
    """What the first entry says is gone, as if it had been purged; its hashes are there."""
    return [{**rows[0], **dict(zip(_SAYS, NOTHING_LEFT, strict=True))}, *rows[1:]]


def _lie(row: Row) -> Row:
    return {**row, "kind": Kind.CALL_RECEIVED.value, "subject": None, "body": _LIE}


_CHANGES: Mapping[str, Change] = {
    "what an entry says is edited": edited(body=_LIE),
    "the workflow that an entry is about is edited": edited(workflow="somebody-else"),
    "the time of an entry is edited": edited(at="2020-01-01T00:00:00.000000+00:00"),
    "an entry is deleted": lambda rows: rows[1:],
    "an entry is inserted": inserted,
    "two entries change places": swapped,
}


def alterations(copy: Copy, spot: Spot) -> Iterator[Alteration]:
    """All that can be done to this copy."""
    for name, change in _CHANGES.items():
        yield Alteration(name, _with(careless, change))
    yield Alteration(
        "the last entry is cut off", lambda copy, spot: careless(copy, _nothing, spot.size - 1), first=_end
    )
    yield Alteration("an entry is emptied, and nothing says that it was purged", _with(careless, emptied))
    yield Alteration("the log is made anew, its known head is not", _made_anew(rewrite), first=_beginning)
    yield Alteration("the triggers are dropped", _disarmed, first=_nowhere)
    yield Alteration("an index is dropped", _index_dropped, first=_nowhere)
    if isinstance(copy, FileCopy):
        yield Alteration("an index hides an entry", _hidden, first=_nowhere)
        yield Alteration("the head file is of another log", _head_replaced, first=_nowhere)
        yield Alteration("the head file is removed", _head_removed, first=_nowhere)
    if spot.decision is not None:
        yield Alteration(
            "the signature of a decision is edited, all is hashed again", _decided(_resigned), first=_decision
        )
        yield Alteration("a yes is turned into a no, all is hashed again", _decided(_turned), first=_decision)
    for name, change in _CHANGES.items():
        yield Alteration(f"{name}, all is hashed again", _with(forge, change), Found.SIGNED)
    yield Alteration("an old backup is put back", _with(forge, lambda _rows: []), Found.OUTSIDE)
    yield Alteration("the log goes on differently from an entry on", _with(forge, forked), Found.OUTSIDE)
    yield Alteration("the whole log is made anew", _made_anew(forge), Found.OUTSIDE, _beginning)
    yield Alteration("the last entry is edited, all is hashed again", _last_edited, Found.OUTSIDE, _end)


def _beginning(_spot: Spot) -> int:
    return 0


def _end(spot: Spot) -> int:
    return spot.size - 1


def _nowhere(_spot: Spot) -> None:
    return None


def _decision(spot: Spot) -> int | None:
    return spot.decision


def _nothing(_rows: list[Row]) -> list[Row]:
    return []


def _with(forger: Callable[[Copy, Change, int], object], change: Change) -> Callable[[Copy, Spot], object]:
    return lambda copy, spot: forger(copy, change, spot.at)


def _made_anew(forger: Callable[[Copy, Change, int], object]) -> Callable[[Copy, Spot], object]:
    return lambda copy, _spot: forger(copy, lambda rows: forked(rows[:_SOME]), 0)


def _last_edited(copy: Copy, spot: Spot) -> None:
    forge(copy, edited(body=_LIE), spot.size - 1)


def _disarmed(copy: Copy, _spot: Spot) -> None:
    with copy.disarmed(for_good=True):
        pass


def _index_dropped(copy: Copy, _spot: Spot) -> None:
    where = f"{copy.schema}." if isinstance(copy, SchemaCopy) else ""
    with closing(copy.reach()) as connection:
        connection.exec_driver_sql(f"DROP INDEX {where}events_by_subject")


def _hidden(copy: Copy, spot: Spot) -> None:
    if isinstance(copy, FileCopy):
        copy.hide("events_by_kind", spot.size - 1)


def _head_replaced(copy: Copy, spot: Spot) -> None:
    replace_head(copy, Head(spot.size, "00" * 32))


def _head_removed(copy: Copy, _spot: Spot) -> None:
    if copy.head_file is not None:
        copy.head_file.unlink()


def _decided(change: Callable[[Any], Any]) -> Callable[[Copy, Spot], object]:
    """A decision says something else, and nothing but its signature can tell."""

    def turned(rows: list[Row]) -> list[Row]:
        return edited(body=canonical(change(json.loads(rows[0]["body"]))).decode())(rows)

    return lambda copy, spot: forge(copy, turned, spot.decision or 0)


def _turned(body: Any) -> Any:
    said = body["statement"]
    return {**body, "statement": {**said, "decision": "deny" if said["decision"] == "approve" else "approve"}}


def _resigned(body: Any) -> Any:
    key = "signature" if isinstance(body.get("signature"), str) else "passkey"
    return {**body, key: _garbled(body[key])}


def _garbled(value: Any) -> Any:
    """One character in the middle is another; of a passkey's assertion, in the longest of its texts."""
    if not isinstance(value, str):
        longest = max((key for key in value if isinstance(value[key], str)), key=lambda key: len(value[key]))
        return {**value, longest: _garbled(value[longest])}
    middle = next(n for n in range(len(value) // 2, len(value)) if value[n].isalnum())
    return value[:middle] + ("B" if value[middle] == "A" else "A") + value[middle + 1 :]
