"""What can be said of who acts? How sure one has to be of a name, and which steps need different people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mcp_migrate.model import Proof, Tier
from mcp_migrate.settings.values import Part

Step = Literal["plan", "apply", "validate"]


class Identity(Part):
    """How sure one has to be of who calls."""

    least: dict[Tier, Proof] = Field(
        default_factory=dict, description="What has to prove a caller's name, by the tier of the target."
    )
