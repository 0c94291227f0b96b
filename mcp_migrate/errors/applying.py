"""Why did an apply, or its rollback, not come to its end?"""

from __future__ import annotations

from mcp_migrate.errors.base import Action, MigrateError


class ApplyNotFoundError(MigrateError):
    """The record knows no apply of this id."""

    code = "apply_not_found"


class LockedError(MigrateError):
    """Another apply is running on this target."""

    code = "locked"
    action = Action.AGAIN


class LockTimeoutError(MigrateError):
    """A statement did not get its lock in time; everything was rolled back."""

    code = "lock_timeout"
    action = Action.AGAIN


class StatementFailedError(MigrateError):
    """The database refused a frozen statement; everything was rolled back."""

    code = "statement_failed"
    action = Action.FIX_REVISION


class PartiallyAppliedError(MigrateError):
    """Some statements could not be part of one transaction, and a later one failed."""

    code = "partially_applied"
    action = Action.REPLAN


class ToolFailedError(MigrateError):
    """The Python of a team's tool raised, took too long, or said what cannot be read; nothing it did stands."""

    code = "tool_failed"
    action = Action.ASK_OWNER


class BeyondDeclaredError(MigrateError):
    """The Python of a team's tool asked for more than it had declared."""

    code = "beyond_declared"
    action = Action.ASK_OWNER


class ValidationFailedError(MigrateError):
    """The target did not end where the plan said it would; everything was rolled back."""

    code = "validation_failed"
    action = Action.REPLAN


class CredentialFailedError(MigrateError):
    """No credential was to be had for this step, or one could not be taken back."""

    code = "credential_failed"
    action = Action.ASK_ADMIN


class TargetUnreachableError(MigrateError):
    """The target's database cannot be reached, or not read."""

    code = "target_unreachable"
    action = Action.ASK_ADMIN


class UndoGoneError(MigrateError):
    """The undo data that a rollback needs is not on the target any more."""

    code = "undo_gone"
    action = Action.ASK_OWNER


class UndoConflictError(MigrateError):
    """Rows written since the apply stand where undo data would go; nothing was overwritten."""

    code = "undo_conflict"
    action = Action.ASK_OWNER
