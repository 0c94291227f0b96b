"""What does a tool in Python import, and what is it given? All there is stands on this page.

Its author writes a `Handler`. It runs in a process of its own, shut in before a line of it is read: without a network,
files, credentials or anything of the server. What it wants from the target it asks for, through its context.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

MOST_ROWS = 1_000
"""Rows of one read."""


class Arguments(BaseModel):
    """What a call gives: its author derives from this, with a field for each of the spec's `parameters`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Given = TypeVar("Given", bound=Arguments)


class Statement(BaseModel):
    """One statement with its places, as in a spec's `sql`: ``{name}`` is bound, ``{name:table}`` a quoted name.

    With `batches` it is sent again and again, each time in a transaction of its own, until it changes no row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str = Field(min_length=1)
    values: Mapping[str, Any] = Field(default_factory=dict)
    batches: bool = False


class Declaration(BaseModel):
    """All that `execute` may send, in this order; it is judged, tried, signed and run as it stands here.

    `rollback` takes it back beside the rows that it loses, which come back by themselves: ``()`` where nothing else
    has to be, None where nobody knows. `summary` is shown to reviewers and signed with the rest. `notes` are handed to
    `execute`, and nobody signs them: nothing can come of them but these statements.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    statements: tuple[Statement, ...] = Field(min_length=1, max_length=1_000)
    rollback: tuple[Statement, ...] | None = None
    summary: str = Field("", max_length=1_000)
    notes: Mapping[str, Any] = Field(default_factory=dict)


class Answer(BaseModel):
    """What a call has to say that changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    result: Mapping[str, Any]
    summary: str = Field("", max_length=1_000)


class Context:
    """What both halves of a handler have: which target it is, progress, and the server's log."""

    def __init__(self, ask: Callable[..., Any], *, target: str, dialect: str) -> None:
        self._ask = ask
        self.target = target
        self.dialect = dialect

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Tell the caller how far it is."""
        self._ask("progress", done=done, total=total, text=text)

    def log(self, event: str, **fields: str | float | bool | None) -> None:
        """Write a line to the server's log, beside the ids of the call."""
        self._ask("log", event=event, fields=fields)


class Preparing(Context):
    """What `prepare` has besides: the target, to be read."""

    def read(self, sql: str, values: Mapping[str, Any] | None = None, *, most: int = MOST_ROWS) -> list[dict[str, Any]]:
        """The first rows of a plain SELECT, by the names of their columns; places are as in a `Statement`.

        The target's own read-only session answers, and only about tables that a scope of the call covers.
        """
        found: list[dict[str, Any]] = self._ask("read", sql=sql, values=dict(values or {}), most=most)
        return found


class Executing(Context):
    """What `execute` has besides: the statements that were declared, to be sent in their order."""

    def __init__(self, ask: Callable[..., Any], *, target: str, dialect: str, declared: Declaration) -> None:
        super().__init__(ask, target=target, dialect=dialect)
        self.statements = declared.statements
        self.notes = declared.notes

    def execute(self, statement: Statement) -> int:
        """Have the next declared statement sent; the rows it changed.

        Anything else is more than was declared: all is rolled back, and the tool stays disabled.
        """
        return int(self._ask("execute", **statement.model_dump()))


class Handler(ABC, Generic[Given]):
    """A tool in two halves. Each call of a half gets a new object in a new process: nothing is kept between them.

    In brackets stands the model of what a call gives, as ``Handler[Refresh]``.
    """

    model: ClassVar[type[Arguments]] = Arguments

    def __init_subclass__(cls) -> None:
        """Know the model."""
        super().__init_subclass__()
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Handler:
                [cls.model] = get_args(base)

    @abstractmethod
    def prepare(self, context: Preparing, arguments: Given) -> Declaration | Answer:
        """Look at the target, and declare what would be done; or answer."""

    def execute(self, context: Executing, arguments: Given) -> None:  # noqa: ARG002  for those who need it
        """Do it, once people and policy agreed. Without one of its own, all that was declared runs."""
        for statement in context.statements:
            while context.execute(statement) and statement.batches:
                pass
