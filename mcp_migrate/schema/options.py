"""What changed among the options of a table?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from mcp_migrate.schema.changes import Change, Place
from mcp_migrate.schema.columns import only
from mcp_migrate.schema.renames import Names, follows

_WORDS = {
    "row security": "change_row_security",
    "forced row security": "change_row_security",
    "partition": "change_partition",
    "child of": "change_partition",
}
"""The kind of change for options that begin with these words; the others are about storage."""


def option_changes(place: Place, where: str, old: Sequence[str], new: Sequence[str], names: Names) -> Iterator[Change]:
    """One change for each kind of option; their order is nothing."""
    before, after = _grouped(old), _grouped(new)
    for kind in sorted(before.keys() | after.keys()):
        was, now = only(tuple(before.get(kind, ())), tuple(after.get(kind, ())))
        if was != now and not follows(was, now, names):
            yield place.change(kind, where, was, now)


def _grouped(options: Sequence[str]) -> dict[str, list[str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for option in options:
        words = next((words for words in _WORDS if option.startswith(words)), "")
        groups[_WORDS.get(words, "change_storage")].append(option)
    return groups
