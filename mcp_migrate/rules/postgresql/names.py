"""What does a name in a parse tree mean, as ``schema.table``?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from mcp_migrate.rules.context import Context, Name
from mcp_migrate.rules.postgresql.parser import Tree, enum

DEFAULT_SCHEMA = "public"
_ODD = frozenset('.*?["]')
_SYSTEM = frozenset({"pg_catalog", "information_schema", "pg_toast"})


@cache
def member(enumeration: str, number: int) -> str:
    """The name of an enumeration's member."""
    return str(enum(enumeration).Name(number))


def words(nodes: Iterable[Tree]) -> list[str]:
    """The parts of a dotted name."""
    return [node.string.sval for node in nodes]


def name_of(relation: Tree) -> Name:
    """As it was written."""
    return relation.schemaname, relation.relname


def split(parts: list[str]) -> Name:
    """The last two parts of a dotted name."""
    return (parts[-2] if len(parts) > 1 else "", parts[-1])


def qualified(name: Name) -> str:
    """``schema.name``; a name without a schema is in `public`."""
    return f"{name[0] or DEFAULT_SCHEMA}.{name[1]}"


def full(relation: Tree) -> str:
    """``schema.table`` of a relation; a temporary one is in no schema of ours."""
    if relation.relpersistence == "t" and not relation.schemaname:
        return f"pg_temp.{relation.relname}"
    return qualified(name_of(relation))


def hides(relation: Tree, context: Context) -> list[str]:
    """Why a new temporary table or view may take the place of one in use: it is found first."""
    if relation.relpersistence != "t" or (context.schema is not None and not context.called(relation.relname)):
        return []
    return [f"a temporary {relation.relname} may hide one in use"]


def is_system(name: Name) -> bool:
    """Whether it belongs to PostgreSQL itself; ``pg_`` is looked up there before anywhere else."""
    return name[0] in _SYSTEM or name[0].startswith("pg_") or (not name[0] and name[1].startswith("pg_"))


def doubts(parts: Iterable[str], context: Context) -> list[str]:
    """Why these parts, schema first and empty where none was written, may not mean what they seem to."""
    schema, *rest = parts
    reasons = [
        f"the name {part!r} could be mistaken for another"
        for part in (schema, *rest)
        if _ODD & set(part) or not part.isprintable()
    ]
    if not schema and rest:
        places = {place.rpartition(" ")[2] for place in context.called(rest[0])}
        if places and DEFAULT_SCHEMA not in places:
            reasons.append(f"{rest[0]} is not in {DEFAULT_SCHEMA}, so what it means depends on the search path")
    return reasons
