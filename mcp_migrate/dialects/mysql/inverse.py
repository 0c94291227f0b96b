"""Which statements take a MySQL or MariaDB schema back to what was read before?

Of tables, and of views that look with the rights of whoever asks: whose rights others have is not read. Whatever else
differs is not made again, and then nothing that is derived counts. Each statement is a step of its own: nothing rolls
DDL back here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from mcp_migrate.dialects.mysql.adding import outside, tokens
from mcp_migrate.dialects.mysql.defining import ASKER, column_text, constraint_text, index_text, table_text, view_text
from mcp_migrate.drivers.mysql import quote
from mcp_migrate.schema.fingerprint import key
from mcp_migrate.schema.model import Constraint, Index, Schema, Table

_Part = TypeVar("_Part", Constraint, Index)
_RENAMES = {
    ("ALTER", "TABLE", "", "RENAME", ""): "ALTER TABLE {1} RENAME TO {0}",
    ("ALTER", "TABLE", "", "RENAME", "TO", ""): "ALTER TABLE {1} RENAME TO {0}",
    ("ALTER", "TABLE", "", "RENAME", "AS", ""): "ALTER TABLE {1} RENAME TO {0}",
    ("RENAME", "TABLE", "", "TO", ""): "ALTER TABLE {1} RENAME TO {0}",
    ("ALTER", "TABLE", "", "RENAME", "COLUMN", "", "TO", ""): "ALTER TABLE {0} RENAME COLUMN {2} TO {1}",
    ("ALTER", "TABLE", "", "RENAME", "INDEX", "", "TO", ""): "ALTER TABLE {0} RENAME INDEX {2} TO {1}",
    ("ALTER", "TABLE", "", "RENAME", "KEY", "", "TO", ""): "ALTER TABLE {0} RENAME INDEX {2} TO {1}",
}
"""What each form becomes with its names exchanged; an empty word is a name."""
_CHANGES = (("ALTER", "TABLE", "", "CHANGE", "COLUMN", "", ""), ("ALTER", "TABLE", "", "CHANGE", "", ""))


class MysqlInverter:
    """The texts for both products."""

    def renamed_back(self, sql: str) -> str | None:
        """The same with its names exchanged; what else a CHANGE changes is a difference between schemas."""
        whole = f"ALTER {sql}"  # a statement that begins with RENAME is taken for one long text
        read = tokens(whole)[1:]
        words = [whole[token.start : token.end + 1].upper() for token in read]
        if "/*" in sql or "," in outside(words) or ";" in words:
            return None
        for form, back in _RENAMES.items():
            if (names := _names(form, words, read)) and len(form) == len(words):
                return back.format(*map(quote, names))
        for form in _CHANGES:
            if (names := _names(form, words, read)) and len(words) > len(form):
                return "ALTER TABLE {0} RENAME COLUMN {2} TO {1}".format(*map(quote, names))
        return None

    def statements(self, now: Schema, then: Schema) -> tuple[str, ...]:
        """What came goes, what went comes, what is still there is changed back."""
        return tuple(_texts(now, then))


def _names(form: Sequence[str], words: Sequence[str], read: Sequence[object]) -> list[str]:
    """The names in a statement of this form; none where it is of another."""
    if len(words) < len(form) or any(part and part != word for part, word in zip(form, words, strict=False)):
        return []
    return [str(read[at].text) for at, part in enumerate(form) if not part]  # type: ignore[attr-defined]


def _texts(now: Schema, then: Schema) -> Iterator[str]:
    old, new = ({table.name: table for table in schema.tables} for schema in (then, now))
    both = [(new[name], table) for name, table in old.items() if name in new and new[name] != table]
    made = [table for name, table in new.items() if name not in old]
    lost = [table for name, table in old.items() if name not in new]
    was, are = ({key(o): o for o in schema.others if o.kind == "view"} for schema in (then, now))
    again = [view for place, view in was.items() if are.get(place) != view and ASKER in view.options]
    stays = {key(view) for view in was.values() if view not in again}  # or looks at what is there again later
    yield from (f"DROP VIEW {quote(view.name)}" for at, view in are.items() if at not in stays and was.get(at) != view)
    yield from _taken_off(both, made)
    yield from (table_text(table) for table in lost)
    for found, table in both:
        yield from _columns(found, table)
    yield from _put_on(both, lost)
    yield from map(view_text, again)


def _taken_off(both: Sequence[tuple[Table, Table]], made: Sequence[Table]) -> Iterator[str]:
    """References first, for the keys and tables they need cannot go before them."""
    came = [(now, c) for now, then in both for c in _more(now.constraints, then.constraints)]
    came += [(table, c) for table in made for c in table.constraints if c.kind == "foreign_key"]
    for table, constraint in sorted(came, key=lambda pair: pair[1].kind != "foreign_key"):
        what = "FOREIGN KEY" if constraint.kind == "foreign_key" else "CONSTRAINT"
        named = "PRIMARY KEY" if constraint.name is None else f"{what} {quote(constraint.name)}"
        yield f"ALTER TABLE {quote(table.name)} DROP {named}"
    yield from (f"DROP TABLE {quote(table.name)}" for table in made)
    for now, then in both:
        for index in _more(now.indexes, then.indexes):
            yield f"DROP INDEX {quote(index.name)} ON {quote(now.name)}"
        for column in now.columns:
            if then.column(column.name) is None:
                yield f"ALTER TABLE {quote(now.name)} DROP COLUMN {quote(column.name)}"


def _columns(now: Table, then: Table) -> Iterator[str]:
    """Each where it was: those before it are there by then."""
    place = "FIRST"
    for column in then.columns:
        found = now.column(column.name)
        if found is None:
            yield f"ALTER TABLE {quote(then.name)} ADD COLUMN {column_text(column, place)}"
        elif found != column:
            yield f"ALTER TABLE {quote(then.name)} MODIFY COLUMN {column_text(column)}"
        place = f"AFTER {quote(column.name)}"


def _put_on(both: Sequence[tuple[Table, Table]], lost: Iterable[Table]) -> Iterator[str]:
    """References last; a table that is made again has all but them."""
    went = [(then, c) for now, then in both for c in _more(then.constraints, now.constraints)]
    went += [(table, c) for table in lost for c in table.constraints if c.kind == "foreign_key"]
    for table, constraint in (pair for pair in went if pair[1].kind != "foreign_key"):
        yield f"ALTER TABLE {quote(table.name)} ADD {constraint_text(table, constraint)}"
    for now, then in both:
        for index in _more(then.indexes, now.indexes):
            yield f"ALTER TABLE {quote(then.name)} ADD {index_text(index)}"
    for table, constraint in (pair for pair in went if pair[1].kind == "foreign_key"):
        yield f"ALTER TABLE {quote(table.name)} ADD {constraint_text(table, constraint)}"


def _more(parts: Iterable[_Part], others: Iterable[_Part]) -> list[_Part]:
    """Those that the others have not, or not so."""
    there = set(others)
    return [part for part in parts if part not in there]
