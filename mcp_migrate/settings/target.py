"""What can be said of a target? Its database, its project, and how an apply there may go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from mcp_migrate.model import Tier
from mcp_migrate.settings.credentials import Credentials
from mcp_migrate.settings.references import resolve
from mcp_migrate.settings.values import Duration, Part, Seconds

CageName = Literal["none", "landlock", "sandbox"]

LOWEST_CAGE: dict[Tier, CageName] = {Tier.DEVELOPMENT: "none", Tier.STAGING: "landlock", Tier.PRODUCTION: "sandbox"}


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

    name: str = Field(min_length=1, max_length=80, description="What it is called in answers.")
    sql: str = Field(min_length=1, description="One query. Names without a schema are looked for in `public`.")
    within: Seconds = Field(10.0, gt=0, le=600, description="How long it may take.")


class Target(Part):
    """A database and the Alembic project that defines it."""

    tier: Tier = Field(description="How much depends on it; production needs credentials of a step.")
    alembic: Path = Field(description="The project's alembic.ini, or its pyproject.toml where there is none.")
    section: str = Field("alembic", min_length=1, description="The section of alembic.ini, as `alembic --name` has it.")
    database: str | None = Field(
        None, min_length=1, description="Of a project whose `databases` names several: which of them this is."
    )
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
    marker: bool = Field(
        default=False,
        description="Leave the ledger's head in a table of ours with each apply: it shows a ledger that was put back.",
    )
    checks: tuple[Check, ...] = Field((), max_length=50, description="What `migration_validate` asks as well.")

    def resolved_url(self) -> str:
        """The URL with its references resolved; not to be logged. Raises: CredentialFailedError."""
        url = resolve(self.url, ini=self.alembic, section=self.database or self.section)
        if url.startswith("sqlite") and ":///" in url and not url.split(":///", 1)[1].startswith("/"):
            driver, _, path = url.partition(":///")
            return f"{driver}:///{self.alembic.parent / path}"
        return url
