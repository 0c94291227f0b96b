"""What is one table of the copy made of: columns, keys, clauses, indexes, triggers?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mcp_migrate.rules.sqlite import second
from mcp_migrate.rules.sqlite.clone import Clone

_AFFINITIES = (
    ("INTEGER", ("INT",)),
    ("TEXT", ("CHAR", "CLOB", "TEXT")),
    ("BLOB", ("BLOB",)),
    ("REAL", ("REAL", "FLOA", "DOUB")),
)
"""https://sqlite.org/datatype3.html, section 3.1, in its order."""

_CLAUSES = frozenset({"COLLATE", "CONFLICT", "AUTOINCREMENT", "DEFERRABLE", "INITIALLY"})
_BODIES = frozenset({"CHECK", "AS"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column as ``PRAGMA table_xinfo`` tells it; `key` is its place in the primary key, or 0."""

    name: str
    type: str
    required: bool
    default: str | None
    key: int
    hidden: int

    @property
    def affinity(self) -> str:
        kind = self.type.upper()
        fits = (name for name, parts in _AFFINITIES if any(part in kind for part in parts))
        return next(fits, "NUMERIC" if kind else "BLOB")

    @property
    def fills_itself(self) -> bool:
        """Whether a row that does not give it gets a value, or may go without."""
        return not self.required or (self.default is not None and self.default.upper() != "NULL")


@dataclass(frozen=True, slots=True)
class Facts:
    """A table. `clauses` counts what no pragma tells; `indexes` and `triggers` map names to what they do."""

    name: str
    columns: tuple[Column, ...]
    uniques: frozenset[tuple[str, ...]]
    references: frozenset[tuple[str, ...]]
    clauses: Counter[tuple[str, ...]]
    options: tuple[str, ...]
    indexes: dict[str, tuple[object, ...]]
    triggers: dict[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(c.name.lower() for c in sorted(self.columns, key=lambda c: c.key) if c.key)

    @property
    def number(self) -> str:
        """The column that is another name for the row's number; empty where there is none."""
        key = [column for column in self.columns if column.key]
        alone = len(key) == 1 and key[0].type.upper() == "INTEGER" and "WITHOUT ROWID" not in self.options
        return key[0].name.lower() if alone else ""


def facts(clone: Clone, name: str) -> Facts | None:
    """What the table `name` is made of; None when there is no such table in the file itself."""
    texts = clone.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)", name)
    if not texts:
        return None
    columns = clone.rows(
        "SELECT name, type, [notnull], dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main')", name
    )
    return Facts(
        name=texts[0][0],
        columns=tuple(Column(c[0], c[1], bool(c[2]), c[3], int(c[4]), int(c[5])) for c in columns),
        uniques=frozenset(key for origin, key in _keys(clone, name) if origin == "u"),
        references=frozenset(_references(clone, name)),
        clauses=Counter(clauses(texts[0][1] or "")),
        options=_options(clone, name),
        indexes=_indexes(clone, name),
        triggers={n.lower(): words for n, words in _triggers(clone, name)},
    )


def _keys(clone: Clone, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for index, origin in clone.rows("SELECT name, origin FROM pragma_index_list(?, 'main')", name):
        yield origin, tuple(str(row[0]).lower() for row in clone.rows("SELECT name FROM pragma_index_info(?)", index))


def _references(clone: Clone, name: str) -> Iterator[tuple[str, ...]]:
    rows = clone.rows(
        "SELECT id, [table], on_update, on_delete, group_concat(lower([from])), group_concat(lower([to]))"
        " FROM (SELECT * FROM pragma_foreign_key_list(?, 'main') ORDER BY id, seq) GROUP BY id",
        name,
    )
    for _, table, on_update, on_delete, here, there in rows:
        yield here or "", (table or "").lower(), there or "", on_update or "", on_delete or ""


def _options(clone: Clone, name: str) -> tuple[str, ...]:
    rows = clone.rows("SELECT wr, strict FROM pragma_table_list(?) WHERE schema = 'main'", name)
    without, strict = rows[0] if rows else (0, 0)
    return (*(["WITHOUT ROWID"] if without else []), *(["STRICT"] if strict else []))


def _indexes(clone: Clone, name: str) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    rows = clone.rows(
        "SELECT i.name, i.[unique], i.partial, s.sql FROM pragma_index_list(?, 'main') AS i"
        " JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = i.name WHERE i.origin = 'c'",
        name,
    )
    for index, unique, partial, text in rows:
        keys = clone.rows("SELECT lower(name), [desc], coll, cid < -1 FROM pragma_index_xinfo(?) WHERE [key]", index)
        computed = partial or any(key[3] for key in keys)
        found[index.lower()] = (unique, *(tuple(key[:3]) for key in keys), *(second.spelling(text) if computed else ()))
    return found


def _triggers(clone: Clone, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    rows = clone.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?)", name)
    for trigger, text in rows:
        yield trigger, second.spelling(text)


def clauses(sql: str) -> Iterator[tuple[str, ...]]:
    """The clauses of a CREATE TABLE that no pragma tells: the column (empty for a CHECK), the word, the rest."""
    words = second.spelling(sql)
    depth, column, fresh = 0, "", False
    for at, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if fresh:
            column, fresh = word, False
        fresh = depth == 1 and word in {"(", ","}
        if word in _BODIES and words[at + 1 : at + 2] == ("(",):
            yield "" if word == "CHECK" else column, word, *_body(words[at + 1 :])
        elif word in _CLAUSES:
            yield column, words[at - 1] if word == "DEFERRABLE" else "", word, *words[at + 1 : at + 2]


def _body(words: tuple[str, ...]) -> tuple[str, ...]:
    depth = 0
    for at, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if not depth:
            return words[: at + 1]
    return words
