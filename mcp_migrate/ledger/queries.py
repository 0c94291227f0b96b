"""Which statements does the ledger send? All of them are here; none changes or removes an entry.

Importing this module imports SQLAlchemy, so import it inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    select,
    type_coerce,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from mcp_migrate.ledger.events import PURGED

events = Table(
    "events",
    MetaData(),  # a table of which a schema can be told, other than `table()`
    Column("seq", Integer),
    Column("at", Text),
    Column("kind", Text),
    Column("workflow", Text),
    Column("call_id", Text),
    Column("subject", Text),
    Column("body", Text),
    Column("leaf", LargeBinary),
    Column("root", LargeBinary),
    Column("frontier", LargeBinary),
)
ALL = select(events).order_by(events.c.seq)
_LAST = select(func.max(events.c.seq)).scalar_subquery()
TAIL = select(events.c.seq, events.c.kind, events.c.root, events.c.frontier).where(events.c.seq == _LAST)
ROOT_OF = select(events.c.root).where(events.c.seq == bindparam("seq"))
KINDS = (
    select(events.c.seq, events.c.kind)
    .where(events.c.seq >= bindparam("since"))
    .order_by(events.c.seq)
    .limit(bindparam("most"))
)
INSERT = insert(events)
KEPT = select(events.c.seq, events.c.leaf, events.c.frontier).where(events.c.seq.in_(bindparam("seqs", expanding=True)))

Said = Callable[[Any, str | tuple[str, ...]], ColumnElement[str]]


def said_in_sqlite(body: Any, path: str | tuple[str, ...]) -> ColumnElement[str]:
    """The text at a path of a body, as SQLite finds it."""
    found: ColumnElement[str] = type_coerce(body, JSON)[path].as_string()
    return found


def said_in_postgresql(body: Any, path: str | tuple[str, ...]) -> ColumnElement[str]:
    """The text at a path of a body, as PostgreSQL finds it.

    Its texts hold no NUL, and one escaped anywhere in a body would fail the look-up for everybody.
    """
    keys = (path,) if isinstance(path, str) else path
    found: ColumnElement[str] = func.json_extract_path_text(cast(func.replace(body, r"\u0000", r"\ufffd"), JSON), *keys)
    return found


def text_of(statement: ClauseElement, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """A statement as its driver takes it, and the names of its parameters in order: for what is sent all the time."""
    compiled = statement.compile(dialect=dialect)
    names = compiled.positiontup if isinstance(compiled, SQLCompiler) else None
    return str(compiled), tuple(names or ())


def find(kind: str, subject: str) -> Select[Any]:
    return ALL.where(events.c.subject == subject, events.c.kind == kind)


def rows(since: int, limit: int) -> Select[Any]:
    """Rows as they are, those of which only hashes are left too."""
    return ALL.where(events.c.seq >= since).limit(limit)


def read(since: int, kind: str | None, workflow: str | None, limit: int) -> Select[Any]:
    query = rows(since, limit).where(events.c.kind != PURGED)
    if kind is not None:
        query = query.where(events.c.kind == kind)
    if workflow is not None:
        query = query.where(events.c.workflow == workflow)
    return query


def unanswered(kind: str, answer: str, where: Mapping[str, str], said: Said) -> Select[Any]:
    """Entries of one kind whose subject has no entry of another kind."""
    answers = events.alias("answers")
    answered = select(answers.c.seq).where(answers.c.subject == events.c.subject, answers.c.kind == answer)
    query = ALL.where(events.c.kind == kind, ~answered.exists())
    for key, value in where.items():
        query = query.where(said(events.c.body, key) == value)
    return query


def latest(since: int) -> Select[Any]:
    """The latest time of the entries from one on; their times are texts of one length, all in UTC."""
    return select(func.max(events.c.at).label("at")).where(events.c.seq >= since)


def last(kind: str, where: Mapping[str | tuple[str, ...], str], limit: int, said: Said) -> Select[Any]:
    query = select(events).where(events.c.kind == kind).order_by(events.c.seq.desc()).limit(limit)
    for key, value in where.items():
        query = query.where(said(events.c.body, key) == value)
    return query
