"""Which span stands for a request to us? One that names what we know and repeats no word of whoever sent it.

It takes the place of the SDK's own, whose name and attributes are what the request says, whatever that is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode, get_tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mcp_migrate.watching.telemetry import NAME

_UNKNOWN = "unknown"
_NAMED = {"tools/call": "gen_ai.tool.name", "prompts/get": "gen_ai.prompt.name"}


_OF_THE_SDK = frozenset({"initialize", "notifications/initialized", "notifications/cancelled"})
"""What the SDK answers or takes without a handler of ours."""


class Tracing:
    """Wraps each request in a span. `handler` finds what answers a method; `names` are those that it can be about."""

    def __init__(self, handler: Callable[[str], object], names: Mapping[str, Container[str]]) -> None:
        self._handler, self._names = handler, names
        self._tracer = get_tracer(NAME)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """One request, or one notification, and what came of it."""
        method, about = self._known(ctx)
        attributes = {"mcp.method.name": method, "mcp.protocol.version": ctx.protocol_version}
        with self._tracer.start_as_current_span(
            f"{method} {about}" if about else method,
            kind=SpanKind.SERVER,
            attributes=attributes | ({_NAMED[method]: about} if about else {}),
            context=_parent(ctx.meta),
            record_exception=False,  # its sentence may be about anything that was sent
            set_status_on_exception=False,
        ) as span:
            try:
                result = await call_next(ctx)
            except BaseException as error:
                span.set_attribute("error.type", _kind(error))
                span.set_status(StatusCode.ERROR)
                raise
            if isinstance(result, CallToolResult) and result.is_error:
                span.set_attribute("error.type", "tool_error")
                span.set_status(StatusCode.ERROR)
            return result

    def _known(self, context: ServerRequestContext[Any, Any]) -> tuple[str, str | None]:
        """The method and what it is about, each only where it goes by that name here."""
        method, said = context.method, (context.params or {}).get("name")
        if method not in _OF_THE_SDK and not self._handler(method):
            return _UNKNOWN, None
        if method not in _NAMED or not isinstance(said, str):
            return method, None
        return method, said if said in self._names[method] else _UNKNOWN


def _kind(error: BaseException) -> str:
    return str(error.error.code) if isinstance(error, MCPError) else type(error).__name__


def _parent(meta: Mapping[str, Any] | None) -> Context | None:
    """The client's span. Its `tracestate` and baggage are words of others, and stay here."""
    named = (meta or {}).get("traceparent")
    return TraceContextTextMapPropagator().extract({"traceparent": named}) if isinstance(named, str) else None
