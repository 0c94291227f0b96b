"""What else is in a MySQL or MariaDB database: views, triggers, routines, events, sequences, its character set?

Whose rights a view or a routine runs with is told; who that is, is not: on a scratch database it is somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from mcp_migrate.dialects.mysql.tables import Rows, column, grouped
from mcp_migrate.drivers.mysql import quote
from mcp_migrate.schema.model import Other


class Asking(Protocol):
    """What is needed of a reader."""

    database: str
    named: str
    mariadb: bool

    def named_block(self, name: str) -> Rows: ...

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]: ...


def others(reader: Asking, collation: str, columns: Mapping[Any, Rows]) -> tuple[list[Other], list[str]]:
    """Whatever is no table, and what of it the user may not see."""
    found = [Other("database", "", reader.named, f"collation {collation}")]
    unseen: list[str] = []
    for part in (_views(reader, columns), _triggers(reader), _routines(reader), _events(reader)):
        for other, missing in part:
            found.append(other)
            if missing:
                unseen.append(f"definition of {other.kind} {other.qualified}")
    return [*found, *_sequences(reader)], unseen


def without_database(text: str, names: frozenset[str]) -> str:
    """The text without the name of its own database, which the server writes before every table."""
    parts, at = [], 0
    prefixes = tuple(f"{quote(name)}." for name in names)
    while at < len(text):
        prefix = next((prefix for prefix in prefixes if text.startswith(prefix, at)), "")
        end = at + len(prefix) or at
        if not prefix:
            end = _quoted_end(text, at) if text[at] in "'\"`" else at + 1
            parts.append(text[at:end])
        at = end
    return "".join(parts)


def _quoted_end(text: str, at: int) -> int:
    end = at + 1
    while end < len(text) and text[end] != text[at]:
        end += 2 if text[end] == "\\" and text[at] != "`" else 1
    return end + 1


def _views(reader: Asking, columns: Mapping[Any, Rows]) -> Iterator[tuple[Other, bool]]:
    names = frozenset({reader.database, reader.named})
    for name, definition, check, security in reader.named_block("views"):
        text = without_database(str(definition or ""), names)
        options = (*([f"check option {check}"] if check != "NONE" else []), f"security {security}")
        shown = tuple(column(row, row[6]) for row in columns.get(name, ()))
        yield Other("view", reader.named, name, text, columns=shown, options=options), not text


def _triggers(reader: Asking) -> Iterator[tuple[Other, bool]]:
    """Triggers; those of the version table are seen too, for they run with every plan."""
    for name, table, timing, event, order, statement, mode in reader.named_block("triggers"):
        text = f"{timing} {event} #{order} {statement or ''}"
        place = f"{reader.named}.{table}"
        yield Other("trigger", reader.named, name, text, table=place, options=(f"sql_mode {mode}",)), not statement


def _routines(reader: Asking) -> Iterator[tuple[Other, bool]]:
    taken = grouped(
        ((kind, name), mode, called, of) for name, kind, mode, called, of in reader.named_block("parameters")
    )
    for name, kind, gives, body, steady, access, security, mode, comment in reader.named_block("routines"):
        takes = ", ".join(" ".join(filter(None, part)) for part in taken.get((kind, name), ()))
        returns = f" RETURNS {gives}" if kind == "FUNCTION" else ""
        text = f"({takes}){returns} {'DETERMINISTIC ' if steady == 'YES' else ''}{access} {body or ''}"
        options = (f"security {security}", f"sql_mode {mode}")
        kept = Other(kind.lower().replace(" ", "_"), reader.named, name, text, options=options, comment=comment or None)
        yield kept, not body


def _events(reader: Asking) -> Iterator[tuple[Other, bool]]:
    for name, kind, every, unit, after, status, body, mode, comment in reader.named_block("events"):
        when = f"EVERY {every} {unit}" if kind == "RECURRING" else "AT"
        text = f"{when} ON COMPLETION {after} {status} {body or ''}"
        yield Other("event", reader.named, name, text, options=(f"sql_mode {mode}",), comment=comment or None), not body


def _sequences(reader: Asking) -> Iterator[Other]:
    """MariaDB keeps a sequence as a table of one row, which tells how it counts."""
    names = [row[0] for row in reader.named_block("tables") if row[1] == "SEQUENCE"] if reader.mariadb else []
    facts = "start_value, minimum_value, maximum_value, increment, cache_size, cycle_option"
    asked = [f"SELECT %s, {facts} FROM {quote(reader.database, name)}" for name in names]  # noqa: S608  quoted
    for name, start, least, most, step, cache, cycle in reader.ask(" UNION ALL ".join(asked), *names) if asked else ():
        text = f"start {start} min {least} max {most} step {step} cache {cache}{' cycle' if cycle else ''}"
        yield Other("sequence", reader.named, name, text)
