"""How are people told in Slack or Teams? Through an incoming webhook, in the shape each of them takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mcp_migrate.notifiers.interface import Notice
from mcp_migrate.notifiers.post import post
from mcp_migrate.settings.channels import ChatChannel
from mcp_migrate.settings.references import resolve

_OPEN = "Open the request"
_SLACK_FIELD = 1_900
"""Characters; Slack takes 2,000 in a field and 3,000 in a section."""


@dataclass(frozen=True, slots=True)
class ChatNotifier:
    """POSTs one message."""

    channel: ChatChannel

    def send(self, notice: Notice) -> None:
        """In blocks for Slack, as an adaptive card for Teams."""
        message = slack(notice) if self.channel.kind == "slack" else teams(notice)
        url = resolve(self.channel.url)
        post(self.channel.name, url, json.dumps(message).encode(), {}, within=self.channel.within)


def slack(notice: Notice) -> dict[str, Any]:
    """Plain text objects only: in them nothing is a mention, a link or a format. The one link is a button of ours."""
    facts = "\n".join(f"{name}: {text}" for name, text in notice.facts)
    sections = [_section(facts[at : at + _SLACK_FIELD]) for at in range(0, len(facts), _SLACK_FIELD)]
    return {
        "text": _escaped(notice.headline),
        "blocks": [_section(notice.headline), *sections, _section(notice.how), *_buttons(notice)],
    }


def _buttons(notice: Notice) -> list[dict[str, Any]]:
    """The way to the page, which decides nothing."""
    label = {"type": "plain_text", "text": _OPEN, "emoji": False}
    button = {"type": "button", "text": label, "url": notice.url}
    return [{"type": "actions", "elements": [button]}] if notice.url else []


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _escaped(text: str) -> str:
    """As Slack asks for its `text`: then no mention and no link can be made of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(notice: Notice) -> dict[str, Any]:
    """A card with text runs, in which Teams reads no Markdown."""
    facts = [_line(f"{name}: {text}") for name, text in notice.facts]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [_line(notice.headline, weight="bolder"), *facts, _line(notice.how)],
        "actions": [{"type": "Action.OpenUrl", "title": _OPEN, "url": notice.url}] if notice.url else [],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _line(text: str, *, weight: str = "default") -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]}
