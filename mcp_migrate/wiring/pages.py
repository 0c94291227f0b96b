"""Where does a person review a request: on pages of this process, of a team's server, or somewhere else?"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mcp_migrate.ledger import Ledger
    from mcp_migrate.settings import Settings
    from mcp_migrate.web.serving import Served


class Pages:
    """The review pages of one server; `serves` says whether it opens pages of its own once they are needed."""

    def __init__(self, settings: Settings, ledger: Ledger, *, serves: bool) -> None:
        self._settings = settings
        self._ledger = ledger
        self._serves = serves
        self._lock = threading.Lock()

    def url(self, request_id: str) -> str | None:
        """Where a person reviews this request; opens the pages when they are first needed. None without any."""
        given = self._settings.review
        if self._serves and (given.port or not given.url):
            with self._lock:
                own = self._own
            if own is not None:
                return own.url(request_id)
        return f"{given.address}/requests/{request_id}" if given.address else None

    @cached_property
    def _own(self) -> Served | None:
        from mcp_migrate.web.serving import open_pages

        try:
            pages = open_pages(self._settings, self._ledger)
        except (ConfigInvalidError, OSError) as error:  # the question stands all the same
            logging.getLogger(__name__).warning("The review pages cannot be opened: %s", error)
            return None
        pages.serve_beside()
        return pages

    def of_team(self, port: int, key: bytes) -> ASGIApp | None:
        """The pages of a team's server that listens on `port`; None where people are sent elsewhere.

        All replicas derive from `key`, which they share, how they mark their forms.
        """
        http = self._settings.http
        if http is None or self._settings.review.url != http.url:
            return None
        from mcp_migrate.web.app import build
        from mcp_migrate.web.desk import Desk

        secret = hmac.new(key, b"mcp-migrate review forms", hashlib.sha256).digest()
        return build(Desk(self._settings, self._ledger, lambda: datetime.now(UTC), port, secret))
