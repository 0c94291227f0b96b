"""Which text makes a column, key, table or view of MySQL or MariaDB again, from what was read of it?"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_migrate.drivers.mysql import quote
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Table

_KINDS = ("FULLTEXT", "SPATIAL")
"""Of an index, where others say by which method they work."""
ASKER = "security INVOKER"
"""What is read of a view that looks with the rights of whoever asks."""
_OPTIONS = {"engine": "ENGINE = {}", "collation": "COLLATE {}", "system": "WITH SYSTEM VERSIONING"}


def column_text(column: Column, place: str = "") -> str:
    """Its definition, and where it stands."""
    words = [quote(column.name), column.type]
    if column.collation:
        words.append(f"COLLATE {column.collation}")
    if column.generated:
        kind, _, expression = column.generated.partition(" ")
        words.append(f"GENERATED ALWAYS AS {expression} {kind}")
    elif not column.nullable:
        words.append("NOT NULL")
    elif column.type.startswith("timestamp"):  # by itself it takes none on older settings
        words.append("NULL")
    if column.default is not None:
        words.append(f"DEFAULT {column.default}")
    words += [column.identity] if column.identity else []
    words += column.options
    if column.comment:
        words.append(f"COMMENT {text(column.comment)}")
    return " ".join([*words, *([place] if place else [])])


def index_text(index: Index) -> str:
    """As a part of a table."""
    keys, _, method = index.definition.removeprefix(f"{index.name} ").partition(" USING ")
    kind = "UNIQUE " if index.unique else f"{method} " if method in _KINDS else ""
    using = f" USING {method}" if method and method not in _KINDS else ""
    comment = f" COMMENT {text(index.comment)}" if index.comment else ""
    return f"{kind}KEY {quote(index.name)} {keys}{using}{comment}"


def constraint_text(table: Table, constraint: Constraint) -> str:
    """As a part of a table; what it refers to is in the same database unless it says of another."""
    named = f"CONSTRAINT {quote(constraint.name)} " if constraint.name else ""
    if constraint.kind != "foreign_key" or constraint.refers_to is None:
        return f"{named}{constraint.definition}"
    place, _, listed = constraint.refers_to.rstrip(")").partition("(")
    parent = place.removeprefix(f"{table.schema}.") if place.startswith(f"{table.schema}.") else place
    there = ", ".join(quote(name) for name in listed.split(", "))
    ours, actions = ", ".join(map(quote, constraint.columns)), constraint.definition.rpartition(")")[2]
    return f"{named}FOREIGN KEY ({ours}) REFERENCES {quote(parent)} ({there}){actions}"


def table_text(table: Table) -> str:
    """All but its references, which have to wait until all tables are there."""
    parts = [
        *(column_text(column) for column in table.columns),
        *(constraint_text(table, each) for each in table.constraints if each.kind != "foreign_key"),
        *(index_text(index) for index in table.indexes),
    ]
    return " ".join([f"CREATE TABLE {quote(table.name)} ({', '.join(parts)})", *_options(table)])


def view_text(view: Other) -> str:
    """One that looks with the rights of whoever asks, and what may be written through it."""
    told = (option.removeprefix("check option ") for option in view.options if option != ASKER)
    check = "".join(f" WITH {which} CHECK OPTION" for which in told)
    return f"CREATE SQL SECURITY INVOKER VIEW {quote(view.name)} AS {view.definition}{check}"


def text(value: str) -> str:
    """A literal, whatever the session says of backslashes as long as there are none."""
    return "'" + value.replace("'", "''") + "'"


def _options(table: Table) -> Iterator[str]:
    """Those that can be told from what was read; partitions cannot."""
    for option in table.options:
        word, _, value = option.partition(" ")
        if "=" in option or word in _OPTIONS:
            yield _OPTIONS.get(word, option).format(value)
    if table.comment:
        yield f"COMMENT = {text(table.comment)}"
