"""The values that stages, tools and families hand to each other: `plan` (what would run) and `flow` (one call)."""

from mcp_migrate.model.flow import (
    Approved,
    Call,
    Classified,
    Executed,
    Expects,
    Granted,
    Pending,
    Permitted,
    Prepared,
    Present,
    Quorum,
    Validated,
    Work,
)
from mcp_migrate.model.plan import (
    ALWAYS_APPROVED,
    Assurance,
    Effect,
    Judgement,
    Plan,
    Reverse,
    Statement,
    Tier,
    canonical,
    digest,
)
from mcp_migrate.model.precondition import Precondition, Unmet
from mcp_migrate.model.rehearsal import Rehearsal, Tried
from mcp_migrate.model.undo import Kept, Undo

__all__ = [
    "ALWAYS_APPROVED",
    "Approved",
    "Assurance",
    "Call",
    "Classified",
    "Effect",
    "Executed",
    "Expects",
    "Granted",
    "Judgement",
    "Kept",
    "Pending",
    "Permitted",
    "Plan",
    "Precondition",
    "Prepared",
    "Present",
    "Quorum",
    "Rehearsal",
    "Reverse",
    "Statement",
    "Tier",
    "Tried",
    "Undo",
    "Unmet",
    "Validated",
    "Work",
    "canonical",
    "digest",
]
