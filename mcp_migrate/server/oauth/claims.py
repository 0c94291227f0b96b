"""Of whom does a token speak, for whom do they act, and what may it be used for? What is said here was verified."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from mcp_migrate.errors import NotPermittedError
from mcp_migrate.model import Caller, Party
from mcp_migrate.server.oauth.verifying import refused
from mcp_migrate.settings import matches
from mcp_migrate.settings.http import OAuth

_LONGEST_NAME = 256
_LONGEST_CHAIN = 8
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def caller_of(claims: Mapping[str, Any], oauth: OAuth) -> Caller:
    """Who calls with a token that holds.

    Who acts now is who calls (`act`, RFC 8693, 4.1). Those before, and the subject itself, are for whom: that gives no
    leave.

    Raises:
        TokenInvalidError: it names nobody in a way that can be recorded.
        NotPermittedError: nobody here goes by that name.
    """
    party, *chain = _parties(claims, oauth.issuer)
    if party.issuer != oauth.issuer:
        raise refused("who acts is known to another issuer")
    client = claims.get("client_id", claims.get("azp"))
    return Caller(
        principal=_principal(party.subject, oauth),
        assurance="oauth",
        party=party,
        client=None if client is None else _name(client),
        chain=tuple(chain),
        tools=tuple(_tools(_scopes(claims), oauth)),
        until=_end(claims, oauth),
    )


def scope_for(tool: str, oauth: OAuth) -> str | None:
    """The scope that a token needs for what scopes call `tool`; None where none of them stands for it."""
    if not oauth.scopes:
        return tool
    return next((scope for scope, globs in oauth.scopes.items() if matches(tool, globs)), None)


def scopes_known(tools: Iterable[str], oauth: OAuth) -> list[str]:
    """Every scope that stands for something here."""
    return sorted(oauth.scopes or set(tools))


def _parties(claims: Mapping[str, Any], issuer: str) -> list[Party]:
    """Who acts now, then for whom, the nearest first; the subject is the last."""
    acting: list[Party] = []
    actor = claims.get("act")
    while actor is not None:
        if not isinstance(actor, Mapping) or len(acting) >= _LONGEST_CHAIN:
            raise refused("its chain of who acts for whom is too long, or is none")
        acting.append(Party(_name(actor.get("sub")), _name(actor.get("iss", issuer))))
        actor = actor.get("act")
    return [*acting, Party(_name(claims.get("sub")), issuer)]


def _name(said: object) -> str:
    if not isinstance(said, str) or not 0 < len(said) <= _LONGEST_NAME or not said.isprintable():
        raise refused(f"a name in it is not one line of up to {_LONGEST_NAME} plain characters")
    return said


def _end(claims: Mapping[str, Any], oauth: OAuth) -> datetime | None:
    """When it stops to hold, which was looked at before; an issuer that is asked each time need not say so."""
    said = claims.get("exp")
    if said is None:
        return None
    ends = said if isinstance(said, float) else int(said)  # which no float may hold
    return datetime.fromtimestamp(min(ends, _LATEST) + oauth.leeway, UTC)


def _principal(subject: str, oauth: OAuth) -> str:
    if not oauth.principals:
        return subject
    if subject not in oauth.principals:
        raise NotPermittedError(
            f"The configuration has no principal for {subject!r}.",
            hint="An admin has to name it under `http.oauth.principals`.",
        )
    return oauth.principals[subject]


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    said = claims.get("scope", claims.get("scp", ""))
    words = said.split(" ") if isinstance(said, str) else said
    return [word for word in words if isinstance(word, str) and word] if isinstance(words, list) else []


def _tools(scopes: Iterable[str], oauth: OAuth) -> Iterable[str]:
    for scope in scopes:
        yield from oauth.scopes.get(scope, ()) if oauth.scopes else (glob.escape(scope),)
