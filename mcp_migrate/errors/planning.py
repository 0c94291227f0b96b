"""Why is there no plan, or why does it not hold any more?"""

from __future__ import annotations

from mcp_migrate.errors.base import Action, MigrateError


class RenderFailedError(MigrateError):
    """The Alembic project could not be turned into SQL."""

    code = "render_failed"
    action = Action.FIX_REVISION


class RehearsalFailedError(MigrateError):
    """The plan fails on a scratch database, or there can be none."""

    code = "rehearsal_failed"
    action = Action.FIX_REVISION


class PlanNotFoundError(MigrateError):
    """The record knows no plan of this id."""

    code = "plan_not_found"
    action = Action.REPLAN


class PlanExpiredError(MigrateError):
    """The plan is too old to be applied."""

    code = "plan_expired"
    action = Action.REPLAN


class PlanStaleError(MigrateError):
    """The target is no longer what the plan was made for."""

    code = "plan_stale"
    action = Action.REPLAN


class UnreconciledError(MigrateError):
    """The target was changed by something that is not on the record, and nobody has signed for it."""

    code = "unreconciled"
    action = Action.ASK_OWNER


class PreconditionFailedError(MigrateError):
    """Rows of the target are in the way of a constraint that the plan makes; nothing ran."""

    code = "precondition_failed"
    action = Action.FIX_REVISION


class NotSealableError(MigrateError):
    """The target runs only plans that people seal, and what this one does cannot be sealed."""

    code = "not_sealable"
    action = Action.FIX_REVISION
