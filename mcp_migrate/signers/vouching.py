"""What exactly is signed when an admin vouches for a configuration, and does one such signature hold?

Under the signature is a digest of each file that says who may do what: the configuration, and the tool specs of the
folders that it names. It is made for this purpose alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import canonical
from mcp_migrate.signers.interface import Key
from mcp_migrate.signers.keys import PublicKey, parse_public_key
from mcp_migrate.signers.sshsig import verify

FORMAT = "mcp-migrate/config/1"
NAMESPACE = "config@mcp-migrate"
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who vouches for the configuration, and since when."""

    key: str
    at: datetime


def signature_file(config: Path) -> Path:
    """Where the signature of a configuration is: beside it."""
    return config.with_name(config.name + ".sig")


def statement(files: Mapping[str, str], *, key: Key, at: datetime) -> dict[str, Any]:
    """What is signed."""
    return {"format": FORMAT, "files": dict(files), "key": key.fingerprint, "signed_at": at.isoformat()}


def check(config: Path, files: Mapping[str, str], pinned: Iterable[str]) -> Vouched:
    """Hold the signature beside a configuration against its files and the pinned keys.

    Raises:
        ApprovalInvalidError: there is none that holds; the sentence says why.
    """
    entry = _entry(signature_file(config))
    said = entry.get("statement")
    if not isinstance(said, Mapping) or said.get("format") != FORMAT:
        raise _invalid("its signature is none of this version")
    key = next((each for each in _keys(pinned) if each.fingerprint == said.get("key")), None)
    if key is None:
        raise _invalid("no key that is pinned here signed it")
    verify(canonical(dict(said)), str(entry.get("signature")), key, namespace=NAMESPACE)
    if said.get("files") != dict(files):
        raise _invalid(f"it is not what was signed: {', '.join(_differing(said.get('files'), files))}")
    try:
        at = datetime.fromisoformat(str(said.get("signed_at")))
    except ValueError as error:
        raise _invalid("its signature does not say when it was made") from error
    return Vouched(key.fingerprint, at)


def _entry(file: Path) -> Mapping[str, Any]:
    try:
        entry = json.loads(file.read_bytes()[:_LARGEST])
    except FileNotFoundError as error:
        raise _invalid("nobody signed it") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _invalid("its signature cannot be read") from error
    if not isinstance(entry, dict):
        raise _invalid("its signature cannot be read")
    return entry


def _differing(signed: object, now: Mapping[str, str]) -> list[str]:
    before = signed if isinstance(signed, Mapping) else {}
    return sorted(str(name) for name in {*before, *now} if before.get(name) != now.get(name))


def _keys(lines: Iterable[str]) -> Iterator[PublicKey]:
    for line in lines:
        with suppress(ConfigInvalidError):  # `config check` tells of it
            yield parse_public_key(line)


def _invalid(why: str) -> ApprovalInvalidError:
    return ApprovalInvalidError(
        f"The configuration does not count: {why}.", hint="`mcp-migrate config sign --key FILE`."
    )
