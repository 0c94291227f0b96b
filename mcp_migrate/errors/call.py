"""What is wrong with a call as it was made?"""

from __future__ import annotations

from mcp_migrate.errors.base import Action, MigrateError


class UnknownToolError(MigrateError):
    """No tool has this name."""

    code = "unknown_tool"


class ToolWithheldError(MigrateError):
    """The words of the tool are others than those that somebody accepted."""

    code = "tool_withheld"
    action = Action.ASK_ADMIN


class UnknownTargetError(MigrateError):
    """The configuration names no such target."""

    code = "unknown_target"


class InvalidArgumentsError(MigrateError):
    """The arguments do not fit the tool's input schema."""

    code = "invalid_arguments"


class IntentMissingError(MigrateError):
    """The call does not say why it is made."""

    code = "intent_missing"


class IntentExceededError(MigrateError):
    """The real effects go beyond what the caller said it expects."""

    code = "intent_exceeded"
    action = Action.NARROW_PLAN


class RequestStateInvalidError(MigrateError):
    """What a client handed back to continue a call is not what it was given for it."""

    code = "request_state_invalid"
    action = Action.AGAIN


class CancelledError(MigrateError):
    """The client cancelled before anything was executed."""

    code = "cancelled"


class InternalError(MigrateError):
    """Ours, not the caller's: a defect. The details are in the server's log, never in the result."""

    code = "internal_error"
    action = Action.ASK_ADMIN
