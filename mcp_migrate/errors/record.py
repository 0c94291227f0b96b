"""What is wrong with the ledger, or with what is said to prove something of it?"""

from __future__ import annotations

from mcp_migrate.errors.base import Action, MigrateError


class LedgerUnavailableError(MigrateError):
    """The ledger cannot be read or written; nothing executes without it."""

    code = "ledger_unavailable"
    action = Action.ASK_ADMIN


class LedgerCorruptError(MigrateError):
    """The ledger shows tampering."""

    code = "ledger_corrupt"
    action = Action.ASK_ADMIN


class CheckpointInvalidError(MigrateError):
    """What is said to be a signed head of the ledger is none, or nobody who counts signed it."""

    code = "checkpoint_invalid"


class WitnessFailedError(MigrateError):
    """A witness did not take a checkpoint, or cannot be asked what it holds."""

    code = "witness_failed"


class SegmentInvalidError(MigrateError):
    """A file that is said to hold a sealed part of the ledger does not."""

    code = "segment_invalid"


class RetentionError(MigrateError):
    """What was to be sealed or purged is too young for it."""

    code = "retention_floor"


class EvidenceInvalidError(MigrateError):
    """A file that is said to prove an apply does not."""

    code = "evidence_invalid"
