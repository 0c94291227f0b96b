"""Which bytes of a value are hashed and signed?"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no white space, UTF-8; the bytes that are hashed and signed."""
    return _CANONICAL.encode(value).encode()


_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)  # what holds itself ends at the stack's depth as well, and looking for it costs each entry a fifth


def digest(value: Any) -> str:
    """``sha256:`` and the hash of the canonical JSON of `value`."""
    return f"sha256:{hashlib.sha256(canonical(value)).hexdigest()}"
