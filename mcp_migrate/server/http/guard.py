"""Which requests are heard at all? Those sent to our own name, and from no page but ours (CORS is off)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Guard:
    """Stands before the protocol. `hosts` are our names as requests carry them, `origin` where our own pages are."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], origin: str) -> None:
        self._app, self._hosts, self._origin = app, hosts, origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(headers)
        if refusal is None and scope["method"] != "POST":
            answer = PlainTextResponse("Calls are posted, nothing else.", 405, {"allow": "POST"})
        elif refusal:
            answer = PlainTextResponse(refusal[1], refusal[0])
        else:
            await self._app(scope, receive, send)
            return
        await answer(scope, receive, send)

    def _refusal(self, headers: Headers) -> tuple[int, str] | None:
        """Status and sentence. A name that was made to point here (DNS rebinding) is not ours, nor is its page."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return (
                421,
                f"This is not the address of this server, which is {self._origin}: a proxy hands on Host as it came.",
            )
        if any(origin != self._origin for origin in headers.getlist("origin")):
            return 403, "Pages of other sites are not served."
        return None
