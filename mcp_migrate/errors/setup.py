"""What of the set-up does not work?"""

from __future__ import annotations

from mcp_migrate.errors.base import Action, MigrateError


class ConfigInvalidError(MigrateError):
    """The configuration does not say something we can enforce; nothing starts."""

    code = "config_invalid"
    action = Action.ASK_ADMIN


class NotificationFailedError(MigrateError):
    """A channel did not take a notice. Nothing waits for it: it is tried again, and the request stands."""

    code = "notification_failed"
