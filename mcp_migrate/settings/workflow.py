"""What can be said of a workflow? Who answers for it, who acts, and what they may do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mcp_migrate.model import Effect
from mcp_migrate.settings.values import Globs, Part, Window


class Owner(Part):
    """The person who answers for a workflow."""

    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")


class Scope(Part):
    """Leave to use tools on targets, narrowed by effects, objects, rows, a ticket and times."""

    tools: Globs = Field(min_length=1)
    targets: Globs = Field(min_length=1)
    effects: tuple[Effect, ...] | None = Field(None, description="Beyond `read`; without it only reading.")
    objects: Globs | None = Field(None, min_length=1, description="Globs on schema.table[.column].")
    when: Window | None = None
    max_rows: int | None = Field(None, ge=0, description="Rows concerned, at most.")
    ticket: Literal["required"] | None = None


class WorkflowLimits(Part):
    """How much a workflow may ask of people."""

    open_requests: int = Field(20, ge=1, description="Requests that may wait for people at once.")


class Workflow(Part):
    """What principals act for."""

    owner: Owner
    principals: tuple[str, ...] = Field(min_length=1)
    scopes: tuple[Scope, ...] = Field(min_length=1)
    limits: WorkflowLimits = WorkflowLimits()
