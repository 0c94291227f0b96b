"""What can a configuration say? What contradicts itself, or cannot be enforced, is refused in `checks`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from mcp_migrate.errors import NotPermittedError, UnknownTargetError
from mcp_migrate.model import Tier, digest
from mcp_migrate.settings.anchoring import Checkpoints
from mcp_migrate.settings.channels import Channel
from mcp_migrate.settings.http import Http
from mcp_migrate.settings.packages import package_folder
from mcp_migrate.settings.people import Identity, Step
from mcp_migrate.settings.policy import ApprovalRule, BreakGlass, Reconciling, Reviewer, RulePolicy
from mcp_migrate.settings.redact import Redact
from mcp_migrate.settings.references import resolve
from mcp_migrate.settings.target import LOWEST_CAGE, CageName, Target
from mcp_migrate.settings.telemetry import Collector
from mcp_migrate.settings.values import Duration, Part
from mcp_migrate.settings.workflow import FreezeSignal, Workflow

FLOOR = timedelta(days=183)
"""Six months, which Article 19 of Regulation (EU) 2024/1689 asks of logs as the least."""


class ReviewPages(Part):
    """Where people find the review pages."""

    url: str | None = Field(None, description="Their address as people reach it, as https://review.example.com.")
    port: int | None = Field(None, ge=1, le=65535, description="Their port on this machine; otherwise a free one.")

    @property
    def address(self) -> str | None:
        """What stays the same over restarts, without a slash at its end; None where nothing does."""
        return self.url or (f"http://localhost:{self.port}" if self.port else None)


class Retained(Part):
    """How long entries of the ledger stay whole before they may be purged."""

    keep: Duration = Field(FLOOR, ge=FLOOR, description="Nothing younger is purged; never less than 183 days.")


class Pausing(Part):
    """How a call waits for people in its client."""

    hold: Duration = Field(
        timedelta(seconds=45), le=timedelta(minutes=10), description="How long a call stays open for a decision."
    )


class Settings(Part):
    """A whole configuration."""

    version: Literal[1] = Field(description="Of this grammar.")
    ledger: str = Field(
        "sqlite:///.mcp-migrate/ledger.db",
        repr=False,
        description="sqlite:///PATH or postgresql://USER@HOST/NAME; secrets as ${env:NAME} or ${file:PATH}.",
    )
    redact: tuple[Redact, ...] = Field((), description="What the ledger keeps of arguments as a tag only.")
    redaction_key: str | None = Field(
        None, description="Key of the tags, as ${env:NAME} or ${file:PATH}; otherwise a file beside the ledger."
    )
    tool_specs: tuple[Path, ...] = Field((), description="Folders with tools of your own.")
    tool_packages: tuple[str, ...] = Field(
        (), description="Installed packages with tools of your own, by the names of their entry points."
    )
    targets: dict[str, Target] = Field(min_length=1, description="Each database, by its name.")
    workflows: dict[str, Workflow] = Field(min_length=1, description="What callers act for, by its name.")
    admins: tuple[str, ...] = Field((), description="SSH keys whose signature lets reviewers in, as in a .pub file.")
    reviewers: dict[str, Reviewer] = Field(default_factory=dict, description="Whose signature counts, by name.")
    approvals: tuple[ApprovalRule, ...] = Field((), description="When people must sign, and who.")
    break_glass: BreakGlass | None = Field(None, description="Without it nobody acts alone.")
    notify: tuple[Channel, ...] = Field((), description="How people are reached; without it they look themselves.")
    review: ReviewPages = ReviewPages()
    http: Http | None = Field(None, description="Without it the server serves its standard input alone.")
    checkpoints: Checkpoints | None = Field(None, description="Without it nobody outside knows the ledger's head.")
    retention: Retained = Retained()
    telemetry: Collector | None = Field(None, description="Without it spans and metrics go nowhere.")
    pausing: Pausing = Pausing()
    rules: RulePolicy = RulePolicy()
    reconcile: Reconciling = Reconciling()
    lowest_cage: dict[Tier, CageName] = Field(
        default_factory=lambda: dict(LOWEST_CAGE),
        description="The weakest cage that revisions are recorded in, by tier.",
    )
    freezes: tuple[FreezeSignal, ...] = Field((), max_length=10, description="What outside may say `freeze`.")
    delegators: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="SSH keys with which a principal or worker hands leave on, by its name."
    )
    identity: Identity = Identity()
    people: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Principals, or subjects of an issuer, that are one person; by their name."
    )
    separation: dict[Tier, tuple[Step, ...]] = Field(
        default_factory=dict, description="Steps of a change that need different people, by tier."
    )
    _path: Path | None = PrivateAttr(None)
    _read_as: str | None = PrivateAttr(None)

    @property
    def path(self) -> Path | None:
        """The file it was read from; None for the local profile."""
        return self._path

    @property
    def read_as(self) -> str | None:
        """The digest of the bytes that were read."""
        return self._read_as

    @property
    def ledger_head(self) -> Path:
        """Where this machine remembers the head of a ledger that lies on a server."""
        file = self._path or Path.cwd() / "mcp-migrate.yaml"
        return file.parent / ".mcp-migrate" / f"{file.stem}.ledger-head"

    @property
    def tool_folders(self) -> Mapping[Path, str | None]:
        """The folders with tools of a team, each with how the names of its tools begin, if it is a package.

        Raises:
            ConfigInvalidError: a package is not installed.
        """
        packages = {package_folder(name): name for name in self.tool_packages}
        return {**dict.fromkeys(self.tool_specs), **packages}

    def resolved_ledger(self) -> str:
        """The ledger's URL with its references resolved; not to be logged. Raises: CredentialFailedError."""
        return resolve(self.ledger)

    @property
    def digest(self) -> str:
        """Over everything that is said; secrets count as the references they are."""
        return digest(self.model_dump(mode="json"))

    def cage_of(self, tier: Tier) -> CageName:
        """The weakest cage for targets of `tier`."""
        return self.lowest_cage.get(tier, LOWEST_CAGE[tier])

    def separated(self, target: str | None) -> frozenset[Step]:
        """The steps that need different people on `target`."""
        return frozenset(self.separation.get(self.targets[target].tier, ())) if target in self.targets else frozenset()

    def person_of(self, name: str) -> str | None:
        """Whose principal or subject this is, where `people` says so."""
        return next((person for person, names in self.people.items() if name in names), None)

    def workflow_of(self, principal: str) -> tuple[str, Workflow]:
        """The workflow that `principal` acts for. Raises: NotPermittedError."""
        for name, workflow in self.workflows.items():
            if principal in workflow.members:
                return name, workflow
        raise NotPermittedError(
            f"{principal!r} belongs to no workflow.",
            hint="An admin has to add it to the `principals` of a workflow in the configuration.",
        )

    def target(self, name: str) -> Target:
        """The target `name`. Raises: UnknownTargetError."""
        if name in self.targets:
            return self.targets[name]
        near: list[Any] = difflib.get_close_matches(name, self.targets, n=1)
        known = ", ".join(sorted(self.targets))
        raise UnknownTargetError(
            f"There is no target {name[:100]!r}.",
            hint=f"Did you mean {near[0]}?" if near else f"Targets are: {known}.",
        )
