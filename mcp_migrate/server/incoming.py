"""What does a request say, as a call that the pipeline knows?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import ServerRequestContext

from mcp_migrate.model import Call, Caller, Effect, Expects


def make_call(
    call_id: str,
    name: str,
    arguments: Mapping[str, Any],
    caller: Caller,
    context: ServerRequestContext[Any],
) -> Call:
    """The call that `caller` makes now; `arguments` hold at least the intent."""
    return Call(
        call_id=call_id,
        tool=name,
        arguments=arguments,
        intent=arguments["intent"],
        caller=caller,
        at=datetime.now(UTC),
        ticket=arguments.get("ticket"),
        expects=_expects(arguments.get("expects")),
        client=_client(context),
        protocol=context.protocol_version,
    )


def turned_away(
    call_id: str,
    name: str,
    arguments: Mapping[str, Any],
    caller: Caller,
    context: ServerRequestContext[Any],
) -> Call:
    """A call that no tool takes, for the record: nothing in it was looked at, so all of it may be anything."""
    intent, ticket, target = (arguments.get(key) for key in ("intent", "ticket", "target"))
    return Call(
        call_id=call_id,
        tool=name,
        arguments=arguments,
        intent=intent if isinstance(intent, str) else "",
        caller=caller,
        at=datetime.now(UTC),
        target=target if isinstance(target, str) else None,
        ticket=ticket if isinstance(ticket, str) else None,
        client=_client(context),
        protocol=context.protocol_version,
    )


def made_again(call: Call) -> Call:
    """The same call, made now: it has an entry of its own on the ledger."""
    return replace(call, call_id=new_call_id(), at=datetime.now(UTC))


def new_call_id() -> str:
    """An id that no other call has."""
    return f"call_{secrets.token_hex(10)}"


def _expects(value: Mapping[str, Any] | None) -> Expects:
    if value is None:
        return Expects()
    effects, objects = value.get("effects"), value.get("objects")
    return Expects(
        effects=None if effects is None else frozenset(map(Effect, effects)),
        objects=None if objects is None else tuple(objects),
        max_rows=value.get("max_rows"),
    )


def _client(context: ServerRequestContext[Any]) -> str | None:
    """The client's name and version, as it claims them."""
    params = context.session.client_params
    info = params.client_info if params else None
    return f"{info.name} {info.version}"[:120] if info else None
