"""What do all pages know: the settings, the ledger, the time, their own address, and which form they handed out?"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mcp_migrate.errors import RequestNotFoundError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.settings import Settings
from mcp_migrate.web.inbox import Inbox

HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Desk:
    """One set of pages. `secret` marks the forms that it handed out; a restart makes open forms be loaded again."""

    settings: Settings
    ledger: Ledger
    clock: Callable[[], datetime]
    port: int
    secret: bytes

    @cached_property
    def inbox(self) -> Inbox:
        """The requests, kept up with the ledger."""
        return Inbox(self.settings, self.ledger)

    @property
    def origin(self) -> str:
        """Where the pages are on this machine: passkeys know a name, not a number."""
        return f"http://{HOSTS[0]}:{self.port}"

    @property
    def origins(self) -> tuple[str, ...]:
        """Every address under which they answer: this machine's, and the one that the configuration gives people."""
        given = self.settings.review.address
        return (*(f"http://{host}:{self.port}" for host in HOSTS), *([given] if given else []))

    def named(self, host: str) -> str:
        """Which of these addresses a browser came by; the guard let no other pass."""
        return next((origin for origin in self.origins if origin.partition("://")[2] == host), self.origin)

    def url(self, request_id: str) -> str:
        """Where a person reviews this request."""
        return f"{self.settings.review.address or self.origin}/requests/{request_id}"

    def request(self, request_id: str) -> Event:
        """The request of this id. Raises: RequestNotFoundError."""
        events = self.ledger.find(Kind.APPROVAL_REQUESTED, request_id)
        if not events:
            raise RequestNotFoundError("There is no such request.", hint="The inbox lists what waits.")
        return events[0]

    def form_mark(self, session: str) -> str:
        """What a form of this browser session carries, so that no other page can send one."""
        return hmac.new(self.secret, session.encode(), hashlib.sha256).hexdigest()

    def is_ours(self, session: str, mark: str) -> bool:
        """Whether a form with this mark was handed to this browser session."""
        return bool(session) and hmac.compare_digest(self.form_mark(session).encode(), mark.encode())
