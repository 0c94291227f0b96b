"""How are reviewers reached? One file for each way; `notifier_for` makes the one that a channel configures."""

from __future__ import annotations

from mcp_migrate.notifiers.interface import Notice, Notifier
from mcp_migrate.settings.channels import Channel, ChatChannel, CommandChannel, WebhookChannel

__all__ = ["Notice", "Notifier", "notifier_for"]


def notifier_for(channel: Channel) -> Notifier:
    """The notifier of a channel; what it needs is loaded now."""
    if isinstance(channel, CommandChannel):
        from mcp_migrate.notifiers.command import CommandNotifier

        return CommandNotifier(channel)
    if isinstance(channel, WebhookChannel):
        from mcp_migrate.notifiers.webhook import WebhookNotifier

        return WebhookNotifier(channel)
    if isinstance(channel, ChatChannel):
        from mcp_migrate.notifiers.chat import ChatNotifier

        return ChatNotifier(channel)
    from mcp_migrate.notifiers.mail import MailNotifier

    return MailNotifier(channel)
