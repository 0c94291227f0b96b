"""Can people be reached as the configuration says, and does it keep the channels' secrets out of itself?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcp_migrate.settings.channels import Channel, ChatChannel, MailChannel, WebhookChannel
from mcp_migrate.settings.list_checks import named_twice
from mcp_migrate.settings.problems import Problem
from mcp_migrate.settings.references import AS_REFERENCE, is_reference
from mcp_migrate.settings.url_checks import is_protected

if TYPE_CHECKING:
    from mcp_migrate.settings.model import Settings


def channel_problems(settings: Settings) -> Iterator[Problem]:
    """Every problem under `notify`."""
    yield from named_twice(("notify",), (channel.name for channel in settings.notify), "channel")
    for index, channel in enumerate(settings.notify):
        for part, why, hint in _problems(channel):
            yield Problem(("notify", index, part), why, hint)


def _problems(channel: Channel) -> Iterator[tuple[str, str, str]]:
    if isinstance(channel, ChatChannel) and not is_reference(channel.url):
        yield "url", "whoever knows this URL can write there; it stands here in plain text.", AS_REFERENCE
    if isinstance(channel, WebhookChannel):
        if not is_reference(channel.secret):
            yield "secret", "the secret stands here in plain text.", AS_REFERENCE
        if not _may_be_protected(channel.url):
            yield "url", "what is sent there can be read on the way.", "Write it as https://…"
    if isinstance(channel, MailChannel):
        if channel.password is not None and not is_reference(channel.password):
            yield "password", "a password stands here in plain text.", AS_REFERENCE
        if (channel.user is None) != (channel.password is None):
            yield "user", "`user` and `password` are given together or not at all.", "Add the other, or remove both."
        if channel.user is not None and channel.security == "unsafe_plain":
            yield "security", "the password would cross the network in plain text.", "Write starttls or tls."


def _may_be_protected(url: str) -> bool:
    """A URL that is a reference is judged when it is used."""
    return url.startswith(("${env:", "${file:")) or is_protected(url)
