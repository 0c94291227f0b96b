"""Which locks does a session take, and which tables does it write anew? As the server itself tells.

Only tables that were there before are told: nobody waits for one that no one else can see yet. A lock ends with its
transaction, so a statement that ends its own is seen to hold none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_migrate.dialects.told import Observed

_TABLES = """
SELECT c.oid, n.nspname || '.' || c.relname, c.relfilenode FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('information_schema', 'mcp_migrate')
    AND n.nspname NOT LIKE 'pg\\_%'
"""
_LOCKS = """
SELECT l.relation, l.mode, c.relfilenode FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND l.granted
"""
MODES = {
    "AccessShareLock": "ACCESS SHARE",
    "RowShareLock": "ROW SHARE",
    "RowExclusiveLock": "ROW EXCLUSIVE",
    "ShareUpdateExclusiveLock": "SHARE UPDATE EXCLUSIVE",
    "ShareLock": "SHARE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE",
    "ExclusiveLock": "EXCLUSIVE",
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
}
"""From the weakest to the strongest, by the names of `pg_locks`."""
_STRENGTH = {mode: place for place, mode in enumerate(MODES)}


class Observer:
    """Tells, each time it is called, what happened since the call before."""

    def __init__(self, ask: Callable[[str], list[tuple[Any, ...]]]) -> None:
        self._ask = ask
        rows = ask(_TABLES)
        self._names: dict[int, str] = {number: name for number, name, _file in rows}
        self._files: dict[int, int] = {number: file for number, _name, file in rows}
        self._held: set[tuple[int, str]] = set()

    def __call__(self) -> Observed:
        rows = [row for row in self._ask(_LOCKS) if row[0] in self._names and row[1] in MODES]
        held = {(number, mode) for number, mode, _file in rows}
        taken = dict(sorted(held - self._held, key=lambda each: _STRENGTH[each[1]]))  # the strongest comes last
        moved = [
            (number, file) for number, _mode, file in dict.fromkeys(rows) if file not in {None, self._files[number]}
        ]
        self._held = held
        self._files.update(moved)
        return Observed(
            locks=tuple(sorted((self._names[number], MODES[mode]) for number, mode in taken.items())),
            rewrites=tuple(sorted({self._names[number] for number, _file in moved})),
        )
