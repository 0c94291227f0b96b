"""What can be said of where the credential of a step comes from?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mcp_migrate.settings.values import Part, Seconds

BrokerName = Literal["static", "postgres-role", "postgres-sealed", "command", "vault", "mysql-user", "aws-rds-iam"]


STORE = "mcp_migrate_sealed"
"""The schema of sealed plans, in a target that runs no other."""


class CommandOptions(Part):
    """The team's own program. It reads JSON on its standard input; there is no shell."""

    issue: tuple[str, ...] = Field(min_length=1, description="Prints JSON: url, expires, role and handle.")
    revoke: tuple[str, ...] = Field(min_length=1, description="Ends sessions and credential of that role and handle.")
    within: Seconds = Field(30.0, gt=0, le=300, description="How long each may take.")


class VaultOptions(Part):
    """The database engine of HashiCorp Vault or OpenBao."""

    address: str = Field(description="https://HOST:PORT, or http://localhost:PORT.")
    token: str = Field(repr=False, description="A reference to its token.")
    mount: str = Field("database", pattern=r"^[\w./-]+$", description="Where the engine is mounted.")
    namespace: str | None = Field(None, description="Of Vault, where there are several.")
    read: str = Field(pattern=r"^[\w.-]+$", description="Its role for steps that only read.")
    apply: str = Field(pattern=r"^[\w.-]+$", description="Its role for steps that change something.")


class RdsOptions(Part):
    """The users of a database of RDS or Aurora that log in by a token of AWS."""

    region: str = Field(pattern=r"^[a-z0-9-]+$", description="Where the database is, as eu-central-1.")
    read: str = Field(min_length=1, description="The user of steps that only read.")
    apply: str = Field(min_length=1, description="The user of steps that change something.")
    endpoint: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]+:\d{1,5}$",
        description="HOST:PORT as AWS calls it, where the url has another name for it.",
    )


class Credentials(Part):
    """Where a step's credential comes from."""

    broker: BrokerName = Field(
        "static",
        description="static: the URL's own key. postgres-role: a role for each step, made by the URL's role. "
        "postgres-sealed: a role for each step, which runs only plans that a person has sealed. "
        "mysql-user: an account for each step, made by procedures of an admin's. "
        "command: from a program. vault: from HashiCorp Vault or OpenBao. aws-rds-iam: a token of AWS for each step.",
    )
    owner_role: str | None = Field(None, min_length=1, description="What a step that changes something acts as.")
    reader_role: str | None = Field(None, min_length=1, description="What a step that only reads is a member of.")
    mint: str | None = Field(
        None,
        pattern=r"^[a-z_][a-z0-9_]*$",
        description="The schema with the functions that make and drop roles.",
    )
    command: CommandOptions | None = None
    vault: VaultOptions | None = None
    rds: RdsOptions | None = None
    ttl: Seconds = Field(900.0, ge=5, le=86_400, description="After this long a step's credential is ended.")
