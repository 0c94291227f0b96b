"""What can a configuration say? The grammar is the final one; what is not enforced yet is refused in `checks`."""

from __future__ import annotations

import difflib
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from mcp_migrate.errors import NotPermittedError, UnknownTargetError
from mcp_migrate.model import Effect, Tier, digest
from mcp_migrate.settings.anchoring import Checkpoints
from mcp_migrate.settings.channels import Channel
from mcp_migrate.settings.redact import Redact
from mcp_migrate.settings.references import resolve
from mcp_migrate.settings.values import Duration, Part, Seconds, Window

Globs = tuple[str, ...]
CageName = Literal["none", "landlock", "sandbox"]


LOWEST_CAGE: dict[Tier, CageName] = {Tier.DEVELOPMENT: "none", Tier.STAGING: "landlock", Tier.PRODUCTION: "sandbox"}


class Credentials(Part):
    """Where a step's credential comes from."""

    broker: Literal["static", "postgres-role", "postgres-sealed", "mysql-user", "aws-rds-iam", "vault", "command"] = (
        Field("static", description="static: the URL's own. The others come with step credentials.")
    )
    owner_role: str | None = None
    ttl: Seconds | None = None


class TargetLimits(Part):
    """How long an apply may wait and run."""

    lock_timeout: Seconds = Field(3.0, description="How long to wait for a lock.")
    lock_retries: int = Field(3, ge=0, le=20, description="How often to begin again when a lock was not free in time.")
    statement_timeout: Seconds = Field(600.0, description="How long one statement may run.")
    oldest_transaction: Seconds | None = Field(
        None, gt=0, description="With an older transaction on tables of the plan an apply does not begin."
    )
    undo_rows: int = Field(1_000_000, ge=0, description="Rows of one table that are kept for a rollback, at most.")
    undo_park: int | Literal["never"] = Field(
        1_000_000,
        ge=1,
        description="Rows of a table from which on what is dropped of it is moved aside instead of copied; or never.",
    )
    undo_keep: Duration = Field(timedelta(days=14), description="How long they are kept.")
    auto_rollback: bool = Field(
        default=False, description="Take an apply back by itself when a check that held before it fails after it."
    )


class Rehearsal(Part):
    """Whether the frozen statements of a plan are tried before anyone is asked."""

    on: Literal["scratch", "off"] = Field(
        "scratch", description="scratch: on a database that is thrown away. off: not at all, and each plan is unknown."
    )
    rows: Literal["auto", "never"] = Field(
        "auto", description="auto: the scratch database gets the rows of the tables that revisions read."
    )
    max_rows: int = Field(100_000, ge=1, description="With more rows than these none are copied.")


class CageOptions(Part):
    """How the project's Python is shut in while it is recorded."""

    use: CageName | None = Field(None, description="Another cage than the strongest of this machine.")
    readable: tuple[Path, ...] = Field((), description="Folders and files that revisions read outside the project.")


class Check(Part):
    """What a project promises of its rows: a query that returns none while all is well."""

    name: str = Field(min_length=1, max_length=80)
    sql: str = Field(min_length=1, description="One query. Names without a schema are looked for in `public`.")
    within: Seconds = Field(10.0, gt=0, le=600, description="How long it may take.")


class Target(Part):
    """A database and the Alembic project that defines it."""

    tier: Tier
    alembic: Path = Field(description="The project's alembic.ini.")
    python: Path | None = Field(
        None, description="The project's own Python, as ./.venv/bin/python; it has its SQLAlchemy and Alembic."
    )
    url: str = Field(repr=False, description="SQLAlchemy URL; secrets as ${env:NAME}, ${file:PATH} or ${ini:KEY}.")
    models: str | None = Field(None, description="Metadata to compare with, as shop.models:Base.metadata.")
    environment: dict[str, str] = Field({}, description="Stand-in values for names that env.py reads.")
    credentials: Credentials = Credentials()
    limits: TargetLimits = TargetLimits()
    rehearsal: Rehearsal = Rehearsal()
    cage: CageOptions = CageOptions()
    unsafe_software_keys: bool = Field(
        default=False,
        description="Keys that prove nobody's presence may approve what destroys on this production target.",
    )
    checks: tuple[Check, ...] = Field((), max_length=50, description="What `migration_validate` asks as well.")

    def resolved_url(self) -> str:
        """The URL with its references resolved; not to be logged. Raises: CredentialFailedError."""
        url = resolve(self.url, ini=self.alembic)
        if url.startswith("sqlite") and ":///" in url and not url.split(":///", 1)[1].startswith("/"):
            driver, _, path = url.partition(":///")
            return f"{driver}:///{self.alembic.parent / path}"
        return url


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


class Reviewer(Part):
    """A person whose signature counts."""

    ssh_keys: tuple[str, ...] = Field((), description="Lines as in a .pub file.")
    passkeys: tuple[str, ...] = Field((), description="Lines that `mcp-migrate reviewers enroll` shows.")
    groups: tuple[str, ...] = ()
    email: str | None = None


class RuleWhen(Part):
    """What a rule matches; every part that is given must fit."""

    effects: tuple[Effect, ...] | None = Field(None, min_length=1)
    tier: Tier | None = None
    targets: Globs | None = Field(None, min_length=1)
    tools: Globs | None = Field(None, min_length=1)
    objects: Globs | None = Field(
        None, min_length=1, description="Globs on schema.table[.column], and what holds them."
    )
    rows_over: int | None = Field(None, ge=0, description="More rows are concerned than these.")
    irreversible: bool | None = Field(None, description="Whether a rollback leaves something lost.")
    during: Window | None = Field(None, description="The hours at which it holds.")


