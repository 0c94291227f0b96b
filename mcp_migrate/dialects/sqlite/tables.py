"""What is each table of a SQLite database? Put together from pragmas and the text that made it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mcp_migrate.dialects.sqlite.spelling import Token, folded, joined, normal, spelled, tokens
from mcp_migrate.dialects.sqlite.table_text import Clause, TableText, read_table_text
from mcp_migrate.schema.model import Column, Constraint, Index, Table

Row = tuple[Any, ...]
Ask = Callable[..., Sequence[Row]]

# The second argument keeps a temporary table of the same name from answering.
_COLUMNS = """
SELECT s.name, p.name, p.type, p.[notnull], p.dflt_value, p.pk, p.hidden
FROM main.sqlite_schema AS s, pragma_table_xinfo(s.name, 'main') AS p
WHERE s.type = 'table' AND s.rootpage ORDER BY s.name, p.cid
"""
_REFERENCES = """
SELECT s.name, p.id, p.[table], p.[from], p.[to], p.on_update, p.on_delete
FROM main.sqlite_schema AS s, pragma_foreign_key_list(s.name, 'main') AS p WHERE s.type = 'table' AND s.rootpage
ORDER BY s.name, p.id DESC, p.seq
"""
_INDEXES = """
SELECT s.name, i.name, i.[unique], i.origin, i.partial, d.sql, x.name, x.[desc], x.coll
FROM main.sqlite_schema AS s, pragma_index_list(s.name, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS x
LEFT JOIN main.sqlite_schema AS d ON d.type = 'index' AND d.name = i.name
WHERE s.type = 'table' AND s.rootpage AND x.key ORDER BY s.name, i.name, x.seqno
"""
_VIRTUAL = """
SELECT ?1, p.name, p.type, p.[notnull], p.dflt_value, p.pk, p.hidden
FROM pragma_table_xinfo(?1, 'main') AS p ORDER BY p.cid
"""
_GENERATED = {2: "VIRTUAL", 3: "STORED"}


class Tables:
    """The pragmas of all tables, each asked once; of virtual ones one by one, for the module of one may be missing.

    `unseen` says whose columns could not be read: what its text says still counts.
    """

    def __init__(self, ask: Ask, virtual: Sequence[str]) -> None:
        self._columns, self._references, self._indexes = (
            _grouped(ask(query)) for query in (_COLUMNS, _REFERENCES, _INDEXES)
        )
        self.unseen: list[str] = []
        for name in virtual:
            try:
                self._columns[name] = [row[1:] for row in ask(_VIRTUAL, name)]
            except sqlite3.OperationalError as error:
                self.unseen.append(f"columns of main.{name}: {error}")
        self._names = {folded(name): name for name in self._columns}

    def table(self, name: str, sql: str | None) -> Table:
        """One table, by the name and text of SQLite's own list."""
        text = read_table_text(sql)
        columns, references = self._columns.get(name, []), self._references.get(name, [])
        foreign = text.of("foreign_key")
        if len(foreign) != len(_grouped(references)) and not _whole(text):
            text = TableText(options=[f"as written: {normal(sql)}"])
            foreign = []
        return Table(
            schema="main",
            name=name,
            columns=tuple(_column(row, text) for row in columns),
            constraints=(
                *self._keys(name, text),
                *self._foreign(references, foreign),
                *(_check(clause) for clause in text.of("check")),
            ),
            indexes=tuple(_index(index, rows) for index, rows in self._indexes_of(name).items() if rows[0][1] == "c"),
            options=tuple(text.options),
            definition=sql,
        )

    def _indexes_of(self, name: str) -> Mapping[str, list[Row]]:
        return _grouped(self._indexes.get(name, []))

    def _keys(self, name: str, text: TableText) -> Iterator[Constraint]:
        made = list(self._indexes_of(name).values())
        parts = [row for row in self._columns.get(name, []) if row[4]]
        if parts:
            plain = [(0, "pk", 0, None, row[0], 0, "BINARY") for row in sorted(parts, key=lambda row: int(row[4]))]
            rows = next((rows for rows in made if rows[0][1] == "pk"), plain)
            yield _key("primary_key", "PRIMARY KEY", rows, text)
        for rows in made:
            if rows[0][1] == "u":
                yield _key("unique", "UNIQUE", rows, text)

    def _foreign(self, references: list[Row], written: Sequence[Clause]) -> Iterator[Constraint]:
        """References in the order they were written, which is the falling order of the pragma's ids."""
        told: Iterable[Clause | None] = written or [None] * len(references)
        for rows, clause in zip(_grouped(references).values(), told, strict=False):
            yield self._reference(rows, clause)

    def _reference(self, rows: list[Row], clause: Clause | None) -> Constraint:
        table = self._names.get(folded(str(rows[0][0])), str(rows[0][0]))
        columns = tuple(str(row[1]) for row in rows)
        there = ", ".join(spelled(str(row[2])) for row in rows if row[2] is not None)
        text = f"FOREIGN KEY ({', '.join(map(spelled, columns))}) REFERENCES {spelled(table)} ({there})"
        for word, action in (("UPDATE", rows[0][3]), ("DELETE", rows[0][4])):
            text += f" ON {word} {action}" if action != "NO ACTION" else ""
        name, suffix = (clause.name, clause.suffix) if clause else (None, "")
        return Constraint("foreign_key", name, columns, text + suffix, refers_to=f"main.{spelled(table)}({there})")


def _key(kind: Any, words: str, rows: list[Row], text: TableText) -> Constraint:
    """A primary key or a unique constraint from the index that it made."""
    columns = tuple(str(row[4]) for row in rows)
    wanted = tuple(map(folded, columns))
    clause = next((c for c in text.of(kind) if c.columns == wanted or kind == "primary_key"), None)
    parts = ", ".join(_key_part(row, text.collations.get(folded(str(row[4])))) for row in rows)
    name, suffix = (clause.name, clause.suffix) if clause else (None, "")
    return Constraint(kind, name, columns, f"{words} ({parts}){suffix}")


def _key_part(row: Row, collation: str | None = None) -> str:
    """One column of a key; its own collation only where it is not the one of its column."""
    own = folded(row[6]) != folded(collation or "BINARY")
    return f"{spelled(row[4])}{f' COLLATE {spelled(row[6])}' if own else ''}{' DESC' if row[5] else ''}"


def _check(clause: Clause) -> Constraint:
    return Constraint("check", clause.name, (), f"CHECK ({clause.text}){clause.suffix}")


def _index(name: str, rows: list[Row]) -> Index:
    unique, _origin, partial, sql = rows[0][:4]
    plain = not partial and all(row[4] is not None for row in rows)
    keys = f"({', '.join(map(_key_part, rows))})" if plain else joined(_from_bracket(sql))
    return Index(name, f"{spelled(name)} {keys}", unique=bool(unique), text=sql)


def _from_bracket(sql: str) -> list[Token]:
    """What an index is over, and where: the pragmas do not tell expressions and predicates."""
    parts = tokens(sql)
    return parts[parts.index(Token("symbol", "(")) :]


def _column(row: Row, text: TableText) -> Column:
    name, kind, not_null, default, _key_place, hidden = row
    place = folded(name)
    generated = _GENERATED.get(hidden)
    if generated and place in text.generated:
        generated += f" ({text.generated[place]})"
    return Column(
        name,
        normal(kind).upper(),
        nullable=not not_null,
        default=None if default is None else normal(default),
        generated=generated,
        collation=text.collations.get(place),
    )


def _whole(text: TableText) -> bool:
    return not text.clauses and bool(text.options)


def _grouped(rows: Iterable[Row]) -> dict[Any, list[Row]]:
    """Rows by their first value, without it."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row[1:])
    return groups
