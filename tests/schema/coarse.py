"""Which object did a change touch, and was it added, altered or dropped? For tests of readers.

What exactly a change is called is tested where the diff is.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcp_migrate.schema import Change

_NOUNS = "aggregate column composite constraint domain enum function index policy rule sequence table trigger view"


def coarse(changes: Iterable[Change]) -> set[str]:
    """``add_``, ``drop_`` or ``alter_`` with the object; whatever is altered may also be dropped and added again."""
    found = set()
    for change in changes:
        found.add(f"{change.kind} {change.object}")
        if not change.kind.startswith(("add_", "drop_")) or change.kind.endswith(("_not_null", "_default", "_value")):
            owner = change.object.rpartition(".")[0] if change.kind.endswith("_value") else change.object
            names = {owner, change.before, change.after} if change.kind.startswith("rename_") else {owner}
            found |= {
                f"{verb}_{noun} {name}"
                for verb in ("add", "alter", "drop")
                for noun in _NOUNS.split()
                for name in names
            }
    return found
