"""Which table does a name mean, and what is known of it?

A name without a database is in the database of the connection: the one whose tables the schema holds. Where there is
no schema, or its tables are in none or several databases, it is ``?``, which no narrow scope covers.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.mysql.cursor import Name
from mcp_migrate.rules.mysql.row_rules import SYSTEM
from mcp_migrate.schema.model import Schema, Table

_SYSTEM = frozenset({"mysql", "sys", "performance_schema", "information_schema", "mcp_migrate"})
_OURS = "_mcp_migrate"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan runs."""

    context: Context
    default: str

    @classmethod
    def of(cls, schema: Schema | None) -> Place:
        names = {table.schema for table in schema.tables} if schema else set()
        return cls(Context.of(schema), names.pop() if len(names) == 1 else "?")

    def full(self, name: Name, *column: str) -> str:
        """``database.table[.column]``."""
        return ".".join((name[0] or self.default, name[1], *column))

    def made(self, name: Name, kind: str = "table") -> bool:
        return self.context.made.has(kind, self._key(name))

    def make(self, name: Name, kind: str = "table") -> None:
        self.context.made.add(kind, self._key(name))

    def forget(self) -> None:
        """A name now means something else, perhaps in another spelling: nothing is known to be new any more."""
        self.context.made.clear()

    def unmake(self, name: Name, kind: str = "table") -> None:
        self.context.made.forget(kind, name[1])

    def table(self, name: Name) -> Table | None:
        """The table of the schema, spelt exactly so."""
        return self.context.table(self.full(name))

    def online(self, name: Name) -> bool:
        """Whether the table is known and can be written again while writes go on: a FULLTEXT index prevents it."""
        known = self.table(name)
        return known is not None and not any(
            "FULLTEXT" in (i.definition + (i.text or "")).upper() for i in known.indexes
        )

    def collation(self, table: Table) -> str:
        """What a column of the table is compared by that says nothing of it; empty where nobody knows."""
        own = next((o.removeprefix("collation ") for o in table.options if o.startswith("collation ")), "")
        others = self.context.schema.others if self.context.schema else ()
        whole = (
            o.definition.removeprefix("collation ") for o in others if o.kind == "database" and o.name == table.schema
        )
        return own or next(whole, "")

    def hidden(self, name: Name) -> bool:
        """Whether something may already have this name, however it is spelt."""
        return self.context.schema is None or any(
            known.casefold() == name[1].casefold() for known in self.context.names
        )

    def surprises(self, name: Name) -> list[Finding]:
        """What else may happen when rows of this table change."""
        where = self.full(name)
        if is_system(name):
            return [found(SYSTEM, where)]
        if self.made(name):
            return []
        if self.context.schema is None:
            return [unknown(f"whether {where} has triggers is not known", where)]
        if where in self.context.active:
            return [unknown(f"{where} has triggers that are not looked into", where)]
        if self.table(name) is None:
            return [unknown(f"{where} is not a plain table of the schema", where)]
        return []

    def odd(self, name: Name) -> list[Finding]:
        """What is wrong with changing a table of the server itself."""
        return [found(SYSTEM, self.full(name))] if is_system(name) else []

    def _key(self, name: Name) -> Name:
        return (name[0] or self.default, name[1])


def is_system(name: Name) -> bool:
    """Whether it belongs to the database server, or to us: what is kept there is no plan's to touch."""
    return name[0].lower() in _SYSTEM or name[1].lower().startswith(_OURS)
