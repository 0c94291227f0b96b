"""What is on the target right now? One read-only session, closed before anything else happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from mcp_migrate.errors import ValidationFailedError
from mcp_migrate.model import Plan
from mcp_migrate.schema import Schema, fingerprint, shape
from mcp_migrate.tools.interface import Database


class Where(Protocol):
    """Where a target is, as far as it says what stands on it."""

    @property
    def target(self) -> str: ...

    @property
    def revision(self) -> str | None: ...

    @property
    def shape(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Start:
    """Where a plan starts: nothing of it runs anywhere else."""

    target: str
    revision: str | None
    shape: str


@dataclass(frozen=True)  # without slots: what few calls ask for is found out once, when it is asked for
class Live:
    """One reading of a target."""

    target: str
    revisions: tuple[str, ...]
    schema: Schema
    identity: Mapping[str, str] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Of the schema."""
        return fingerprint(self.schema)

    @cached_property
    def shape(self) -> str:
        """What plans are held to."""
        return shape(self.schema)

    @property
    def revision(self) -> str | None:
        """The revision the target is at; None is Alembic's ``base``.

        Raises:
            ValidationFailedError: the version table holds several rows.
        """
        if len(self.revisions) > 1:
            raise ValidationFailedError(
                f"The version table of {self.target} holds {len(self.revisions)} rows: {', '.join(self.revisions)}.",
                hint="One row is expected. Merge the branches, or have a person repair the version table.",
                revisions=list(self.revisions),
            )
        return self.revisions[0] if self.revisions else None


def read_live(database: Database, *, plan: Plan | None = None, identify: bool = False) -> Live:
    """Read revision and schema of a target.

    With a `plan` the version table is the plan's, and the project, which may be broken by now, is not asked. To
    `identify` it is for what may change it: approvals are bound to the database that was looked at.

    Raises:
        TargetUnreachableError: the target cannot be read.
        RenderFailedError: the project cannot say which version table it uses.
    """
    version_table = plan.version_table if plan else database.version_table
    with database.reader() as reader:
        revisions = reader.revisions(version_table)
        schema = reader.schema(version_table=version_table)
        identity = reader.identity() if identify else None
    return Live(database.name, revisions, schema, identity)
