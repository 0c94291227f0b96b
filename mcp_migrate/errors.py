"""What can go wrong, and what should happen next?

Every refusal and failure has a stable ``code``, one sentence, typed details and the next legitimate step.
No exception of another library crosses the server: whoever calls one translates it into one of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Action(StrEnum):
    """What the caller should do next (the ``next.action`` of a result)."""

    AWAIT_APPROVAL = "await_approval"
    REPLAN = "replan"
    FIX_REVISION = "fix_revision"
    NARROW_PLAN = "narrow_plan"
    ASK_OWNER = "ask_owner"
    APPLY = "apply"
    VALIDATE = "validate"
    NONE = "none"


class MigrateError(Exception):
    """A refusal or failure the caller can act on.

    ``sentence`` says what was got and what was expected; ``hint`` says what to do next; ``details`` are JSON.
    """

    code: ClassVar[str]
    action: ClassVar[Action] = Action.NONE

    def __init__(self, sentence: str, *, hint: str, **details: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        self.details: Mapping[str, Any] = details

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}"


class UnknownTargetError(MigrateError):
    code = "unknown_target"


class UnknownToolError(MigrateError):
    code = "unknown_tool"


class InvalidArgumentsError(MigrateError):
    """The arguments do not fit the tool's input schema."""

    code = "invalid_arguments"


class NotPermittedError(MigrateError):
    """No scope of the workflow allows this call, or its real effects."""

    code = "not_permitted"
    action = Action.ASK_OWNER


class NotSeparatedError(MigrateError):
    """One person took another step of this change, and these two need two people."""

    code = "not_separated"
    action = Action.ASK_OWNER


class InsufficientScopeError(MigrateError):
    """The caller's token stands for less than this call; scopes of the configuration may still allow it."""

    code = "insufficient_scope"


class TokenInvalidError(MigrateError):
    """No token, or one that does not prove who calls."""

    code = "token_invalid"


class IssuerUnreachableError(MigrateError):
    """Whoever could say whether a token holds gave no answer."""

    code = "issuer_unreachable"


class TargetFrozenError(MigrateError):
    """Somebody, or something outside, keeps this target as it is."""

    code = "frozen"
    action = Action.ASK_OWNER


class PausedError(MigrateError):
    """This principal kept trying what was refused, and waits."""

    code = "paused"
    action = Action.ASK_OWNER


class LimitReachedError(MigrateError):
    """The workflow has done as much as it may for now."""

    code = "limit_reached"
    action = Action.ASK_OWNER


class IntentMissingError(MigrateError):
    code = "intent_missing"


class IntentExceededError(MigrateError):
    """The real effects go beyond what the caller said it expects."""

    code = "intent_exceeded"
    action = Action.NARROW_PLAN


class PlanNotFoundError(MigrateError):
    code = "plan_not_found"
    action = Action.REPLAN


class RequestNotFoundError(MigrateError):
    code = "request_not_found"


class ApplyNotFoundError(MigrateError):
    code = "apply_not_found"


class PlanStaleError(MigrateError):
    """The target is no longer what the plan was made for."""

    code = "plan_stale"
    action = Action.REPLAN


class UnreconciledError(MigrateError):
    """The target was changed by something that is not on the record, and nobody has signed for it."""

    code = "unreconciled"
    action = Action.ASK_OWNER


class PlanExpiredError(MigrateError):
    code = "plan_expired"
    action = Action.REPLAN


class ApprovalDeniedError(MigrateError):
    code = "approval_denied"
    action = Action.NARROW_PLAN


class ApprovalExpiredError(MigrateError):
    code = "approval_expired"
    action = Action.REPLAN


class TooManyRequestsError(MigrateError):
    """The workflow has as many open requests as it may have."""

    code = "too_many_requests"
    action = Action.AWAIT_APPROVAL


class RequestStateInvalidError(MigrateError):
    """What a client handed back to continue a call is not what it was given for it."""

    code = "request_state_invalid"


class ApprovalInvalidError(MigrateError):
    """A decision whose signature, statement or reviewer does not hold."""

    code = "approval_invalid"


class SelfApprovalError(MigrateError):
    """The one who asks may not be the one who approves."""

    code = "self_approval"


class LockedError(MigrateError):
    """Another apply is running on this target."""

    code = "locked"


class LockTimeoutError(MigrateError):
    code = "lock_timeout"


class RenderFailedError(MigrateError):
    """The Alembic project could not be turned into SQL."""

    code = "render_failed"
    action = Action.FIX_REVISION


class RehearsalFailedError(MigrateError):
    code = "rehearsal_failed"
    action = Action.FIX_REVISION


class ValidationFailedError(MigrateError):
    """The target did not end where the plan said it would; everything was rolled back."""

    code = "validation_failed"
    action = Action.REPLAN


class UndoGoneError(MigrateError):
    """The undo data that a rollback needs is not on the target any more."""

    code = "undo_gone"
    action = Action.ASK_OWNER


class UndoConflictError(MigrateError):
    """Rows written since the apply stand where undo data would go; nothing was overwritten."""

    code = "undo_conflict"
    action = Action.ASK_OWNER


class StatementFailedError(MigrateError):
    """The database refused a frozen statement; everything was rolled back."""

    code = "statement_failed"
    action = Action.FIX_REVISION


class PreconditionFailedError(MigrateError):
    """Rows of the target are in the way of a constraint that the plan makes; nothing ran."""

    code = "precondition_failed"
    action = Action.FIX_REVISION


class PartiallyAppliedError(MigrateError):
    """Some statements could not be part of one transaction, and a later one failed."""

    code = "partially_applied"
    action = Action.REPLAN


class CredentialFailedError(MigrateError):
    code = "credential_failed"


class TargetUnreachableError(MigrateError):
    code = "target_unreachable"


class ConfigInvalidError(MigrateError):
    """The configuration does not say something we can enforce; nothing starts."""

    code = "config_invalid"


class LedgerUnavailableError(MigrateError):
    """The ledger cannot be read or written; nothing executes without it."""

    code = "ledger_unavailable"


class LedgerCorruptError(MigrateError):
    """The ledger shows tampering."""

    code = "ledger_corrupt"


class CheckpointInvalidError(MigrateError):
    """What is said to be a signed head of the ledger is none, or nobody who counts signed it."""

    code = "checkpoint_invalid"


class EvidenceInvalidError(MigrateError):
    """A file that is said to prove an apply does not."""

    code = "evidence_invalid"


class SegmentInvalidError(MigrateError):
    """A file that is said to hold a sealed part of the ledger does not."""

    code = "segment_invalid"


class RetentionError(MigrateError):
    """What was to be sealed or purged is too young for it."""

    code = "retention_floor"


class WitnessFailedError(MigrateError):
    """A witness did not take a checkpoint, or cannot be asked what it holds."""

    code = "witness_failed"


class AlreadyUsedError(MigrateError):
    """An approval was already consumed by another apply."""

    code = "approval_used"
    action = Action.REPLAN


class CancelledError(MigrateError):
    """The client cancelled before anything was executed."""

    code = "cancelled"


class NotificationFailedError(MigrateError):
    """A channel did not take a notice. Nothing waits for it: it is tried again, and the request stands."""

    code = "notification_failed"


class InternalError(MigrateError):
    """Ours, not the caller's: a defect. The details are in the server's log, never in the result."""

    code = "internal_error"
