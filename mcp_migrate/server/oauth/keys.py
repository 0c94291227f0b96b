"""With which keys does the issuer sign now?

Keys are kept for a while, so that its outage is not ours. A key that nobody knows yet makes us look again, so that it
can change them at any time; not more often than every few seconds, so that made-up names of keys do not reach it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import anyio
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from mcp_migrate.errors import IssuerUnreachableError, TokenInvalidError
from mcp_migrate.server.oauth.asking import ask

_FRESH = 600.0
"""Seconds after which they are asked for again."""
_GOOD = 3600.0
"""Seconds for which they count when the issuer does not answer."""
_PAUSE = 5.0
"""Seconds between two questions."""
_MOST_KEYS = 100
_LEAST_RSA_BITS = 2048
_KINDS: Mapping[str, tuple[str, str | None]] = {
    "RS": ("RSA", None),
    "PS": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}


class Keys:
    """The keys at one address (a JWK Set, RFC 7517)."""

    def __init__(self, url: str, *, within: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._url, self._within, self._ticks = url, within, ticks
        self._known: tuple[Mapping[str, Any], ...] = ()
        self._loaded: dict[tuple[str | None, str], Any] = {}
        self._read = self._asked = -_GOOD
        self._lock = anyio.Lock()
        self._trouble: IssuerUnreachableError | None = None

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """The key of this name for this algorithm; without a name the only one there is.

        Raises:
            TokenInvalidError: the issuer has no such key.
            IssuerUnreachableError: it does not say which keys it has.
        """
        old = self._ticks() - self._read > _FRESH and not self._lock.locked()  # who knows a key waits for nobody
        if old or self._of(kid, algorithm) is None:
            await self._look_again(self._asked)
        if self._ticks() - self._read > _GOOD:
            raise self._trouble or IssuerUnreachableError("Its keys are too old.", hint="Call again in a moment.")
        found = self._of(kid, algorithm)
        if found is None:
            raise self._trouble or TokenInvalidError(
                "The token was signed with a key that its issuer does not have.", hint="Sign in again."
            )
        if (kid, algorithm) not in self._loaded:
            self._loaded[kid, algorithm] = _loaded(found, algorithm)
        return self._loaded[kid, algorithm]

    async def _look_again(self, asked: float) -> None:
        """Once for all who wait, and not again too soon."""
        async with self._lock:
            if self._asked != asked or self._ticks() - self._asked < _PAUSE:
                return
            self._asked = self._ticks()
            try:
                said = (await ask(self._url, within=self._within)).get("keys")
            except IssuerUnreachableError as error:
                self._trouble = error
                return
            listed = said if isinstance(said, list) else []
            self._known = tuple(key for key in listed[:_MOST_KEYS] if isinstance(key, dict))
            self._loaded.clear()
            self._read, self._trouble = self._asked, None

    def _of(self, kid: str | None, algorithm: str) -> Mapping[str, Any] | None:
        fitting = [key for key in self._known if _fits(key, algorithm) and (kid is None or key.get("kid") == kid)]
        return fitting[0] if len(fitting) == 1 else None


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = _KINDS.get(algorithm) or _KINDS[algorithm[:2]]
    return (
        (key.get("kty"), key.get("crv")) == (kind, curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )


def _loaded(key: Mapping[str, Any], algorithm: str) -> Any:
    try:
        loaded = PyJWK(dict(key), algorithm).key
    except (PyJWTError, ValueError, TypeError) as error:
        raise TokenInvalidError("The issuer's key cannot be read.", hint="Tell who runs the issuer.") from error
    if getattr(loaded, "key_size", _LEAST_RSA_BITS) < _LEAST_RSA_BITS and key["kty"] == "RSA":
        raise TokenInvalidError("The issuer's key is too short to count.", hint="Tell who runs the issuer.")
    return loaded
