"""How is a text signed so that any transparency log's tools can check it? C2SP signed notes (c2sp.org/signed-note).

Two kinds of signature are known: Ed25519 over the text, and the timestamped cosignature of c2sp.org/tlog-cosignature.
Signatures of unknown keys are skipped, as the specification says; one of a known key that does not hold spoils it all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from mcp_migrate.errors import CheckpointInvalidError

_DASH = "— "
_ID, _TIME, _SIGNATURE, _POINT = 4, 8, 64, 32  # bytes
_MOST = 64
"""Signatures of one note that are looked at; the specification asks for 16."""

_LATEST = 2**63 - 1
_HINT = "Get the note again from whoever keeps it, as it was written: every byte of it counts."

_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""Control characters other than the newline, and what no UTF-8 can be."""

Signing = Callable[[bytes], bytes]
"""An Ed25519 key: the message in, 64 bytes out."""


class Algorithm(IntEnum):
    """How a key signs: the byte that the specification gives it."""

    PLAIN = 1
    COSIGNATURE = 4


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key: what signs, under which name."""

    name: str
    algorithm: Algorithm
    point: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes to find it by; not enough to trust it by."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed).digest()[:_ID]

    @property
    def _typed(self) -> bytes:
        return bytes([self.algorithm]) + self.point

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Whether this key signed exactly `message`."""
        return _holds(self.point, signature, message)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._typed).decode()}"

    def also(self, algorithm: Algorithm) -> VerifierKey:
        """The same key, signing in another way."""
        return VerifierKey(self.name, algorithm, self.point)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that holds: whose, and when it says it was made (cosignatures do)."""

    key: VerifierKey
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and the lines that sign it, each a name and a signature: not yet trusted."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]

    def __str__(self) -> str:
        lines = (f"{_DASH}{name} {base64.b64encode(raw).decode()}\n" for name, raw in self.signatures)
        return f"{self.text}\n{''.join(lines)}"

    def with_lines(self, lines: str) -> Note:
        """The note with more signature lines under it. Raises: CheckpointInvalidError."""
        return parse_note(str(self) + lines) if lines else self


def parse_key(text: str) -> VerifierKey:
    """A verifier key, ``name+id+base64``.

    Raises:
        ValueError: it is none, or of a kind that is not known here.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if not is_name(name) or len(raw) != 1 + _POINT or raw[0] not in set(Algorithm):
        raise ValueError("this is no verifier key of an Ed25519 key, as example.com/log+12345678+AZ…")
    key = VerifierKey(name, Algorithm(raw[0]), raw[1:])
    if key_id != key.key_id.hex():
        raise ValueError("the id in this verifier key is not that of its name and key")
    return key


def is_name(text: str) -> bool:
    """Whether `text` can name a key: neither empty nor with spaces, plus signs or control characters."""
    return bool(text) and "+" not in text and text.isprintable() and not any(map(str.isspace, text))


def parse_note(text: str) -> Note:
    """Take a note apart. Raises: CheckpointInvalidError."""
    body, gap, foot = text.rpartition("\n\n")
    lines = foot.split("\n")
    if not gap or not body or lines[-1] or len(lines) > _MOST + 1 or _FORBIDDEN.search(text):
        raise _invalid("it is not a text, an empty line and signatures")
    return Note(f"{body}\n", tuple(_line(line) for line in lines[:-1]) or _nobody())


def sign(text: str, name: str, point: bytes, signing: Signing, *, at: datetime | None = None) -> Note:
    """Sign a text plainly, and where `at` is given also with that time."""
    key = VerifierKey(name, Algorithm.PLAIN, point)
    lines = [(name, key.key_id + signing(text.encode()))]
    if at is not None:
        lines.append(cosign(text, key.also(Algorithm.COSIGNATURE), signing, at=at))
    return Note(text, tuple(lines))


def cosign(text: str, key: VerifierKey, signing: Signing, *, at: datetime) -> tuple[str, bytes]:
    """The signature line of whoever saw this text at this time."""
    seconds = int(at.timestamp())
    return key.name, key.key_id + struct.pack(">Q", seconds) + signing(_timed(seconds, text))


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[Signed, ...]:
    """The signatures by these keys, all of which hold.

    Raises:
        CheckpointInvalidError: one does not hold.
    """
    known = {(key.name, key.key_id): key for key in keys}
    return tuple(_verified(note.text, known, note.signatures))


def _verified(
    text: str, known: dict[tuple[str, bytes], VerifierKey], lines: Iterable[tuple[str, bytes]]
) -> Iterator[Signed]:
    for name, raw in lines:
        key = known.get((name, raw[:_ID]))
        if key is None:
            continue
        at, message, signature = None, text.encode(), raw[_ID:]
        if key.algorithm == Algorithm.COSIGNATURE:
            seconds = int.from_bytes(signature[:_TIME], "big")
            at, message, signature = _moment(seconds), _timed(seconds, text), signature[_TIME:]
        if not key.holds(signature, message):
            raise _invalid(f"the signature of {name} does not hold")
        yield Signed(key, at)


def _holds(point: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(signature) != _SIGNATURE:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(point).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _timed(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds <= _LATEST else None
    except (ValueError, OverflowError, OSError):  # beyond the calendar
        return None


def _line(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _decoded(encoded)
    if not line.startswith(_DASH) or not is_name(name) or len(raw) <= _ID:
        raise _invalid("a line under its text is no signature")
    return name, raw


def _decoded(encoded: str) -> bytes:
    """The bytes of the one spelling of base64, or none."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == encoded else b""


def _nobody() -> tuple[tuple[str, bytes], ...]:
    raise _invalid("nobody signed it")


def _invalid(why: str) -> CheckpointInvalidError:
    return CheckpointInvalidError(f"This is no checkpoint that can be trusted: {why}.", hint=_HINT)
