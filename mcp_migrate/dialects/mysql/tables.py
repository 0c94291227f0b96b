"""What is each table of a MySQL or MariaDB database? Put together from rows of the information schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mcp_migrate.schema.model import Column, Constraint, Index, Table

Rows = Sequence[tuple[Any, ...]]
_SAID_ELSEWHERE = frozenset({"", "auto_increment"})
_GENERATED = ("virtual generated", "stored generated", "persistent generated")
_SILENT = frozenset({"RESTRICT", "NO ACTION"})
"""What happens without a word; both mean the same to these servers."""


def table(
    named: Callable[[str], str], collation: str, row: tuple[Any, ...], parts: Mapping[str, Mapping[Any, Rows]]
) -> Table:
    """One table. `named` says what a database is called, `collation` is that of the database."""
    name, kind, engine, own, options, comment = row
    keys = list(_keys(parts["indexes"].get(name, ())))
    return Table(
        schema=named(""),
        name=name,
        columns=tuple(column(each, own) for each in parts["columns"].get(name, ())),
        constraints=(
            *(key for key in keys if isinstance(key, Constraint)),
            *_references(named, parts["references"].get(name, ())),
            *(_check(*each) for each in parts["checks"].get(name, ())),
        ),
        indexes=tuple(key for key in keys if isinstance(key, Index)),
        options=(
            *([f"engine {engine}"] if engine != "InnoDB" else []),
            *([f"collation {own}"] if own != collation else []),
            *(["system versioned"] if kind == "SYSTEM VERSIONED" else []),
            *sorted(word for word in str(options or "").split() if word != "partitioned"),
            *_partitions(parts["partitions"].get(name, ())),
        ),
        comment=comment or None,
    )


def column(row: tuple[Any, ...], collation: str | None) -> Column:
    """One column; its collation is told where it is not that of the table."""
    name, kind, nullable, default, extra, expression, own, comment = row
    words = [word.strip() for word in _extra(str(extra or "")).split(",")]
    generated = next((word for word in words if word in _GENERATED), None)
    return Column(
        name,
        str(kind),
        nullable == "YES",
        default=None if default in {None, "NULL"} else str(default),  # MariaDB tells NULL as an expression
        identity="auto_increment" if "auto_increment" in words else None,
        generated=f"{generated.partition(' ')[0].upper()} ({expression})" if generated else None,
        collation=own if own != collation else None,
        comment=comment or None,
        options=tuple(word for word in words if word not in _SAID_ELSEWHERE and word not in _GENERATED),
    )


def grouped(rows: Iterable[tuple[Any, ...]]) -> dict[Any, list[tuple[Any, ...]]]:
    """Rows by their first value, without it."""
    groups: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row[1:])
    return groups


def _extra(text: str) -> str:
    """In lower case with commas between the parts, as MariaDB has it; MySQL puts blanks.

    There ``default_generated`` tells an expression from a literal, whose bare value is given.
    """
    lower = text.lower()
    for part in (*_GENERATED, "default_generated", "auto_increment", "invisible", "without system versioning"):
        lower = lower.replace(part, f"{part},")
    return lower


def _keys(rows: Rows) -> Iterator[Constraint | Index]:
    """The primary key as a constraint, all others as indexes: a unique constraint is one and nothing else."""
    for name, parts in grouped(rows).items():
        not_unique, kind, *_first = parts[0]
        comment, unseen = parts[0][5], parts[0][7]
        keys = ", ".join(map(_key_part, parts))
        if name == "PRIMARY":
            yield Constraint("primary_key", None, tuple(part[2] for part in parts), f"PRIMARY KEY ({keys})")
            continue
        text = f"{name} ({keys})" + (f" USING {kind}" if kind != "BTREE" else "")
        options = ("not used",) if unseen else ()
        yield Index(name, text, unique=not not_unique, options=options, comment=comment or None)


def _key_part(part: tuple[Any, ...]) -> str:
    _unique, _kind, name, length, order, _comment, expression, _unseen = part
    text = f"({expression})" if name is None else str(name)
    return text + (f"({length})" if length else "") + (" DESC" if order == "D" else "")


def _references(named: Callable[[str], str], rows: Rows) -> Iterator[Constraint]:
    for name, parts in grouped(rows).items():
        _column, schema, there, _name, on_update, on_delete = parts[0]
        columns, others = ([str(part[at]) for part in parts] for at in (0, 3))
        place = f"{named(schema)}.{there}"
        text = f"FOREIGN KEY ({', '.join(columns)}) REFERENCES {place} ({', '.join(others)})"
        for word, action in (("UPDATE", on_update), ("DELETE", on_delete)):
            text += "" if action in _SILENT else f" ON {word} {action}"
        yield Constraint("foreign_key", name, tuple(columns), text, refers_to=f"{place}({', '.join(others)})")


def _check(name: str, clause: str, enforced: str | None) -> Constraint:
    return Constraint("check", name, (), f"CHECK ({clause})" + (" NOT ENFORCED" if enforced == "NO" else ""))


def _partitions(rows: Rows) -> Iterator[str]:
    if not rows:
        return
    _name, _sub, method, sub_method, expression, sub_expression, _bound = rows[0]
    yield f"partition by {method} ({expression or ''})"
    if sub_method:
        yield f"subpartition by {sub_method} ({sub_expression or ''})"
    for name, sub, *_said, bound in rows:
        yield f"partition {name}{f' {sub}' if sub else ''} {bound or ''}".rstrip()
