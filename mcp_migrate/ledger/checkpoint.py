"""What is the signed head of a log? A checkpoint (c2sp.org/tlog-checkpoint), which others can keep for us."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from mcp_migrate.errors import CheckpointInvalidError
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.merkle import HASH_SIZE
from mcp_migrate.ledger.note import Algorithm, Note, Signing, VerifierKey, parse_note, sign, verify_note

_LINES, _DIGITS = 3, 19
_HINT = "Name a checkpoint of this ledger, as `mcp-migrate ledger checkpoint` prints it."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head: that of which log, since when it was known, and who else saw it.

    `at` is the newest time that a trusted key signed; None where only plain signatures are there.
    """

    origin: str
    head: Head
    note: Note
    at: datetime | None
    cosigners: tuple[str, ...] = ()


def make(origin: str, head: Head, point: bytes, signing: Signing, *, at: datetime) -> Note:
    """Sign a head: plainly, for everyone's tools, and with the time, so that its age cannot be made up."""
    text = f"{origin}\n{head.size}\n{base64.b64encode(bytes.fromhex(head.root)).decode()}\n"
    return sign(text, origin, point, signing, at=at)


def open_checkpoint(
    text: str, origin: str, keys: Collection[VerifierKey], cosigners: Iterable[VerifierKey] = ()
) -> Checkpoint:
    """Check a checkpoint of the log `origin` against the keys of the log, and what cosigners say of it.

    Raises:
        CheckpointInvalidError: none of the log's keys signed it, a known signature does not hold, or it is none.
    """
    note = parse_note(text)
    named, head = parse_head(note)
    if named != origin:
        raise _invalid(f"it is of the log {named!r}, not {origin!r}")
    own = [way for key in keys for way in (key.also(Algorithm.PLAIN), key.also(Algorithm.COSIGNATURE))]
    mine = verify_note(note, own)
    if not mine:
        raise _invalid("no key of this log signed it")
    seen = verify_note(note, cosigners)
    times = [signed.at for signed in (*mine, *seen) if signed.at is not None]
    return Checkpoint(origin, head, note, max(times, default=None), tuple(signed.key.name for signed in seen))


def parse_head(note: Note) -> tuple[str, Head]:
    """The origin and the head that a note's text says, whoever signed it. Raises: CheckpointInvalidError."""
    lines = note.text.removesuffix("\n").split("\n")
    if len(lines) < _LINES or not all(lines):
        raise _invalid("its text is not an origin, a size and a root")
    origin, size, encoded = lines[:_LINES]
    try:
        root = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if not (size.isascii() and size.isdecimal() and len(size) <= _DIGITS and str(int(size)) == size):
        raise _invalid("its size is no number")
    if len(root) != HASH_SIZE or base64.b64encode(root).decode() != encoded:
        raise _invalid("its root is no SHA-256 in base64")
    return origin, Head(int(size), root.hex())


def _invalid(why: str) -> CheckpointInvalidError:
    return CheckpointInvalidError(f"This is no checkpoint that can be trusted: {why}.", hint=_HINT)
