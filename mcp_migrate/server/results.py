"""How does an answer or a refusal look on the wire? Structured, with one text that says the same for people."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from mcp_migrate.errors import Action, MigrateError

_Context = ServerRequestContext[Any]
_P = TypeVar("_P")
_R = TypeVar("_R")

_MOST_CHARACTERS = 40_000
"""Clients replace results above about 50 kB by a short preview; ours stay whole."""

_STATUS = {
    "approval_denied": "approval_denied",
    "plan_stale": "plan_stale",
    "not_permitted": "not_permitted",
    "partially_applied": "partially_applied",
    "statement_failed": "failed",
    "precondition_failed": "failed",
    "validation_failed": "failed",
    "lock_timeout": "failed",
}
"""The `status` an apply that was refused or failed with this code reports beside the code."""


_NOT_YOURS = "An agent cannot mend this: tell the person you work for."
"""Put before hints that are written for whoever runs the server."""


def succeeded(answer: Mapping[str, Any]) -> types.CallToolResult:
    """The result of a call that did what it should, or waits for people."""
    fitted = _fitted(answer)
    return types.CallToolResult(content=[_text(_told(fitted))], structured_content=fitted)


def failed(call_id: str | None, error: MigrateError) -> types.CallToolResult:
    """A tool error the caller can act on: stable code, one sentence, what comes next.

    Without a `call_id` the call never came to a server that could have put it on the ledger.
    """
    hint = f"{_NOT_YOURS} {error.hint}" if error.action is Action.ASK_ADMIN else error.hint
    body: dict[str, Any] = {
        **({"call_id": call_id} if call_id else {}),
        "code": error.code,
        "message": error.sentence,
        "details": _fitted(error.details),
        "next": {"action": error.action, "hint": hint},
    }
    if error.code in _STATUS:
        body["status"] = error.details.get("status", _STATUS[error.code])
    return types.CallToolResult(
        content=[_text(f"{error.code}: {error.sentence} {hint}")],
        structured_content=json.loads(json.dumps(body, default=str)),
        is_error=True,
    )


def refused(code: str, sentence: str, hint: str) -> MCPError:
    """The same as an error of the protocol, for methods that have no results of tools."""
    return MCPError(types.INVALID_PARAMS, f"{code}: {sentence} {hint}", {"code": code, "hint": hint})


def refusing(handler: Callable[[_Context, _P], Awaitable[_R]]) -> Callable[[_Context, _P], Awaitable[_R]]:
    """Answer what a handler refuses as an error of the protocol: its method has no results of tools."""

    async def answer(context: _Context, params: _P) -> _R:
        try:
            return await handler(context, params)
        except MigrateError as error:
            raise refused(error.code, error.sentence, error.hint) from error

    return answer


def _fitted(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer, with its longest list shortened until it fits; what was left out is said."""
    fitted = dict(answer)
    while _length(fitted) > _MOST_CHARACTERS:
        lists = {key: value for key, value in fitted.items() if isinstance(value, list) and len(value) > 1}
        if not lists:
            return {"call_id": fitted.get("call_id"), "truncated": "The answer was too large; ask for less."}
        longest = max(lists, key=lambda key: _length(lists[key]))
        fitted[longest] = lists[longest][: len(lists[longest]) // 2]
        fitted["truncated"] = f"{longest} is cut to its first entries; ask for less at once."
    return fitted


def _length(value: Any) -> int:
    """Characters on the wire, where letters of every script stay as they are."""
    return len(json.dumps(value, default=str, ensure_ascii=False))


def _told(answer: Mapping[str, Any]) -> str:
    """One short text for people: what it is about, and what comes next."""
    lines = [str(answer[key]) for key in ("summary", "schema") if answer.get(key)]
    lines += [
        f"{key}: {answer[key]}"
        for key in ("status", "apply_id", "plan_id", "request_id", "revision", "in_sync", "ok", "allowed")
        if answer.get(key) is not None
    ]
    if isinstance(answer.get("next"), Mapping):
        lines.append(str(answer["next"]["hint"]))
    return "\n".join(lines) or json.dumps(answer, default=str)[:2000]


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
