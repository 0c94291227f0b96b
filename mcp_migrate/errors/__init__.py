"""What can go wrong, and what should happen next?

Every refusal and failure has a stable ``code``, one sentence, typed details and the next legitimate step.
No exception of another library crosses the server: whoever calls one translates it into one of these.
The files are the sections of docs/errors.md.
"""

from mcp_migrate.errors.applying import (
    ApplyNotFoundError,
    CredentialFailedError,
    LockedError,
    LockTimeoutError,
    PartiallyAppliedError,
    StatementFailedError,
    TargetUnreachableError,
    UndoConflictError,
    UndoGoneError,
    ValidationFailedError,
)
from mcp_migrate.errors.approval import (
    AlreadyUsedError,
    ApprovalDeniedError,
    ApprovalExpiredError,
    ApprovalInvalidError,
    RequestNotFoundError,
    SelfApprovalError,
)
from mcp_migrate.errors.base import Action, MigrateError
from mcp_migrate.errors.call import (
    CancelledError,
    IntentExceededError,
    IntentMissingError,
    InternalError,
    InvalidArgumentsError,
    RequestStateInvalidError,
    UnknownTargetError,
    UnknownToolError,
)
from mcp_migrate.errors.leave import (
    InsufficientScopeError,
    IssuerUnreachableError,
    LimitReachedError,
    NotPermittedError,
    NotSeparatedError,
    PausedError,
    ServerUnreachableError,
    TargetFrozenError,
    TokenInvalidError,
    TooManyRequestsError,
)
from mcp_migrate.errors.planning import (
    PlanExpiredError,
    PlanNotFoundError,
    PlanStaleError,
    PreconditionFailedError,
    RehearsalFailedError,
    RenderFailedError,
    UnreconciledError,
)
from mcp_migrate.errors.record import (
    CheckpointInvalidError,
    EvidenceInvalidError,
    LedgerCorruptError,
    LedgerUnavailableError,
    RetentionError,
    SegmentInvalidError,
    WitnessFailedError,
)
from mcp_migrate.errors.setup import ConfigInvalidError, NotificationFailedError

__all__ = [
    "Action",
    "AlreadyUsedError",
    "ApplyNotFoundError",
    "ApprovalDeniedError",
    "ApprovalExpiredError",
    "ApprovalInvalidError",
    "CancelledError",
    "CheckpointInvalidError",
    "ConfigInvalidError",
    "CredentialFailedError",
    "EvidenceInvalidError",
    "InsufficientScopeError",
    "IntentExceededError",
    "IntentMissingError",
    "InternalError",
    "InvalidArgumentsError",
    "IssuerUnreachableError",
    "LedgerCorruptError",
    "LedgerUnavailableError",
    "LimitReachedError",
    "LockTimeoutError",
    "LockedError",
    "MigrateError",
    "NotPermittedError",
    "NotSeparatedError",
    "NotificationFailedError",
    "PartiallyAppliedError",
    "PausedError",
    "PlanExpiredError",
    "PlanNotFoundError",
    "PlanStaleError",
    "PreconditionFailedError",
    "RehearsalFailedError",
    "RenderFailedError",
    "RequestNotFoundError",
    "RequestStateInvalidError",
    "RetentionError",
    "SegmentInvalidError",
    "SelfApprovalError",
    "ServerUnreachableError",
    "StatementFailedError",
    "TargetFrozenError",
    "TargetUnreachableError",
    "TokenInvalidError",
    "TooManyRequestsError",
    "UndoConflictError",
    "UndoGoneError",
    "UnknownTargetError",
    "UnknownToolError",
    "UnreconciledError",
    "ValidationFailedError",
    "WitnessFailedError",
]
