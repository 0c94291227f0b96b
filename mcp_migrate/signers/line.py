"""How does a signed statement go on one line, to be handed on in a file or the environment?"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from mcp_migrate.errors import MigrateError
from mcp_migrate.model import canonical

_LARGEST = 16_384


def line(said: Mapping[str, Any], signature: str) -> str:
    """Statement and armored signature."""
    return f"{_encoded(canonical(dict(said)))}.{_encoded(signature.encode())}"


def named(what: str, text: str) -> str:
    """The name of a line, which does not give it away."""
    return f"{what}_{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def opened(text: str, form: str, refused: Callable[[str], MigrateError]) -> tuple[Mapping[str, Any], bytes, str]:
    """Statement, its bytes and signature; nothing is verified. Raises: what `refused` gives."""
    body, dot, signature = text.partition(".")
    try:
        message, armored = _decoded(body), _decoded(signature).decode("ascii")
        said = json.loads(message)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise refused("it is none") from error
    if len(text) > _LARGEST or not dot or not isinstance(said, dict) or said.get("format") != form:
        raise refused("it is none of this version")
    return said, message, armored


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
