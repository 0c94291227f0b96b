"""What can be said of a workflow? Who answers for it, who acts, and what they may do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mcp_migrate.model import Effect, Tier
from mcp_migrate.settings.networks import Around
from mcp_migrate.settings.url_checks import is_protected
from mcp_migrate.settings.values import Duration, Globs, Part, Seconds


class Owner(Part):
    """The person who answers for a workflow."""

    name: str = Field(min_length=1, description="As people know them.")
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="Where they are reached.")


class _Asked(Part):
    """Something outside that is asked now."""

    file: Path | None = Field(None, description="A file whose first word counts.")
    url: str | None = Field(None, description="An address that answers with such a text.")
    within: Seconds = Field(2.0, gt=0, le=10, description="How long an address may take.")

    @property
    def places(self) -> tuple[str, ...]:
        """Where it can be asked."""
        return ("file", "url")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, place) is not None for place in self.places) != 1:
            raise ValueError(f"it is asked in one place: {' or '.join(f'`{place}`' for place in self.places)}")
        if self.url is not None and not is_protected(self.url):
            raise ValueError("what this address answers can be changed on the way; write an https URL")
        return self

    @property
    def source(self) -> str:
        """What is asked."""
        return str(self.file or self.url)


class While(_Asked):
    """A scope holds while this says `open`; {ticket} in it is the call's. What cannot be asked does not say so."""

    approval: Literal["ticket"] | None = Field(
        None, description="`ticket`: while people's approval of a change with the call's ticket is open."
    )

    @property
    def places(self) -> tuple[str, ...]:
        return ("file", "url", "approval")

    @property
    def condition(self) -> str:
        """What has to be so, in words."""
        return "an approval with the call's ticket is open" if self.approval else f"{self.source} says `open`"


class FreezeSignal(_Asked):
    """Something outside that may say `freeze`; what cannot be asked counts as saying so."""

    targets: Globs = Field(("*",), min_length=1, description="Globs on targets.")


class Scope(Part):
    """Leave to use tools on targets, narrowed by effects, objects, rows, a ticket, times and what is around a call."""

    tools: Globs = Field(min_length=1, description="Globs on tools' scope names.")
    targets: Globs = Field(min_length=1, description="Globs on targets.")
    effects: tuple[Effect, ...] | None = Field(None, description="Beyond `read`; without it only reading.")
    objects: Globs | None = Field(None, min_length=1, description="Globs on schema.table[.column].")
    when: Around | None = None
    max_rows: int | None = Field(None, ge=0, description="Rows concerned, at most.")
    ticket: Literal["required"] | None = Field(None, description="required: each call names one.")
    tiers: tuple[Tier, ...] | None = Field(None, min_length=1, description="Tiers of targets.")
    clients: Globs | None = Field(None, min_length=1, description="Globs on the client's name and version, a claim.")
    plan_age: Duration | None = Field(None, description="How old a plan may be that is applied.")
    while_: While | None = Field(None, alias="while", description="Something outside that has to say `open`.")


Count = Annotated[int, Field(ge=1)]


class Pause(Part):
    """When a principal that keeps trying what is refused has to wait."""

    after: Count = Field(30, description="Refused and failed calls.")
    within: Duration = Field(timedelta(minutes=10), le=timedelta(days=1), description="Counted over this time.")
    lasts: Duration = Field(timedelta(minutes=30), alias="for", description="How long it waits.")


class WorkflowLimits(Part):
    """How much a workflow may ask of people, and do."""

    open_requests: int = Field(20, ge=1, description="Requests that may wait for people at once.")
    calls_per_minute: Count | None = Field(None, description="Calls of all its principals.")
    plans_at_once: Count | None = Field(None, description="Plans that are made or run at one time.")
    plans_per_hour: Count | None = Field(None, description="Plans of all its principals.")
    plan_statements: int | None = Field(None, ge=1, description="Statements that one plan may have.")
    applies_per_day: Count | None = Field(None, description="Applies and rollbacks that begin, in 24 hours.")
    pause: Pause = Pause()


class Workflow(Part):
    """What principals act for."""

    owner: Owner
    principals: tuple[str, ...] = Field(min_length=1, description="Who acts for it; each in one workflow alone.")
    workers: tuple[str, ...] = Field(
        (), description="Who acts only by what a principal hands on: `mcp-migrate delegate`."
    )
    scopes: tuple[Scope, ...] = Field(min_length=1, description="What it may do; nothing else.")
    limits: WorkflowLimits = WorkflowLimits()

    @property
    def members(self) -> tuple[str, ...]:
        """All who act for it."""
        return (*self.principals, *self.workers)
