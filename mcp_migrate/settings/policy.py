"""What can be said of approvals? Who reviews, when they have to sign, and what the rules on statements mean here."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from mcp_migrate.model import Effect, Tier
from mcp_migrate.settings.values import Duration, Globs, Part, Window


class Reviewer(Part):
    """A person whose signature counts."""

    ssh_keys: tuple[str, ...] = Field((), description="Lines as in a .pub file.")
    passkeys: tuple[str, ...] = Field((), description="Lines that `mcp-migrate reviewers enroll` shows.")
    groups: tuple[str, ...] = Field((), description="What rules name under `from`.")
    email: str | None = Field(None, description="An owner of the same address is the same person.")


class RuleWhen(Part):
    """What a rule matches; every part that is given must fit."""

    effects: tuple[Effect, ...] | None = Field(None, min_length=1, description="A statement has one of these.")
    tier: Tier | None = Field(None, description="The target's.")
    targets: Globs | None = Field(None, min_length=1, description="Globs on targets.")
    tools: Globs | None = Field(None, min_length=1, description="Globs on tools' scope names.")
    objects: Globs | None = Field(
        None, min_length=1, description="Globs on schema.table[.column], and what holds them."
    )
    rows_over: int | None = Field(None, ge=0, description="More rows are concerned than these.")
    irreversible: bool | None = Field(None, description="Whether a rollback leaves something lost.")
    during: Window | None = Field(None, description="The hours at which it holds.")


class Demand(Part):
    """Who must sign."""

    from_: str = Field("*", alias="from", description="A group of reviewers, or * for any.")
    count: int = Field(1, ge=1, description="How many different people.")
    expires: Duration = Field(timedelta(hours=4), description="How long people may decide.")
    execute_within: Duration = Field(timedelta(hours=4), description="How long a signature may be used.")
    assurance: Literal["software", "presence", "verified", "hardware"] = Field(
        "software", description="What a key has to prove at least; hardware is another word for presence."
    )
    never: tuple[Literal["requester", "owner"], ...] = Field(("requester",), description="Who cannot approve.")
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


class Reconciling(Part):
    """What holds where a target was changed by something that is not on the record."""

    block: tuple[Tier, ...] = Field(
        (Tier.PRODUCTION,), description="Tiers on which nothing is applied until a reviewer signs for it."
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
