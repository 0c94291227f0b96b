"""Which requests are heard at all, and what may a browser do with the answers?

The pages listen on this machine only, and still any site a reviewer visits can send requests here: a name that points
to 127.0.0.1, a form, a frame. So only our own host name is answered, and only our own pages may send a form.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_FORM = 64 * 1024
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Mapping[str, str] = {
    "content-security-policy": _POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Nothing leaves for other sites. With `no-referrer` a browser would hide the origin of our own forms from us too.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "cache-control": "no-store",
}


class Guard:
    """Stands before all pages."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = frozenset(origin.partition("://")[2] for origin in origins)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        app = PlainTextResponse(refusal[1], refusal[0]) if refusal else self._app
        await app(scope, receive, _with_headers(send))

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Status and sentence where a request is not heard."""
        if headers.getlist("host") not in [[host] for host in self._hosts]:
            return 421, "This is not the address of these pages."
        if method in {"GET", "HEAD"}:
            return None
        if method != "POST":
            return 405, "Pages are read and forms are sent, nothing else."
        if headers.get("origin") not in self._origins or headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403, "This form did not come from one of these pages."
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > LONGEST_FORM:
            return 413, "This form is too long, or does not say how long it is."
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
