"""What do tracing and metrics learn of a call? What the ledger records of it, as that is written: ids and outcomes.

This uses OpenTelemetry's interface alone, which the MCP SDK brings. It does nothing until something is set up that
collects: by the configuration (``exporting``), or by whoever starts the process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_migrate.ledger import Event, Kind
from mcp_migrate.watching import ids

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, Meter
    from opentelemetry.trace import Span, Tracer

    from mcp_migrate.model import Call

NAME = "mcp_migrate"
_ENDS = (Kind.CALL_FINISHED, Kind.CALL_REFUSED)
_SUBJECTS = (
    ("plan.", "plan_id"),
    ("approval.requested", "request_id"),
    ("step.", "apply_id"),
    ("statement.", "apply_id"),
)
"""What the subject of an entry is the id of."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Instruments:
    """What is counted and measured."""

    calls: Counter
    call_seconds: Histogram
    applies: Counter
    apply_seconds: Histogram

    @classmethod
    def of(cls, meter: Meter) -> Instruments:
        return cls(
            meter.create_counter(f"{NAME}.calls", description="Calls that ended."),
            meter.create_histogram(f"{NAME}.call.duration", unit="s", description="How long a call took."),
            meter.create_counter(f"{NAME}.applies", description="Applies that ended."),
            meter.create_histogram(f"{NAME}.apply.duration", unit="s", description="From the call to the outcome."),
        )


class Telemetry:
    """One for each process; without arguments it takes what is set up for the whole of it."""

    def __init__(self, tracer: Tracer | None = None, meter: Meter | None = None) -> None:
        self._given = tracer, meter
        self._made: tuple[Tracer, Instruments] | None = None
        self._lock = threading.Lock()

    def _taken(self) -> tuple[Tracer, Instruments]:
        """What spans and metrics are made with: once, when the first call comes."""
        from opentelemetry.metrics import get_meter  # the SDK has loaded it where calls come in
        from opentelemetry.trace import get_tracer

        with self._lock:
            if self._made is None:
                tracer, meter = self._given
                self._made = tracer or get_tracer(NAME), Instruments.of(meter or get_meter(NAME))
            return self._made

    @contextmanager
    def call(self, call: Call) -> Iterator[None]:
        """A span for one call, beneath the one that the MCP SDK keeps of the request."""
        known = {"call_id": call.call_id, "tool": call.tool, "principal": call.principal}
        attributes = _attributes({**known, "target": call.target})
        with (
            ids.working_on(call_id=call.call_id, tool=call.tool, target=call.target),
            self._taken()[0].start_as_current_span(
                f"call {call.tool}", attributes=attributes, record_exception=False, set_status_on_exception=False
            ),
        ):
            yield

    def noticed(self, events: Sequence[Event]) -> None:
        """Entries were written: where a call was at work on them, they are what happens in its span."""
        known = ids.current()
        for event in events if known else ():
            if event.call_id == known["call_id"]:
                self._tell(event, known["tool"])

    def _tell(self, event: Event, tool: str) -> None:
        from opentelemetry.trace import get_current_span

        found = {name: event.subject for start, name in _SUBJECTS if event.kind.startswith(start)}
        ids.learned(**found)
        span = get_current_span()
        span.set_attributes(_attributes(found))
        span.add_event(event.kind, _attributes({"seq": event.seq, **found}))
        logger.info(event.kind)
        body: Mapping[str, Any] = event.body
        if event.kind in _ENDS:
            self._ended(span, tool, body)
        elif event.kind == Kind.STEP_FINISHED:
            ended = {"target": str(body["target"]), "status": str(body["status"])}
            _, instruments = self._taken()
            instruments.applies.add(1, ended)
            instruments.apply_seconds.record(body.get("ms", 0) / 1000, ended)

    def _ended(self, span: Span, tool: str, body: Mapping[str, Any]) -> None:
        from opentelemetry.trace import StatusCode

        outcome = str(body.get("code") or body["status"])
        span.set_attribute(f"{NAME}.outcome", outcome)
        if "code" in body:
            span.set_attribute("error.type", outcome)
            span.set_status(StatusCode.ERROR)
        ended = {"tool": tool, "outcome": outcome}
        _, instruments = self._taken()
        instruments.calls.add(1, ended)
        instruments.call_seconds.record(body.get("ms", 0) / 1000, ended)


def _attributes(values: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {f"{NAME}.{name}": value for name, value in values.items() if value is not None}
