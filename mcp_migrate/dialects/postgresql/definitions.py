"""What would the server write for a key or an index that has nothing special about it?

It takes its time over each: it looks up the default operator class of every key of every index anew. So it is asked
only for those that are special, and the tests hold that it would have written the same for the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mcp_migrate.schema.model import Column

_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_KEYS = {"p": "PRIMARY KEY", "u": "UNIQUE"}
_ORDER = ("", " DESC NULLS LAST", " NULLS FIRST", " DESC")
"""By the bits of pg_index.indoption."""
_VARCHAR, _TEXT = 1043, 25
_CAST_END = "])::text[]"
_VARCHAR_TEXT = re.compile(r"'(?:[^']|'')*'::character varying")
_CAST_ARRAY = re.compile(rf"\(ARRAY\[((?:{_VARCHAR_TEXT.pattern}(?:, )?)+)\]\)::text\[\]")
_OF_THE_SERVER = 16_384
WIDTH = 65_536


@dataclass(frozen=True, slots=True)
class Key:
    """A column as keys name it: how it is spelt there, and what an index on it leaves unsaid."""

    column: Column
    spelt: str
    type: int
    collation: int


Keys = Mapping[int, Key]
"""The columns of all relations by their places."""


def place(relation: int, number: int) -> int:
    """Where a column stands: one number for its relation's and its own, as the queries tell it."""
    return relation * WIDTH + number


def key(kind: str, columns: Sequence[Key]) -> str:
    """The definition of a primary key or of a unique constraint."""
    return f"{_KEYS[kind]} ({_listed(columns)})"


def foreign_key(columns: Sequence[Key], to: str, others: Sequence[Key], update: str, delete: str) -> str:
    """The definition of a reference `to` a table; `update` and `delete` are the letters of what happens then."""
    on_update = f" ON UPDATE {_ACTIONS[update]}" if update in _ACTIONS else ""
    on_delete = f" ON DELETE {_ACTIONS[delete]}" if delete in _ACTIONS else ""
    return f"FOREIGN KEY ({_listed(columns)}) REFERENCES {to}({_listed(others)}){on_update}{on_delete}"


def index_keys(
    columns: Sequence[Key], said: Sequence[tuple[int, int, int]], usual: Mapping[int, int]
) -> list[str] | None:
    """The keys of a btree; `said` are operator class, collation and order of each.

    None where it uses another class or collation than is `usual` for the column.
    """
    spelt = []
    for column, (class_, collation, order) in zip(columns, said, strict=True):
        if collation != column.collation or class_ != _usual(usual, column.type):
            return None
        spelt.append(column.spelt + _ORDER[order])
    return spelt


def index(spelt: str, table: str, keys: Iterable[str], *, unique: bool, predicate: str | None) -> str:
    """The definition of a btree; names are spelt as SQL has them."""
    where = f" WHERE {predicate}" if predicate else ""
    return f"CREATE {'UNIQUE ' if unique else ''}INDEX {spelt} ON {table} USING btree ({', '.join(keys)}){where}"


def as_restored(text: str) -> str:
    """An expression as the server writes it once it has read it from its own text.

    ``x IN ('a', 'b')`` on a varchar is written as a cast of an array, which is read as an array of casts: the same
    schema would have two texts, one before and one after a dump and its restore.
    """
    return _CAST_ARRAY.sub(_array_of_casts, text) if _CAST_END in text else text


def _array_of_casts(found: re.Match[str]) -> str:
    casts = _VARCHAR_TEXT.sub(lambda text: f"({text[0]})::text", found[1])
    return f"ARRAY[{casts}]"


def _usual(classes: Mapping[int, int], kind: int) -> int | None:
    """The default operator class of a type, if it is the server's own: others can have options that are told."""
    found = classes.get(kind) or (classes.get(_TEXT) if kind == _VARCHAR else None)
    return found if found is not None and found < _OF_THE_SERVER else None


def _listed(columns: Iterable[Key]) -> str:
    return ", ".join([column.spelt for column in columns])
