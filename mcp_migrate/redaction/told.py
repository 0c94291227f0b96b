"""How do a call and what became of it stand on the ledger?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mcp_migrate.errors import MigrateError
from mcp_migrate.model import Call
from mcp_migrate.redaction.redactor import Redactor

_OF_THE_CALL = ("intent", "ticket", "target")
_DECIDED = (
    *("missing", "scopes", "reasons", "differences", "request_id"),
    *("step", "taken", "by", "frozen", "paused_until", "limit"),
)
"""Which details of a refusal say by what it was decided."""

_QUOTES_VALUES = frozenset(
    {"statement_failed", "partially_applied", "validation_failed", "rehearsal_failed", "render_failed"}
)
"""What a database or a revision said is in these: it may quote rows."""


def called(call: Call, redactor: Redactor) -> dict[str, Any]:
    """Who calls what, why, with which arguments. Intent and ticket were redacted with the call."""
    shown = redactor.arguments(call.tool, call.arguments)
    body = {
        "tool": redactor.text(call.tool),
        "target": call.target and redactor.text(call.target),
        "principal": call.principal,
        "caller": call.caller.told(),
        "intent": call.intent,
        "ticket": call.ticket,
        "client": call.client and redactor.text(call.client),
        "protocol": call.protocol,
        "bytes": shown.size,
    }
    others = {k: v for k, v in shown.arguments.items() if k not in _OF_THE_CALL or v != body[k]}
    return {**body, "arguments": others}


def refused(call: Call, error: MigrateError, redactor: Redactor) -> dict[str, Any]:
    """Why it did not do what it asked for, and what decided so."""
    whole = redactor.arguments(call.tool, call.arguments).whole and redactor.text(call.tool) == call.tool
    # Otherwise it may quote what was taken out of the arguments.
    said = failed(error, redactor) if whole else redactor.sentence(error.sentence)
    decided = {key: error.details[key] for key in _DECIDED if key in error.details}
    return {"code": error.code, "sentence": said, "rule": decided}


def failed(error: MigrateError, redactor: Redactor, *, known: str = "") -> str:
    """What went wrong, without the values that a database quotes; names that are in `known` stay."""
    return _saying(error, redactor, known)(error.sentence)


def details(error: MigrateError, redactor: Redactor, *, known: str = "") -> dict[str, Any]:
    """What else is known of a failure, each text in it as `failed` has the sentence."""
    return {name: plainly(each, _saying(error, redactor, known)) for name, each in error.details.items()}


def _saying(error: MigrateError, redactor: Redactor, known: str) -> Callable[[str], str]:
    return partial(redactor.sentence, known=known) if error.code in _QUOTES_VALUES else redactor.text


def plainly(value: Any, text: Callable[[str], str]) -> Any:
    """The same with `text` of each text in it; what names a part stays."""
    if isinstance(value, Mapping):
        return {str(name): plainly(each, text) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plainly(each, text) for each in value]
    return text(value) if isinstance(value, str) else value


def answered(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The digest and the size of an answer, never the answer. Never fails: what is told of may have happened."""
    text = json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    raw = text.encode("utf-8", "backslashreplace")
    return {"answer": f"sha256:{hashlib.sha256(raw).hexdigest()}", "answer_bytes": len(raw)}
