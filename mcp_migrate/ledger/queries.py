"""Which statements does the ledger send? All of them are here; none changes or removes an entry.

Importing this module imports SQLAlchemy, so import it inside functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Dialect,
    Integer,
    LargeBinary,
    Select,
    Text,
    bindparam,
    column,
    func,
    insert,
    select,
    table,
    type_coerce,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

events = table(
    "events",
    column("seq", Integer),
    column("at", Text),
    column("kind", Text),
    column("workflow", Text),
    column("call_id", Text),
    column("subject", Text),
    column("body", Text),
    column("leaf", LargeBinary),
    column("root", LargeBinary),
    column("frontier", LargeBinary),
)
ALL = select(events).order_by(events.c.seq)
_LAST = select(func.max(events.c.seq)).scalar_subquery()
TAIL = select(events.c.seq, events.c.root, events.c.frontier).where(events.c.seq == _LAST)
ROOT_OF = select(events.c.root).where(events.c.seq == bindparam("seq"))
INSERT = insert(events)
KEPT = select(events.c.seq, events.c.leaf, events.c.frontier).where(events.c.seq.in_(bindparam("seqs", expanding=True)))
FRONTIER_OF = select(events.c.root, events.c.frontier).where(events.c.seq == bindparam("seq"))


def text_of(statement: ClauseElement, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """A statement as its driver takes it, and the names of its parameters in order: for what is sent all the time."""
    compiled = statement.compile(dialect=dialect)
    names = compiled.positiontup if isinstance(compiled, SQLCompiler) else None
    return str(compiled), tuple(names or ())


def find(kind: str, subject: str) -> Select[Any]:
    return ALL.where(events.c.subject == subject, events.c.kind == kind)


def read(since: int, kind: str | None, workflow: str | None, limit: int) -> Select[Any]:
    query = ALL.where(events.c.seq >= since).limit(limit)
    if kind is not None:
        query = query.where(events.c.kind == kind)
    if workflow is not None:
        query = query.where(events.c.workflow == workflow)
    return query


def unanswered(kind: str, answer: str, where: Mapping[str, str]) -> Select[Any]:
    """Entries of one kind whose subject has no entry of another kind."""
    answers = events.alias("answers")
    body = type_coerce(events.c.body, JSON)
    answered = select(answers.c.seq).where(answers.c.subject == events.c.subject, answers.c.kind == answer)
    query = ALL.where(events.c.kind == kind, ~answered.exists())
    for key, value in where.items():
        query = query.where(body[key].as_string() == value)
    return query


def last(kind: str, where: Mapping[str | tuple[str, ...], str], limit: int) -> Select[Any]:
    body = type_coerce(events.c.body, JSON)
    query = select(events).where(events.c.kind == kind).order_by(events.c.seq.desc()).limit(limit)
    for key, value in where.items():
        query = query.where(body[key].as_string() == value)
    return query
