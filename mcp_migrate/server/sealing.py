"""Is the state that a client hands back the one we gave it, for this call and this caller?

The client keeps it between two calls, so it is whatever the client says. It is authenticated, and it decides nothing:
whoever holds one may look again at a request, and the pipeline looks for decisions itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NoReturn

from mcp_migrate.errors import RequestStateInvalidError
from mcp_migrate.model import canonical

_PREFIX = "mm1"
_MAX_CHARACTERS = 4_096
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pause:
    """A call that waits. `arguments` is their digest, `expires_at` the end of its request, `asked` counts questions."""

    principal: str
    workflow: str
    tool: str
    arguments: str
    request_id: str
    expires_at: str
    asked: int

    def continues(self, other: Pause) -> bool:
        """Whether this is the same call of the same caller."""
        return (self.principal, self.workflow, self.tool, self.arguments) == (
            other.principal,
            other.workflow,
            other.tool,
            other.arguments,
        )


class Seal:
    """Seals with the first of its keys, opens with any: so keys can be changed while calls wait."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) < KEY_BYTES for key in keys):
            raise ValueError(f"a seal needs keys of at least {KEY_BYTES} bytes")
        self._keys = tuple(keys)

    def close(self, pause: Pause) -> str:
        """The text that a client is given."""
        body = base64.urlsafe_b64encode(canonical(asdict(pause))).decode()
        return f"{_PREFIX}.{body}.{_tag(self._keys[0], body)}"

    def open(self, state: str, now: datetime) -> Pause:
        """What was sealed.

        Raises:
            RequestStateInvalidError: it is not ours, was changed, or is over.
        """
        prefix, _, rest = state[:_MAX_CHARACTERS].partition(".")
        body, _, tag = rest.partition(".")
        if len(state) > _MAX_CHARACTERS or prefix != _PREFIX or not self._tagged(body, tag):
            refuse("is not one that this server gave out")
        try:
            pause = Pause(**json.loads(base64.urlsafe_b64decode(body)))
            over = datetime.fromisoformat(pause.expires_at) <= now
        except (binascii.Error, ValueError, TypeError):  # sealed by another version of us, under the same key
            refuse("has a form that this server does not know")
        if over:
            refuse("is over: its request has expired")
        return pause

    def _tagged(self, body: str, tag: str) -> bool:
        given = tag.encode("utf-8", "surrogatepass")
        return any(hmac.compare_digest(_tag(key, body).encode(), given) for key in self._keys)


def refuse(why: str) -> NoReturn:
    """Refuse a state. Raises: RequestStateInvalidError."""
    raise RequestStateInvalidError(
        f"The request_state of this call {why}.",
        hint="Make the same call again without a request_state: the ledger knows what was decided.",
    )


def _tag(key: bytes, body: str) -> str:
    text = f"{_PREFIX}.{body}".encode("utf-8", "surrogatepass")
    return hmac.new(key, b"mcp-migrate request_state\n" + text, hashlib.sha256).hexdigest()
