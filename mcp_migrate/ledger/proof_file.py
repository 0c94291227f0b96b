"""How does a proof travel? As a text of C2SP (c2sp.org/tlog-proof) that holds the checkpoint, and verifies offline."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_migrate.errors import CheckpointInvalidError

_FIRST = "c2sp.org/tlog-proof@v1"
_MOST = 64


@dataclass(frozen=True, slots=True)
class Proof:
    """That the entry `index`, whose hashed bytes are `extra`, is in the log of a checkpoint. Nothing is verified."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes


def write(index: int, hashes: Sequence[bytes], checkpoint: str, extra: bytes) -> str:
    """The text of a proof; `extra` is what the leaf hash is of."""
    lines = [_FIRST, f"extra {_text(extra)}", f"index {index}", *map(_text, hashes)]
    return "\n".join(lines) + f"\n\n{checkpoint}"


def read(text: str) -> Proof:
    """Take a proof apart. Raises: CheckpointInvalidError."""
    head, _, checkpoint = text.partition("\n\n")
    first, extra, index, *hashes = [*head.split("\n"), "", "", ""][: _MOST + 3]
    number = index.removeprefix("index ")
    if first != _FIRST or not (number.isascii() and number.isdecimal() and len(number) < _MOST):
        raise _invalid()
    try:
        raw = [base64.b64decode(line, validate=True) for line in hashes if line]
        body = base64.b64decode(extra.removeprefix("extra "), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid() from error
    return Proof(int(number), tuple(raw), checkpoint, body)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _invalid() -> CheckpointInvalidError:
    return CheckpointInvalidError("This is no proof of an entry.", hint="Name what `mcp-migrate ledger prove` wrote.")
