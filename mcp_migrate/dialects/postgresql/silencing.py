"""How do values come back into a table without its triggers acting on that?

What they did when the values were first written is in the rows already, here and elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_migrate.dialects.keeper import above
from mcp_migrate.dialects.postgresql.reader import quoted
from mcp_migrate.schema.model import Other, Schema, Table

_ACTING = frozenset({"trigger", "rule"})
_AGAIN = {"O": "ENABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}
"""By the letter that the catalog has of each: one that is switched off (``D``) stays so."""


def silenced(table: Table, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]] | str:
    """What switches the triggers of a table off, and each back to what it is now; or why not."""
    acting = [other for other in schema.others if other.kind in _ACTING and other.table is not None]
    awake = [other for other in acting if other.table == table.qualified and _state(other) in _AGAIN]
    if any(other.kind == "rule" for other in awake):
        return f"a rule of {table.qualified} would act when its values are put back"
    if any(table.qualified in above(schema, str(other.table)) for other in acting):
        return f"triggers of the partitions or children of {table.qualified} would act when its values are put back"
    if not awake:
        return (), ()
    if any("DEFERRABLE" in constraint.definition for constraint in table.constraints):
        return f"triggers of {table.qualified} cannot be switched off while a deferred constraint waits"
    name = quoted(table.schema, table.name)
    return (f"ALTER TABLE {name} {', '.join(_off(awake))}",), (f"ALTER TABLE {name} {', '.join(_on(awake))}",)


def _off(triggers: list[Other]) -> Iterator[str]:
    return (f"DISABLE TRIGGER {quoted(trigger.name)}" for trigger in triggers)


def _on(triggers: list[Other]) -> Iterator[str]:
    return (f"{_AGAIN[_state(trigger)]} {quoted(trigger.name)}" for trigger in triggers)


def _state(other: Other) -> str:
    """Whether and when it acts: the last letter of what the reader tells of it."""
    return other.definition[-1:]
