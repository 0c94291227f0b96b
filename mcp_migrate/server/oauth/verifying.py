"""Does a token hold: made by the issuer, for this server, and now?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import jwt

from mcp_migrate.errors import TokenInvalidError
from mcp_migrate.server.oauth.asking import ask
from mcp_migrate.server.oauth.keys import Keys
from mcp_migrate.settings.http import Http, Introspection
from mcp_migrate.settings.references import resolve

_MOST_CHARACTERS = 16_384
_MOST_PROVEN = 1_000
_TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
"""An access token by RFC 9068, or one of an issuer that does not say; other kinds are no keys to a resource."""


class Verifier(Protocol):
    """One way to know whether a token holds."""

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What a token that holds says.

        Raises:
            TokenInvalidError: it does not.
            IssuerUnreachableError: nobody knows.
        """
        ...


def verifier(http: Http) -> Verifier:
    """The way that the configuration says. Raises: CredentialFailedError."""
    asked = http.oauth.introspection
    return Introspected(http, asked) if asked else Signed(http)


@dataclass(frozen=True, slots=True)
class _Proven:
    """A token whose signature was held against a key, at a moment."""

    kid: str | None
    algorithm: str
    key: Any
    at: float
    claims: Mapping[str, Any]


class Signed:
    """Tokens that their issuer signed (JWT, RFC 7519 and 8725).

    A signature is looked at once: it is the same for as long as the token is good and the key is the issuer's.
    """

    def __init__(self, http: Http, clock: Callable[[], float] = time.time) -> None:
        self._http, self._clock = http, clock
        self._keys = Keys(str(http.oauth.jwks), within=http.oauth.within)
        self._proven: dict[bytes, _Proven] = {}

    async def claims(self, token: str) -> Mapping[str, Any]:
        name = hashlib.sha256(token.encode(errors="replace")).digest()
        known, now = self._proven.pop(name, None), self._clock()
        if known is None or not await self._holds(known, now):
            known = await self._prove(token, now)
        self._proven[name] = known
        if len(self._proven) > _MOST_PROVEN:
            del self._proven[next(iter(self._proven))]
        return known.claims

    async def _holds(self, known: _Proven, now: float) -> bool:
        """Whether nothing has become of it since: a key that was read anew, or a clock that was set back, is asked."""
        key = await self._keys.find(known.kid, known.algorithm)
        return key is known.key and known.at <= now < int(known.claims["exp"]) + self._http.oauth.leeway

    async def _prove(self, token: str, now: float) -> _Proven:
        try:
            header = jwt.get_unverified_header(_short(token))
            algorithm, kid = _algorithm(header, self._http.oauth.algorithms), header.get("kid")
            key = await self._keys.find(kid, algorithm)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._http.audience,
                issuer=self._http.oauth.issuer,
                leeway=self._http.oauth.leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise refused(str(error)[:200] or type(error).__name__) from error
        return _Proven(kid, algorithm, key, now, claims)


class Introspected:
    """Tokens that only their issuer can read (RFC 7662). Each is asked about each time, so its end is the end."""

    def __init__(self, http: Http, asked: Introspection) -> None:
        self._http, self._url = http, asked.url
        self._auth = asked.client_id, resolve(asked.client_secret)

    async def claims(self, token: str) -> Mapping[str, Any]:
        oauth = self._http.oauth
        said = await ask(self._url, within=oauth.within, form={"token": _short(token)}, auth=self._auth)
        if said.get("active") is not True:
            raise refused("it is not active")
        audience = said.get("aud")
        if self._http.audience not in (audience if isinstance(audience, list) else [audience]):
            raise refused("it was made for another server")
        if said.get("iss", oauth.issuer) != oauth.issuer:
            raise refused("another issuer made it")
        now = datetime.now(UTC).timestamp()
        if not _moment(said, "nbf", now) - oauth.leeway <= now < _moment(said, "exp", now + 1) + oauth.leeway:
            raise refused("it is not valid now")
        return said


def refused(why: str) -> TokenInvalidError:
    """A token that does not hold."""
    return TokenInvalidError(f"The access token is refused: {why}.", hint="Sign in again for this server.")


def _short(token: str) -> str:
    if len(token) > _MOST_CHARACTERS:
        raise refused("it is too long")
    return token


def _algorithm(header: Mapping[str, Any], allowed: tuple[str, ...]) -> str:
    algorithm = header.get("alg")
    if algorithm not in allowed:
        raise refused(f"it is signed with {str(algorithm)[:20]!r}, which does not count here")
    if str(header.get("typ", "jwt")).lower() not in _TYPES:
        raise refused(f"it is a {str(header['typ'])[:40]!r}, no access token")
    if "crit" in header:
        raise refused("it asks for an extension that this server does not know")
    return str(algorithm)


def _moment(said: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = said.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(f"its {name} is no time")
    return float(value)
