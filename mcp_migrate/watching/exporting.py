"""Where do spans and metrics go? To a collector that speaks OTLP, where the configuration names one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.watching.telemetry import NAME

if TYPE_CHECKING:
    from mcp_migrate.settings.telemetry import Collector

_TIMEOUT_SECONDS = 5
_EVERY_MS = 1000
_LAST_SECONDS = 0.3
"""Clients end a server half a second after they closed its input."""


def export(collector: Collector, waiting: Callable[[], Mapping[str, int]]) -> Callable[[], None]:
    """Send to `collector` from now on; `waiting` says how many requests wait, by target. The answer sends the rest.

    Raises:
        ConfigInvalidError: what is needed for it is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        hint = "pip install 'mcp-migrate-server[otel]'"
        raise ConfigInvalidError("`telemetry` needs OpenTelemetry's SDK and its OTLP exporter.", hint=hint) from error
    from opentelemetry import metrics, trace

    resource = Resource.create({"service.name": collector.service})
    way: dict[str, Any] = {"headers": collector.resolved_headers(), "timeout": _TIMEOUT_SECONDS}
    tracing = TracerProvider(resource=resource)
    spans = OTLPSpanExporter(endpoint=f"{collector.endpoint}/v1/traces", **way)
    tracing.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=_EVERY_MS))
    readings = OTLPMetricExporter(endpoint=f"{collector.endpoint}/v1/metrics", **way)
    reader = PeriodicExportingMetricReader(readings, export_interval_millis=collector.every.total_seconds() * 1000)
    measuring = MeterProvider([reader], resource=resource)
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(measuring)
    watch_waiting(measuring.get_meter(NAME), waiting)
    return lambda: _at_last(tracing.force_flush, measuring.force_flush)


def watch_waiting(meter: Any, waiting: Callable[[], Mapping[str, int]]) -> None:
    """Have the number of requests that wait for people be read whenever metrics are."""
    from opentelemetry.metrics import Observation

    def observed(_options: object) -> Iterable[Observation]:
        return [Observation(count, {"target": target}) for target, count in waiting().items()]

    meter.create_observable_gauge(
        f"{NAME}.approvals.waiting", [observed], description="Approval requests that wait for people."
    )


def _at_last(*flushes: Callable[[], object]) -> None:
    """Send what is left, as far as there is time: nobody waits long for a server that ends."""
    threads = [threading.Thread(target=flush, daemon=True) for flush in flushes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LAST_SECONDS)
