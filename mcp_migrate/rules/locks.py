"""How strong is a lock, and whom does it keep waiting?

PostgreSQL: the table of conflicting lock modes in "Explicit Locking" of its manual, as seen by others on the same
table: reads take ACCESS SHARE, writes ROW EXCLUSIVE, and DDL at least SHARE UPDATE EXCLUSIVE.

SQLite: "File Locking And Concurrency". It locks no tables, only the file: WRITE is the one writer's lock (RESERVED),
which readers do not wait for until it commits; EXCLUSIVE FILE keeps everybody out while the file is written anew.
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
}
"""What others cannot do meanwhile, by lock mode, the weakest of each product first."""


def strongest(modes: Iterable[str | None]) -> str | None:
    """The lock that keeps the most others waiting; None where none is told."""
    order = list(BLOCKS)
    return max((mode for mode in modes if mode), key=order.index, default=None)
