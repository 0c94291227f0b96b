"""How much may somebody send, and how slowly? What is sent is read whole before anybody works on it."""

from __future__ import annotations

import anyio
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOO_MUCH = PlainTextResponse("This request is too long.", 413, {"connection": "close"})
_TOO_SLOW = PlainTextResponse("This request did not arrive in time.", 408, {"connection": "close"})


class Whole:
    """Hands on requests of up to `most` bytes that arrived within `seconds`."""

    def __init__(self, app: ASGIApp, *, most: int, seconds: float) -> None:
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._read(receive)
        if isinstance(body, Response):
            await body(scope, receive, send)
        elif body is not None:
            await self._app(scope, _again(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | Response | None:
        """None where whoever sent it is gone."""
        whole = bytearray()
        with anyio.move_on_after(self._seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                whole += message.get("body", b"")
                if len(whole) > self._most:
                    return _TOO_MUCH
                if not message.get("more_body"):
                    return bytes(whole)
        return _TOO_SLOW


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once, then what comes after it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return first.pop() if first else await receive()

    return receiving
