"""What does a client hear where the server gave no answer of the protocol? In the shape that it can act on."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping
from typing import Any

import httpx2
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError, JSONRPCRequest, JSONRPCResponse

from mcp_migrate.errors import (
    InsufficientScopeError,
    IssuerUnreachableError,
    LimitReachedError,
    MigrateError,
    NotPermittedError,
    ServerUnreachableError,
    TokenInvalidError,
)
from mcp_migrate.server.remote.headers import is_modern
from mcp_migrate.server.remote.known import Address
from mcp_migrate.server.remote.token import Token
from mcp_migrate.server.results import failed

_REFUSALS: Mapping[str, type[MigrateError]] = {
    each.code: each
    for each in (
        TokenInvalidError,
        InsufficientScopeError,
        NotPermittedError,
        IssuerUnreachableError,
        LimitReachedError,
    )
}
_SCOPE = re.compile(r'\bscope="([^"]{1,500})"')
_LONGEST = 500
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


def refused_there(server: Address, answer: httpx2.Response, body: bytes, token: Token) -> MigrateError:
    """What a server that refused a request before it was read as a message means by that."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    code, sentence, hint = (_line(said, key) for key in ("code", "message", "hint"))
    if code == TokenInvalidError.code:
        return TokenInvalidError(sentence, hint=token.renewed)
    if code == InsufficientScopeError.code:
        scope = _SCOPE.search(answer.headers.get("www-authenticate", ""))
        needed = f"Ask for one with the scope {scope[1]}. " if scope else ""
        return InsufficientScopeError(sentence, hint=needed + token.renewed)
    if code in _REFUSALS:
        return _REFUSALS[code](sentence, hint=hint)
    return ServerUnreachableError(
        f"{server.url} answered {answer.status_code}, and no message.",
        hint="Call again in a moment; audit_read tells whether this call was made.",
    )


def silent(server: Address, error: httpx2.HTTPError) -> ServerUnreachableError:
    """There was no answer, or not all of it."""
    reason = _first(error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return ServerUnreachableError(
            f"The certificate of {server.url} is not trusted: {reason.verify_message}.",
            hint="Have it mended, or name the authority that made it in SSL_CERT_FILE. It was sent no token.",
        )
    if isinstance(error, _NEVER_SENT):
        return ServerUnreachableError(
            f"{server.url} cannot be reached: {str(reason) or type(error).__name__}.",
            hint="Look whether the server runs and this machine reaches it, then call again.",
        )
    return ServerUnreachableError(
        f"{server.url} broke off before its answer was whole ({type(error).__name__}).",
        hint="The call may have been made: audit_read or migration_status tells, then call again.",
    )


def told(asked: JSONRPCRequest, error: MigrateError) -> JSONRPCResponse | JSONRPCError:
    """The answer to a request that failed on its way: a result of the tool, or an error of the protocol."""
    if asked.method != "tools/call":
        data = {"code": error.code, "hint": error.hint}
        said = ErrorData(code=INTERNAL_ERROR, message=f"{error.code}: {error}", data=data)
        return JSONRPCError(jsonrpc="2.0", id=asked.id, error=said)
    result = failed(None, error).model_dump(by_alias=True, mode="json", exclude_none=True)
    if not is_modern(asked):
        result.pop("resultType", None)
    return JSONRPCResponse(jsonrpc="2.0", id=asked.id, result=result)


def _first(error: BaseException) -> BaseException:
    """What went wrong, before libraries gave it names of their own."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _line(said: Any, key: str) -> str:
    value = said.get(key) if isinstance(said, dict) else None
    return value[:_LONGEST] if isinstance(value, str) else ""
