"""The values that stages, tools and families hand to each other: `plan` (what would run) and `flow` (one call)."""

from mcp_migrate.model.caller import PROOFS, Caller, Party, Proof
from mcp_migrate.model.canonical import canonical, digest
from mcp_migrate.model.flow import (
    Approved,
    Automatic,
    Call,
    Classified,
    Covered,
    Executed,
    Expects,
    Granted,
    Pending,
    Permitted,
    Prepared,
    Present,
    Validated,
    Work,
)
from mcp_migrate.model.grant import Grant
from mcp_migrate.model.left import LeftHead
from mcp_migrate.model.plan import Judgement, Plan, Read, Reverse, Statement
from mcp_migrate.model.precondition import Precondition, Unmet
from mcp_migrate.model.quorum import ANYBODY, Demanded, Quorum, TooFew
from mcp_migrate.model.rehearsal import Rehearsal, Restored, Tried
from mcp_migrate.model.resuming import Resumes
from mcp_migrate.model.undo import Kept, Undo
from mcp_migrate.model.words import ALWAYS_APPROVED, STRENGTH, Assurance, Effect, Tier

__all__ = [
    "ALWAYS_APPROVED",
    "ANYBODY",
    "PROOFS",
    "STRENGTH",
    "Approved",
    "Assurance",
    "Automatic",
    "Call",
    "Caller",
    "Classified",
    "Covered",
    "Demanded",
    "Effect",
    "Executed",
    "Expects",
    "Grant",
    "Granted",
    "Judgement",
    "Kept",
    "LeftHead",
    "Party",
    "Pending",
    "Permitted",
    "Plan",
    "Precondition",
    "Prepared",
    "Present",
    "Proof",
    "Quorum",
    "Read",
    "Rehearsal",
    "Restored",
    "Resumes",
    "Reverse",
    "Statement",
    "Tier",
    "TooFew",
    "Tried",
    "Undo",
    "Unmet",
    "Validated",
    "Work",
    "canonical",
    "digest",
]
