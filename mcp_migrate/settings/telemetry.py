"""Which collector is told what the server does?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from mcp_migrate.settings.problems import Problem
from mcp_migrate.settings.references import AS_REFERENCE, is_reference, resolve
from mcp_migrate.settings.url_checks import is_protected
from mcp_migrate.settings.values import Duration, Part

if TYPE_CHECKING:
    from mcp_migrate.settings.model import Settings


class Collector(Part):
    """A collector of spans and metrics that speaks OTLP over HTTP."""

    endpoint: str = Field(description="Its address, as http://localhost:4318; /v1/traces and /v1/metrics are added.")
    service: str = Field("mcp-migrate", min_length=1, description="What this server is called there.")
    headers: dict[str, str] = Field({}, repr=False, description="Sent along; values as ${env:NAME} or ${file:PATH}.")
    every: Duration = Field(timedelta(seconds=60), description="How often metrics are sent.")

    def resolved_headers(self) -> Mapping[str, str]:
        """The headers with their references resolved; not to be logged. Raises: CredentialFailedError."""
        return {name: resolve(value) for name, value in self.headers.items()}


def telemetry_problems(settings: Settings) -> Iterator[Problem]:
    """Every problem under `telemetry`."""
    found = settings.telemetry
    if found is None:
        return
    if not is_protected(found.endpoint):
        why = "what is sent there can be read on the way."
        yield Problem(("telemetry", "endpoint"), why, "Write https://…, or an address of this machine.")
    for name, value in found.headers.items():
        if not is_reference(value):
            yield Problem(("telemetry", "headers", name), "a secret stands here in plain text.", AS_REFERENCE)
