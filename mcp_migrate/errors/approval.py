"""Why does the word of people not, or not yet, count?"""

from __future__ import annotations

from mcp_migrate.errors.base import Action, MigrateError


class ApprovalDeniedError(MigrateError):
    """A reviewer said no, and that stands."""

    code = "approval_denied"
    action = Action.NARROW_PLAN


class ApprovalExpiredError(MigrateError):
    """Nobody decided in time, or the approval was not used in time."""

    code = "approval_expired"
    action = Action.REPLAN


class AlreadyUsedError(MigrateError):
    """An approval was already consumed by another apply."""

    code = "approval_used"
    action = Action.REPLAN


class ApprovalInvalidError(MigrateError):
    """A decision whose signature, statement or reviewer does not hold."""

    code = "approval_invalid"


class SelfApprovalError(MigrateError):
    """The one who asks may not be the one who approves."""

    code = "self_approval"


class RequestNotFoundError(MigrateError):
    """The record knows no request of this id that this caller may see."""

    code = "request_not_found"


class NotSealedError(MigrateError):
    """The plan is approved, and nobody has placed it in the target yet, which runs nothing else."""

    code = "not_sealed"
    action = Action.AWAIT_APPROVAL
