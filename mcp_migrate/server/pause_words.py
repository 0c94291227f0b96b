"""What does the person at the client read about a call that waits, and what is the agent told of it?

No value of any statement is in it, and nothing the agent wrote: effects, names of tables and numbers of rows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_NAMES_SHOWN = 3
_NAME_CHARACTERS = 80


def question(answer: Mapping[str, Any], *, again: bool) -> str:
    """The message beside the address of the review page."""
    needs = answer["needs"]
    count = needs["approvals"]
    first = "It is not decided yet. " if again else ""
    effects = ", ".join(effect for effect in answer["effects"] if effect != "read")
    until = datetime.fromisoformat(answer["expires_at"]).strftime("%Y-%m-%d %H:%M %Z")
    return (
        f"{first}This change waits for {count} signature{'s' if count != 1 else ''} from {plain(needs['from'])} "
        f"({effects}{_rows(answer['rows'])}). The page shows what it would do and takes the "
        f"decision; continuing here only looks whether it was made. Request {answer['request_id']}, open until {until}."
    )


def where(answer: Mapping[str, Any]) -> str:
    """How to get to the review, for whoever reads the state of a task."""
    url = answer["review_url"]
    return f"Review it at {url}" if url else f"Review it with `{answer['review_command']}`."


def told(said: str | None) -> str:
    """What became of the question at the client, for the agent."""
    return {
        "accept": "The review page was shown to the person at this client; it is not decided yet. approval_status with "
        "wait_seconds waits for the decision.",
        "decline": "The person at this client declined to open the review page. The request stands for the reviewers.",
        "cancel": "This client could not ask anyone, or nobody answered. The request stands for the reviewers.",
        None: "The review page was offered; it is not decided yet.",
    }[said]


def plain(text: str) -> str:
    """A name from elsewhere as one line that cannot disguise itself: no control and no direction characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:_NAME_CHARACTERS]


def _rows(rows: Mapping[str, int]) -> str:
    shown = [
        f"{number:,} row{'s' if number != 1 else ''} of {plain(table)}"
        for table, number in list(rows.items())[:_NAMES_SHOWN]
    ]
    more = len(rows) - len(shown)
    return "".join(f"; {each}" for each in shown) + (
        f"; {more} more table{'s' if more != 1 else ''}" if more > 0 else ""
    )
