"""What must a tool be, and what may it use?

*Prepare then execute*: `prepare` may only read and says what would happen. A tool that changes something returns
`Prepared.work`, which runs once people and policy agreed. A tool of this shape is governed without a line of
governance in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from mcp_migrate.dialects.interface import Dialect, Reader
from mcp_migrate.errors import UnknownTargetError
from mcp_migrate.ledger import Ledger
from mcp_migrate.migrations import Progress, Project, ProjectInfo, silent
from mcp_migrate.migrations.undo import Keeping
from mcp_migrate.model import Caller, Granted, Prepared
from mcp_migrate.settings import Settings


class Handler(Protocol):
    """What a tool spec names. It may also have `target_of`, as `Tool` does, when callers do not name a target."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Say what the call would do. Raises MigrateError when it cannot."""
        ...


class Tool(Protocol):
    """One thing a caller can ask for. `scope` is the name that scopes use for it."""

    @property
    def scope(self) -> str: ...

    @property
    def only_looks(self) -> bool:
        """Whether a call does nothing that could be told of before its answer leaves."""
        ...

    @property
    def plans(self) -> bool:
        """Whether a call makes a plan, or runs one."""
        ...

    @property
    def by_people(self) -> bool:
        """Whether people ask it where the server is, as no client can, so that who asks is not proven by any token."""
        ...

    def target_of(self, arguments: Mapping[str, Any], bench: Workbench) -> str | None:
        """The target the call is about, from its arguments and the ledger alone; None when it has none."""
        ...

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Say what the call would do. Raises MigrateError when it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Database:
    """What a tool may know of one target while it prepares one call: its Alembic project and a way to read it.

    `opening` gives what opens it for reading, with a credential of this call.
    """

    name: str
    dialect: Dialect
    opening: Callable[[], str] = field(repr=False)
    project: Project
    keeping: Keeping = field(default_factory=Keeping)
    rehearse: bool = True
    max_rows: int = 0
    progress: Progress = silent
    _described: list[ProjectInfo] = field(default_factory=list, init=False, compare=False, repr=False)

    @property
    def info(self) -> ProjectInfo:
        """The project, looked at once for a call: whether thousands of files changed takes a while to see."""
        if not self._described:
            self._described.append(self.project.describe(self.dialect.name, closely=False))
        return self._described[0]

    @property
    def url(self) -> str:
        """What opens the target now. Raises: CredentialFailedError."""
        return self.opening()

    @property
    def version_table(self) -> str:
        return self.info.version_table

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """A read-only session. Raises: TargetUnreachableError."""
        with self.dialect.open_reader(self.url) as reader:
            yield reader

    def count_rows(self, tables: Any) -> Mapping[str, int]:
        """Rows now in each of `tables` that exists."""
        with self.reader() as reader:
            return reader.count_rows(tables)


def nowhere(_request_id: str) -> None:
    """Where no review pages are served."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """All a tool is given of the server.

    `review_url` is where a person reviews the request of an id, if anywhere. `given_up` says whether nobody waits for
    the answer any more: its client is gone, or the server is about to stop.
    """

    settings: Settings
    ledger: Ledger
    open_database: Callable[[str], Database]
    explain: Callable[[Caller, str, str | None, datetime], Mapping[str, Any]]
    progress: Progress = silent
    review_url: Callable[[str], str | None] = nowhere
    given_up: Callable[[], bool] = lambda: False

    def database(self, granted: Granted) -> Database:
        """The target of the call."""
        if granted.call.target is None:
            raise UnknownTargetError("The call names no target.", hint="Pass `target`.")
        return replace(self.open_database(granted.call.target), progress=self.progress)


def answer(granted: Granted, result: Mapping[str, Any], *, about: Mapping[str, Any] | None = None) -> Prepared:
    """A tool that only reads has its answer when it has looked; `about` stands on the record beside its digest."""
    return Prepared(granted, present=lambda _classified, _quorum: result, subject=about or {})
