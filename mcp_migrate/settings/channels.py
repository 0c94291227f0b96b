"""How are people reached? Each channel carries a summary and where to look, never a value, never a decision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mcp_migrate.settings.values import Part, Seconds

Occasion = Literal["requested", "reminder", "decided", "expired", "finished"]
OCCASIONS: tuple[Occasion, ...] = ("requested", "reminder", "decided", "expired", "finished")


class _Channel(Part):
    """What every channel has."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="What it is called on the ledger.")
    on: tuple[Occasion, ...] = Field(OCCASIONS, min_length=1, description="What it is told.")
    within: Seconds = Field(10.0, gt=0, le=60, description="How long one attempt may take.")


class CommandChannel(_Channel):
    """A program that reads the notice as JSON on its standard input."""

    kind: Literal["command"]
    run: tuple[str, ...] = Field(min_length=1, description="The program and its arguments; no shell.")


class WebhookChannel(_Channel):
    """A POST of JSON, signed as Standard Webhooks says."""

    kind: Literal["webhook"]
    url: str = Field(repr=False, description="Where to; secrets as references.")
    secret: str = Field(repr=False, description="A reference to the shared secret, `whsec_` and base64.")


class ChatChannel(_Channel):
    """An incoming webhook of Slack or Teams. Its URL is the secret, so that it is a reference."""

    kind: Literal["slack", "teams"]
    url: str = Field(repr=False, description="A reference to the incoming webhook's URL.")


class MailChannel(_Channel):
    """A mail over SMTP."""

    kind: Literal["email"]
    to: tuple[str, ...] = Field(min_length=1, description="Addresses.")
    sender: str = Field(alias="from", description="The sender's address.")
    server: str = Field(pattern=r"^[^\s:]+:\d+$", description="host:port")
    security: Literal["starttls", "tls", "unsafe_plain"] = Field("starttls", description="How the line is protected.")
    user: str | None = Field(None, description="As whom to log in.")
    password: str | None = Field(None, repr=False, description="A reference.")


Channel = Annotated[CommandChannel | WebhookChannel | ChatChannel | MailChannel, Field(discriminator="kind")]
