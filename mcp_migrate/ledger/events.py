"""What does one entry of the ledger say, and which bytes of it are hashed?

Everything the ledger will not hold is refused here, before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any

from mcp_migrate.errors import InternalError, InvalidArgumentsError
from mcp_migrate.ledger.kinds import Kind
from mcp_migrate.model import canonical
from mcp_migrate.model.plan import MOST_BYTES

MAX_BODY_BYTES = MOST_BYTES
MAX_DEPTH = 100
"""Levels of a body: what one reader's stack can write, another's must be able to read."""

_BROKEN = "This is a defect of the server; report it."


_KINDS = frozenset(Kind)
PURGED = ""
"""The kind of a row of which only the hashes are left: what it said is in a sealed segment."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caller wants recorded. `body` is JSON; `subject` is the id that look-ups go by."""

    kind: str
    body: Mapping[str, Any]
    workflow: str | None = None
    call_id: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One entry. `seq` counts from 0, `at` is ISO 8601 in UTC, `root` is the tree's root after this entry."""

    seq: int
    at: str
    kind: str
    body: Mapping[str, Any]
    workflow: str | None
    call_id: str | None
    subject: str | None
    leaf: bytes
    root: bytes

    def canonical(self) -> bytes:
        """The bytes that `leaf` is the hash of."""
        return canonical(
            {
                "seq": self.seq,
                "at": self.at,
                "kind": self.kind,
                "body": self.body,
                "workflow": self.workflow,
                "call_id": self.call_id,
                "subject": self.subject,
            }
        )


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries there are, and the root over them in hex."""

    size: int
    root: str


def stamp(at: datetime) -> str:
    """The text of a moment.

    Raises:
        InternalError: `at` does not say its time zone.
    """
    if at.tzinfo is None:
        raise InternalError("A ledger entry was given a time without a zone.", hint=_BROKEN)
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Body:
    """What a draft says, as its canonical JSON and as whoever reads that has it."""

    text: str
    value: Mapping[str, Any]


def body_of(draft: Draft) -> Body:
    """The body of a draft, as the ledger holds it.

    Raises:
        InvalidArgumentsError: it holds what JSON cannot say, or is too large or too deep.
        InternalError: the kind is unknown, or the body is no JSON object at all.
    """
    names = f"{draft.workflow} {draft.call_id} {draft.subject}"
    _check_kind(draft, names)
    try:
        raw, _ = canonical(draft.body), names.encode()
        _check_size(draft, raw)
        parsed = json.loads(text := raw.decode())
        # What is equal has the same keys. Of what is not, as a tuple and a list, the text says whether it is the same.
        same = isinstance(parsed, dict) and (parsed == draft.body or canonical(parsed) == raw)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentsError(
            f"The ledger cannot hold this {draft.kind}: {_reason(error)}.",
            hint="Send plain JSON: finite numbers, Unicode text without lone surrogates, little nesting.",
        ) from error
    except TypeError as error:
        raise InternalError(f"A body of {draft.kind} is not JSON: {error}.", hint=_BROKEN) from error
    if not same:
        raise InternalError(f"A body of {draft.kind} is not an object with text keys.", hint=_BROKEN)
    _check_depth(draft, raw)
    return Body(text, parsed)


def hashed_bytes(
    *, seq: int, at: str, kind: str, body: str, workflow: str | None, call_id: str | None, subject: str | None
) -> bytes:
    """`Event.canonical` without parsing the body: `body` is its canonical text.

    One row cannot pass for another: all fields after the body are escaped, so the last unescaped
    ``,"call_id":`` is where the body ends.
    """
    text = (
        f'{{"at":{_text(at)},"body":{body},"call_id":{_json(call_id)},"kind":{_text(kind)},"seq":{seq},'
        f'"subject":{_json(subject)},"workflow":{_json(workflow)}}}'
    )
    return text.encode()


def _json(value: str | None) -> str:
    return "null" if value is None else _text(value)


_text = encode_basestring  # what `json` itself calls for a text, and what the check of a long log spends its time on


def _check_kind(draft: Draft, names: str) -> None:
    if draft.kind not in _KINDS:
        raise InternalError(f"The ledger knows no kind {draft.kind!r}.", hint=_BROKEN)
    if draft.kind == Kind.APPROVAL_CONSUMED and not draft.subject:
        raise InternalError("What was consumed has no name.", hint=_BROKEN)
    if "\0" in names:
        raise InvalidArgumentsError(
            f"The ledger cannot hold this {draft.kind}: a name in it holds a NUL.", hint="Send names without it."
        )


def _check_size(draft: Draft, raw: bytes) -> None:
    """Before it is parsed again: that takes seconds of what is far too large."""
    if len(raw) > MAX_BODY_BYTES:
        raise InvalidArgumentsError(
            f"The ledger cannot hold this {draft.kind}: its body has {len(raw):,} bytes, "
            f"and {MAX_BODY_BYTES:,} are allowed.",
            hint="Split it: plan fewer revisions at a time, or move the rows out of the revision.",
            bytes=len(raw),
            limit=MAX_BODY_BYTES,
        )


def _check_depth(draft: Draft, raw: bytes) -> None:
    # Counting brackets is cheap and settles nearly every body.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(draft.body) > MAX_DEPTH:
        raise InvalidArgumentsError(
            f"The ledger cannot hold this {draft.kind}: it is nested deeper than {MAX_DEPTH} levels.",
            hint="Send flatter arguments.",
            limit=MAX_DEPTH,
        )


def _depth(value: Any) -> int:
    """Levels of containers in `value`, counted without recursion, up to one more than is allowed."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, Mapping) else parent)
            if isinstance(child, Mapping | list | tuple)
        ]
    return depth


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, UnicodeError):
        return "a text holds a lone surrogate"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
