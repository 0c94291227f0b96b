"""Where does an apply leave the ledger's head? Beside its mark: in our own database, or among the user's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_migrate.dialects.heads import newest, no_place, row
from mcp_migrate.drivers.mysql import driver, message, quote
from mcp_migrate.model import LeftHead, digest

if TYPE_CHECKING:
    from mcp_migrate.dialects.mysql.reader import MysqlReader

_SHAPE = (
    "(apply_id VARCHAR(80) PRIMARY KEY, size BIGINT NOT NULL, root CHAR(64) NOT NULL, place VARCHAR(80) NOT NULL) "
    "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
)


def heads(reader: MysqlReader) -> tuple[LeftHead, ...]:
    """Those of this database alone: others of the server have theirs in the same table."""
    found: list[LeftHead] = []
    for place in map(_beside, reader.places_for_marks()):
        if reader.there(*place):
            asked = newest(quote(*place), "place = %s")
            found += [LeftHead(*each) for each in reader.ask(asked, digest(reader.identity()))]
    return tuple(sorted(found, key=lambda head: -head.size))


def leave_head(reader: MysqlReader, head: LeftHead, marked: tuple[str, str]) -> None:
    """In the transaction that is open, beside its mark. Raises: StatementFailedError.

    The first time, making the table commits the mark that is there already, which says that nothing ran.
    """
    place = _beside(marked)
    try:
        if not reader.there(*place):
            reader.ask(f"CREATE TABLE IF NOT EXISTS {quote(*place)} {_SHAPE}")
            reader.ask("START TRANSACTION")
        said = row(head, digest(reader.identity()))
        reader.ask(f"REPLACE INTO {quote(*place)} VALUES (%s, %s, %s, %s)", *said)  # noqa: S608  quoted
    except driver().Error as error:
        raise no_place(message(error), "Grant its user ALL on mcp_migrate.*") from error


def _beside(marks: tuple[str, str]) -> tuple[str, str]:
    """The table beside one of marks, as it is called in either place."""
    return marks[0], marks[1].removesuffix("applies") + "heads"
