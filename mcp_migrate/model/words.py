"""Which few words stand for what a statement does, what a target is and how sure a signature makes us?"""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What a statement does; a statement may have several."""

    READ = "read"
    ADDITIVE = "additive"
    DATA = "data"
    DESTRUCTIVE = "destructive"
    BREAKING = "breaking"
    BLOCKING = "blocking"
    PRIVILEGE = "privilege"
    UNKNOWN = "unknown"


ALWAYS_APPROVED = frozenset({Effect.DESTRUCTIVE, Effect.BREAKING, Effect.PRIVILEGE, Effect.UNKNOWN})
"""Effects that wait for a person whatever the configuration says."""


class Tier(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Assurance(StrEnum):
    """How sure a signature makes us that a person was there."""

    SOFTWARE = "software"
    PRESENCE = "presence"
    VERIFIED = "verified"


STRENGTH = tuple(Assurance)
"""From the weakest to the strongest."""
