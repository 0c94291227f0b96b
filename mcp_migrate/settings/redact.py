"""How does an admin say which arguments of calls stay off the record?"""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from mcp_migrate.settings.values import Part


class Redact(Part):
    """Arguments that the ledger keeps as a tag only, beside the credentials that it never holds."""

    tools: tuple[str, ...] = Field(("*",), min_length=1, description="Globs on tools.")
    arguments: tuple[str, ...] = Field(
        min_length=1, description="Globs on places in the arguments: /intent, /upgrade_sql/*; * crosses slashes."
    )
    pattern: str | None = Field(
        None, min_length=1, description="Regular expression: only what it finds is redacted, not the whole value."
    )

    @field_validator("arguments")
    @classmethod
    def _are_places(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        for place in arguments:
            if not place.startswith("/"):
                raise ValueError(f"{place!r} is no place in arguments, as /intent and /upgrade_sql/* are")
        return arguments

    @field_validator("pattern")
    @classmethod
    def _finds_something(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                empty = re.compile(pattern).search("")
            except re.error as error:
                raise ValueError(f"this is no regular expression: {error}") from error
            if empty:
                raise ValueError("this expression finds nothing, everywhere")
        return pattern
