"""Did a principal's own key sign this grant, and what does it hand on?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, NotPermittedError
from mcp_migrate.model import Effect, Grant
from mcp_migrate.signers.interface import Key
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.line import named, opened
from mcp_migrate.signers.sshsig import verify

FORMAT = "mcp-migrate/grant/1"
NAMESPACE = "grant@mcp-migrate"
_NAMES = ("by", "to")


def statement(grant: Mapping[str, Any], *, key: Key, at: datetime, nonce: str) -> dict[str, Any]:
    """What is signed; `grant` is the JSON form of one without its id."""
    return {"format": FORMAT, **grant, "key": key.fingerprint, "signed_at": at.isoformat(), "nonce": nonce}


def check(text: str, keys: Mapping[str, Iterable[PublicKey]]) -> Grant:
    """Hold a grant against the keys of whoever it says it is by.

    Raises:
        NotPermittedError: it does not hold.
    """
    said, message, signature = opened(text, FORMAT, refused)
    grant = _grant(said, named("grant", text))
    key = next((each for each in keys.get(grant.by, ()) if each.fingerprint == said.get("key")), None)
    if key is None:
        raise refused(f"it is signed by none of {grant.by}'s keys under `delegators`")
    try:
        verify(message, signature, key, namespace=NAMESPACE)
    except ApprovalInvalidError as error:
        raise refused("its signature does not hold") from error
    return grant


def _grant(said: Mapping[str, Any], grant_id: str) -> Grant:
    try:
        by, to = (str(said[name]) for name in _NAMES)
        return Grant(
            grant_id,
            by,
            to,
            tools=_names(said["tools"]),
            targets=_names(said["targets"]),
            until=_until(said["until"]),
            effects=frozenset(map(Effect, _names(said["effects"], empty=True))),
            objects=None if said["objects"] is None else _names(said["objects"]),
            uses=_uses(said["uses"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise refused("it does not say what it hands on") from error


def _names(value: object, *, empty: bool = False) -> tuple[str, ...]:
    """A list that is not empty: what is not said must not count as everything."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or not (value or empty):
        raise ValueError("no list of names")
    return tuple(value)


def _until(value: str) -> datetime:
    until = datetime.fromisoformat(value)
    if until.tzinfo is None:
        raise ValueError("no zone")
    return until


def _uses(value: object) -> int | None:
    if value is None or (isinstance(value, int) and value > 0):
        return value
    raise ValueError("no number of uses")


def refused(why: str) -> NotPermittedError:
    return NotPermittedError(
        f"The grant does not count: {why}.", hint="Ask whoever handed it on for a new one: `mcp-migrate delegate`."
    )