class Demand(Part):
    """Who must sign."""

    from_: str = Field("*", alias="from", description="A group of reviewers, or * for any.")
    count: int = Field(1, ge=1)
    expires: Duration = Field(timedelta(hours=4), description="How long people may decide.")
    execute_within: Duration = Field(timedelta(hours=4), description="How long a signature may be used.")
    assurance: Literal["software", "presence", "verified", "hardware"] = "software"
    never: tuple[Literal["requester", "owner"], ...] = ("requester",)
    deny: Literal["one", "quorum"] = Field("one", description="How many have to say no to end it.")


class ApprovalRule(Part):
    """When people must sign, and who. Each rule that matches has to be satisfied."""

    when: RuleWhen
    require: Demand = Demand()


Level = Literal["software", "presence", "verified"]


class BreakGlass(Part):
    """Who may act alone when nobody else can be reached, and with what."""

    people: tuple[str, ...] = Field(min_length=1, description="Reviewers, by name.")
    assurance: tuple[Level, Level] = Field(
        ("presence", "verified"), description="They sign twice, with two keys of these two levels."
    )


class Accepted(Part):
    """A rule whose `breaking` or `blocking` an admin accepts on some targets."""

    rule: str = Field(min_length=1, description="Its id, as `mcp-migrate rules list` shows it.")
    targets: Globs = Field(min_length=1, description="Globs on targets.")
    reason: str = Field(min_length=8, description="Why; for whoever reads this later.")


class RulePolicy(Part):
    """What the rules on statements mean here."""

    raise_: dict[str, tuple[Effect, ...]] = Field(
        default_factory=dict, alias="raise", description="Effects that a rule has beside its own, by the rule's id."
    )
    accept: tuple[Accepted, ...] = Field((), description="Rules that need not wait for people on some targets.")


class ReviewPages(Part):
    """Where people find the review pages."""

    url: str | None = Field(None, description="Their address as people reach it, as https://review.example.com.")
    port: int | None = Field(None, ge=1, le=65535, description="Their port on this machine; otherwise a free one.")

    @property
    def address(self) -> str | None:
        """What stays the same over restarts, without a slash at its end; None where nothing does."""
        return self.url or (f"http://localhost:{self.port}" if self.port else None)


class Pausing(Part):
    """How a call waits for people in its client."""

    hold: Duration = Field(
        timedelta(seconds=45), le=timedelta(minutes=10), description="How long a call stays open for a decision."
    )


class Settings(Part):
    """A whole configuration."""

    version: Literal[1]
    ledger: str = Field(
        "sqlite:///.mcp-migrate/ledger.db",
        repr=False,
        description="sqlite:///PATH or postgresql://USER@HOST/NAME; secrets as ${env:NAME} or ${file:PATH}.",
    )
    redact: tuple[Redact, ...] = Field((), description="What the ledger keeps of arguments as a tag only.")
    redaction_key: str | None = Field(
        None, description="Key of the tags, as ${env:NAME} or ${file:PATH}; otherwise a file beside the ledger."
    )
    tool_specs: tuple[Path, ...] = ()
    targets: dict[str, Target] = Field(min_length=1)
    workflows: dict[str, Workflow] = Field(min_length=1)
    admins: tuple[str, ...] = Field((), description="SSH keys whose signature lets reviewers in, as in a .pub file.")
    reviewers: dict[str, Reviewer] = Field(default_factory=dict)
    approvals: tuple[ApprovalRule, ...] = ()
    break_glass: BreakGlass | None = Field(None, description="Without it nobody acts alone.")
    notify: tuple[Channel, ...] = Field((), description="How people are reached; without it they look themselves.")
    review: ReviewPages = ReviewPages()
    checkpoints: Checkpoints | None = Field(None, description="Without it nobody outside knows the ledger's head.")
    pausing: Pausing = Pausing()
    rules: RulePolicy = RulePolicy()
    lowest_cage: dict[Tier, CageName] = Field(
        default_factory=lambda: dict(LOWEST_CAGE),
        description="The weakest cage that revisions are recorded in, by tier.",
    )
    separation: dict[Tier, tuple[Literal["plan", "apply", "validate"], ...]] = Field(default_factory=dict)
    _path: Path | None = PrivateAttr(None)

    @property
    def path(self) -> Path | None:
        """The file it was read from; None for the local profile."""
        return self._path

    @property
    def ledger_head(self) -> Path:
        """Where this machine remembers the head of a ledger that lies on a server."""
        file = self._path or Path.cwd() / "mcp-migrate.yaml"
        return file.parent / ".mcp-migrate" / f"{file.stem}.ledger-head"

    def resolved_ledger(self) -> str:
        """The ledger's URL with its references resolved; not to be logged. Raises: CredentialFailedError."""
        return resolve(self.ledger, ini=Path("alembic.ini"))

    @property
    def digest(self) -> str:
        """Over everything that is said; secrets count as the references they are."""
        return digest(self.model_dump(mode="json"))

    def cage_of(self, tier: Tier) -> CageName:
        """The weakest cage for targets of `tier`."""
        return self.lowest_cage.get(tier, LOWEST_CAGE[tier])

    def workflow_of(self, principal: str) -> tuple[str, Workflow]:
        """The workflow that `principal` acts for. Raises: NotPermittedError."""
        for name, workflow in self.workflows.items():
            if principal in workflow.principals:
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
