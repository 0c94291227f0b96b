"""Why may this caller not do that, or not now?"""

from __future__ import annotations

from mcp_migrate.errors.base import Action, MigrateError


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
    action = Action.AGAIN


class ServerUnreachableError(MigrateError):
    """A team's server that calls are handed on to gave no answer, or none of ours."""

    code = "server_unreachable"
    action = Action.AGAIN


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


class TooManyRequestsError(MigrateError):
    """The workflow has as many open requests as it may have."""

    code = "too_many_requests"
    action = Action.AWAIT_APPROVAL
