"""How strong is a lock, and whom does it keep waiting?

PostgreSQL: the table of conflicting lock modes in "Explicit Locking" of its manual, as seen by others on the same
table: reads take ACCESS SHARE, writes ROW EXCLUSIVE, and DDL at least SHARE UPDATE EXCLUSIVE.

SQLite: "File Locking And Concurrency". It locks no tables, only the file: WRITE is the one writer's lock (RESERVED),
which readers do not wait for until it commits; EXCLUSIVE FILE keeps everybody out while the file is written anew.
MySQL and MariaDB: "Online DDL Operations" of the manual. Rows are locked one by one; METADATA is held while reads and
writes go on; a TABLE COPY lets only reads go on; METADATA EXCLUSIVE lets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

_ALL = ("reads", "writes", "ddl")

BLOCKS: dict[str, tuple[str, ...]] = {
    "ACCESS SHARE": (),
    "ROW SHARE": (),
    "ROW EXCLUSIVE": ("ddl",),
    "SHARE UPDATE EXCLUSIVE": ("ddl",),
    "SHARE": ("writes", "ddl"),
    "SHARE ROW EXCLUSIVE": ("writes", "ddl"),
    "EXCLUSIVE": ("writes", "ddl"),
    "ACCESS EXCLUSIVE": _ALL,
    "WRITE": ("writes", "ddl"),
    "EXCLUSIVE FILE": _ALL,
    "ROW LOCKS": ("ddl",),
    "METADATA": ("ddl",),
    "TABLE COPY": ("writes", "ddl"),
    "METADATA EXCLUSIVE": _ALL,
}
"""What others cannot do meanwhile, by lock mode, the weakest of each product first."""


_STRENGTH = {mode: place for place, mode in enumerate(BLOCKS)}


def strongest(modes: Iterable[str | None]) -> str | None:
    """The lock that keeps the most others waiting; None where none is told."""
    return max((mode for mode in modes if mode), key=_STRENGTH.__getitem__, default=None)
