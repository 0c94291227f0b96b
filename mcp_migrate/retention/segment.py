"""What is a sealed part of the ledger? One file of lines, which verifies where there is neither ledger nor server.

The first line says where in the tree it lies, and holds the signed head that leads to it. Every other line is one
entry, in the very bytes that its leaf hash is of: any tool hashes it with ``SHA-256(0x00 + line)``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mcp_migrate.errors import CheckpointInvalidError, ConfigInvalidError, SegmentInvalidError
from mcp_migrate.ledger.checkpoint import Checkpoint, open_checkpoint
from mcp_migrate.ledger.merkle import Frontier, leaf_hash
from mcp_migrate.ledger.note import VerifierKey
from mcp_migrate.ledger.proofs import verify_consistency
from mcp_migrate.model import canonical

TYPE = "urn:mcp-migrate:segment:1"
_MARK = canonical({"type": TYPE})[1:-1]
_FIRST = 1_000_000
"""Bytes that a first line has at most: a checkpoint with cosignatures and a few hashes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a segment lies: from `begin` up to and without `end`, under a signed head."""

    begin: int
    peaks: tuple[bytes, ...]
    end: int
    root: bytes
    consistency: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A file that holds: `digest` is of the file, `leaves` are of its entries, `newest` is the latest time in it."""

    begin: int
    end: int
    digest: str
    leaves: tuple[bytes, ...]
    oldest: str
    newest: str
    checkpoint: Checkpoint

    @property
    def name(self) -> str:
        return name_of(self.begin, self.end)


def name_of(begin: int, end: int) -> str:
    """What the ledger calls a segment."""
    return f"segment_{begin}_{end}"


def is_segment(path: Path) -> bool:
    """Whether a file says that it is one; one that cannot be read says nothing."""
    with suppress(OSError), path.open("rb") as file:
        return _MARK in file.readline(_FIRST)
    return False


def write(path: Path, place: Place, entries: Iterable[bytes]) -> str:
    """Write a segment as a new file that only this account reads, onto the disk; the answer is its digest.

    Raises:
        ConfigInvalidError: there is a file already, or it cannot be written.
    """
    sha = hashlib.sha256()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                for line in (canonical(_told(place)), *entries):
                    sha.update(line + b"\n")
                    file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise
    except OSError as error:
        raise ConfigInvalidError(
            f"The segment {path} cannot be written: {error}.", hint="Name a folder with room, and no file of that name."
        ) from error
    return f"sha256:{sha.hexdigest()}"


def check(path: Path, keys: Collection[VerifierKey]) -> Segment:
    """Hold all of a segment against itself and against the keys of the log.

    Raises:
        SegmentInvalidError: something in it does not hold; the sentence says what.
        ConfigInvalidError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _checked(path, file, keys)
    except OSError as error:
        raise ConfigInvalidError(
            f"{path} cannot be read: {error}.", hint="Name what `mcp-migrate ledger seal` wrote."
        ) from error
    except CheckpointInvalidError as error:
        raise _invalid(path, error.sentence.rstrip(".")) from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _invalid(path, "it is not built as one") from error


def _checked(path: Path, file: IO[bytes], keys: Collection[VerifierKey]) -> Segment:
    first = file.readline(_FIRST)
    place = _read(first)
    checkpoint = open_checkpoint(place.checkpoint, next(iter(keys)).name, keys)
    sha, leaves, times = hashlib.sha256(first), list[bytes](), list[str]()
    tree = Frontier.from_bytes(place.begin, b"".join(place.peaks))
    for line in file:
        sha.update(line)
        at = _entry(path, line, tree.size)
        leaf = leaf_hash(line[:-1])
        tree = tree.append(leaf)
        leaves.append(leaf)
        times.append(at)
    if not leaves or (tree.size, tree.root) != (place.end, place.root):
        raise _invalid(path, "its entries are not those of its place in the log")
    head = checkpoint.head
    if not verify_consistency(place.end, place.root, head.size, bytes.fromhex(head.root), place.consistency):
        raise _invalid(path, "it is no part of the log that was signed")
    digest = f"sha256:{sha.hexdigest()}"
    return Segment(place.begin, place.end, digest, tuple(leaves), min(times), max(times), checkpoint)


def _entry(path: Path, line: bytes, seq: int) -> str:
    """The time of the entry in a line."""
    entry = json.loads(line)
    if entry["seq"] != seq or canonical(entry) + b"\n" != line:
        raise _invalid(path, f"entry {seq} does not stand where it belongs")
    return str(entry["at"])


def entries(path: Path) -> Iterator[Mapping[str, Any]]:
    """The entries of a segment that was checked."""
    with path.open("rb") as file:
        next(file)
        for line in file:
            yield json.loads(line)


def _told(place: Place) -> dict[str, Any]:
    return {
        "type": TYPE,
        "begin": place.begin,
        "peaks": [each.hex() for each in place.peaks],
        "end": place.end,
        "root": place.root.hex(),
        "consistency": [each.hex() for each in place.consistency],
        "checkpoint": place.checkpoint,
    }


def _read(first: bytes) -> Place:
    said = json.loads(first)
    place = Place(
        said["begin"],
        tuple(map(bytes.fromhex, said["peaks"])),
        said["end"],
        bytes.fromhex(said["root"]),
        tuple(map(bytes.fromhex, said["consistency"])),
        said["checkpoint"],
    )
    if canonical(_told(place)) + b"\n" != first:
        raise ValueError("another spelling")
    return place


def _invalid(path: Path, why: str) -> SegmentInvalidError:
    return SegmentInvalidError(
        f"{path.name} is no segment that holds: {why}.",
        hint="Keep the file as it is, and look for another copy: the ledger has its digest, in `ledger.sealed`.",
    )
