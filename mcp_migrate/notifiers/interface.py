"""What is told to people, and what must a way of telling them offer?

A notice carries a summary and where to look: no SQL, no value of a row, and nothing that decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing told to one channel. `facts` are name and text, the weightiest first; `at` is in seconds since 1970.

    `url` is the page of the request where the configuration gives the pages an address.
    """

    notice_id: str
    occasion: str
    request_id: str
    at: int
    headline: str
    facts: tuple[tuple[str, str], ...]
    how: str
    url: str | None = None

    def told(self) -> dict[str, Any]:
        """The JSON form for programs."""
        return {
            "type": f"approval.{self.occasion}",
            "notice_id": self.notice_id,
            "request_id": self.request_id,
            "headline": self.headline,
            "facts": dict(self.facts),
            "how": self.how,
            "url": self.url,
        }

    def text(self) -> str:
        """The form for people."""
        return "\n".join([self.headline, "", *(f"{name}: {text}" for name, text in self.facts), "", self.how])


class Notifier(Protocol):
    """One channel."""

    def send(self, notice: Notice) -> None:
        """Hand the notice over.

        Raises:
            NotificationFailedError: it was not taken. CredentialFailedError: a secret is missing.
        """
        ...
