"""What is a schema? Values only; nothing here reads anything.

Every field counts for the fingerprint unless it says otherwise, and defaults at the end count as nothing: so a new
field, which goes last, is compared from its first day, and leaves the fingerprints of schemas that do not use it as
they were.

Who owns what and who may do what is part of it. `grants` tell only what differs from what an owner has by itself, with
the owner called OWNER and everyone called PUBLIC; `owner` is None for the roles that everything belongs to anyway: the
owner of the database, and that of Alembic's version table, who ran the migrations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

NOT_COUNTED = MappingProxyType({"counted": False})
"""For a field that keeps the text of the database as it was written: spelling is no difference."""

ConstraintKind = Literal["primary_key", "foreign_key", "unique", "check", "exclusion"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `type`, `default` and `generated` are the database's own normalised text.

    `options` are what else was set: storage, statistics, how the sequence it owns counts; their order is nothing.
    """

    name: str
    type: str
    nullable: bool
    default: str | None = None
    identity: str | None = None
    generated: str | None = None
    collation: str | None = None
    comment: str | None = None
    options: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table. `definition` is its whole normalised text; `name` is None where it was generated.

    `options` are those of the index that it made, or of its triggers.
    """

    kind: ConstraintKind
    name: str | None
    columns: tuple[str, ...]
    definition: str
    refers_to: str | None = None
    options: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `definition` says method, keys, order, included columns and predicate in normalised text.

    `text` is what made it, where the database keeps that; it is not fingerprinted.
    """

    name: str
    definition: str
    unique: bool = False
    valid: bool = True
    text: str | None = field(default=None, metadata=NOT_COUNTED)
    options: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `definition` is the text that made it, where the database keeps it; it is not fingerprinted."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    kind: str = "table"
    options: tuple[str, ...] = ()
    comment: str | None = None
    definition: str | None = field(default=None, metadata=NOT_COUNTED)
    owner: str | None = None
    grants: tuple[str, ...] = ()

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column | None:
        """The column with this name."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Other:
    """Whatever is no table: a view, sequence, enum, domain, function, trigger, policy, rule, extension.

    `schema` is empty for what belongs to the whole database. `columns` are those of a view or a composite type.

    `text` is what made it, where the database keeps that; it is not fingerprinted.
    """

    kind: str
    schema: str
    name: str
    definition: str
    table: str | None = None
    text: str | None = field(default=None, metadata=NOT_COUNTED)
    columns: tuple[Column, ...] = ()
    options: tuple[str, ...] = ()
    comment: str | None = None
    owner: str | None = None
    grants: tuple[str, ...] = ()

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything in one database that is not the system's, an extension's, Alembic's or ours.

    `unseen` says, a line each, what the role that read may not see; it is no part of the schema.
    """

    dialect: str
    tables: tuple[Table, ...] = ()
    others: tuple[Other, ...] = ()
    unseen: tuple[str, ...] = field(default=(), metadata=NOT_COUNTED)

    def table(self, qualified: str) -> Table | None:
        """The table ``schema.name``."""
        return next((table for table in self.tables if table.qualified == qualified), None)
