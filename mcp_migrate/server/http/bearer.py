"""Whose token, or whose certificate, came with a request?

Without one that holds nobody calls; clients hear where to get one (RFC 9728).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_migrate.errors import (
    InsufficientScopeError,
    IssuerUnreachableError,
    LedgerUnavailableError,
    LimitReachedError,
    MigrateError,
    NotPermittedError,
    TokenInvalidError,
)
from mcp_migrate.model import Call, Caller, Grant
from mcp_migrate.server.http import certificate as certificates
from mcp_migrate.server.http.hops import address
from mcp_migrate.server.incoming import new_call_id
from mcp_migrate.server.oauth.claims import caller_of, scope_for
from mcp_migrate.server.oauth.verifying import Verifier
from mcp_migrate.server.who import CALLER
from mcp_migrate.settings.http import ENDPOINT, GRANT, METADATA, Http
from mcp_migrate.tools.registry import Registry

_STATUS: Mapping[type[MigrateError], int] = {
    TokenInvalidError: 401,
    NotPermittedError: 403,
    IssuerUnreachableError: 503,
    LedgerUnavailableError: 503,
    LimitReachedError: 429,
}
_AT_ONCE = 500
"""Requests of one principal that may be open, of the connections that a server has for all."""


class Known(Protocol):
    """What the ledger and the configuration know of callers."""

    def refused(self, call: Call, error: MigrateError) -> None:
        """Record a call that never came to the door."""
        ...

    def handed_on(self, texts: Sequence[str], principal: str) -> tuple[Grant, ...]:
        """The grants that `principal` acts by. Raises: NotPermittedError."""
        ...


class Bearer:
    """Stands before the protocol, and says to it who calls."""

    def __init__(
        self,
        app: ASGIApp,
        http: Http,
        verifier: Verifier,
        registry: Registry,
        known: Known,
    ) -> None:
        self._app, self._http, self._verifier = app, http, verifier
        self._registry, self._known = registry, known
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            caller = await self._caller(scope, headers)
            self._refuse_more(caller.principal)
        except tuple(_STATUS) as error:
            answer = self._refused(error, sent="authorization" in headers)
        else:
            more = await self._more(caller, headers)
            if more is None:
                await self._handed(caller, scope, receive, send)
                return
            answer = more
        await answer(scope, receive, send)

    async def _handed(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        whose = caller.principal
        self._open[whose] += 1
        try:
            await self._app({**scope, CALLER: caller}, receive, send)
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]

    def _refuse_more(self, principal: str) -> None:
        if self._open[principal] >= _AT_ONCE:
            raise LimitReachedError(
                f"{principal} has {_AT_ONCE} requests open at this server, and more are not taken.",
                hint="Wait for their answers, or end streams that nobody listens to.",
            )

    async def _caller(self, scope: Scope, headers: Headers) -> Caller:
        """By a token; without one by the certificate that a proxy of ours verified, if there is one."""
        certificate = certificates.shown(scope, self._http, datetime.now(UTC))
        if certificate and self._http.certificates and "authorization" not in headers:
            found = certificates.caller(certificate, self._http.certificates)
        else:
            claims = await self._verifier.claims(_token(headers))
            certificates.hold_to_key(claims, certificate)
            found = caller_of(claims, self._http.oauth)
        found = replace(found, address=address(scope, self._http.trusted_proxies))
        grants = await self._handed_on(headers, found)
        return replace(found, grants=grants) if grants else found

    async def _handed_on(self, headers: Headers, caller: Caller) -> tuple[Grant, ...]:
        """The grants that came with a request; headers of one name may have been put together on the way."""
        said = ",".join(headers.getlist(GRANT))
        if not said:
            return ()
        texts = [text.strip() for text in said.split(",")]
        try:
            return await anyio.to_thread.run_sync(self._known.handed_on, texts, caller.principal)
        except NotPermittedError as error:
            await self._record(headers.get("mcp-name", ""), caller, error)
            raise

    async def _record(self, tool: str, caller: Caller, error: MigrateError) -> None:
        """Whoever proved a name is refused on the record, though nothing of the call was read."""
        call = Call(new_call_id(), tool, {}, "", caller, datetime.now(UTC))
        await anyio.to_thread.run_sync(self._known.refused, call, error)

    async def _more(self, caller: Caller, headers: Headers) -> Response | None:
        """The answer where the token does not stand for the tool that the request names before its body is read.

        The pipeline refuses it too: earlier protocols name no tool in a header. Here a client hears what to ask for.
        """
        name = headers.get("mcp-name", "")
        if headers.get("mcp-method") != "tools/call" or name not in self._registry:
            return None
        tool = self._registry[name].scope
        if caller.may_use(tool):
            return None
        error = InsufficientScopeError(f"The token does not stand for {tool}.", hint="Sign in again with more scopes.")
        await self._record(name, caller, error)
        needed = scope_for(tool, self._http.oauth)
        return _answer(403, error, self._challenge("insufficient_scope", scope=needed))

    def _refused(self, error: MigrateError, *, sent: bool) -> Response:
        status = _STATUS[type(error)]
        if status in {429, 503}:  # the token may be good: whoever sent it keeps it
            return _answer(status, error, {"retry-after": "5"})
        word = {401: "invalid_token", 403: "insufficient_scope"}[status] if sent else None
        return _answer(status, error, self._challenge(word))

    def _challenge(self, error: str | None, *, scope: str | None = None) -> dict[str, str]:
        where = f"{self._http.url}{METADATA}{ENDPOINT}"
        parts = {"error": error, "scope": scope, "resource_metadata": where}
        said = ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)
        return {"www-authenticate": f"Bearer {said}"}


def _token(headers: Headers) -> str:
    given = headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenInvalidError("No access token came with this request.", hint="Send one: Authorization: Bearer …")
    return token.strip()


def _answer(status: int, error: MigrateError, headers: Mapping[str, str]) -> Response:
    body = {"code": error.code, "message": error.sentence, "hint": error.hint}
    return JSONResponse(body, status, {**headers, "cache-control": "no-store"})
