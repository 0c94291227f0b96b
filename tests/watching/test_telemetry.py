"""Can whoever watches a server tell what each call did, and tie log lines, spans and entries of the ledger together?"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mcp_migrate.__main__ import load_settings
from mcp_migrate.errors import ConfigInvalidError, NotPermittedError, UnknownToolError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.model import Call, Caller
from mcp_migrate.server.log import _handler
from mcp_migrate.watching import ids
from mcp_migrate.watching.exporting import watch_waiting
from mcp_migrate.watching.telemetry import Telemetry
from mcp_migrate.wiring import Wiring
from tests.world import INTENT, World

AT = datetime(2026, 1, 2, tzinfo=UTC)
CALL = Call("call_1", "migration_apply", {}, "a secret intent", Caller("agent:demo"), AT, target="shop")


class Watched:
    """A ledger of which one process tells what happens in it, to memory."""

    def __init__(self, folder: Path) -> None:
        self.spans, self.readings = InMemorySpanExporter(), InMemoryMetricReader()
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(self.spans))
        self.tracer, self.meter = tracing.get_tracer("t"), MeterProvider([self.readings]).get_meter("t")
        self.telemetry = Telemetry(self.tracer, self.meter)
        self.ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
        self.ledger.after.append(self.telemetry.noticed)

    def append(self, kind: Kind, body: dict[str, Any], subject: str | None = None, call_id: str = "call_1") -> Event:
        return self.ledger.append(Draft(kind, body, call_id=call_id, subject=subject), at=AT)[0]

    def measured(self) -> dict[str, list[tuple[dict[str, Any], float]]]:
        data = self.readings.get_metrics_data()
        found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return {
            m.name: [(dict(p.attributes or {}), getattr(p, "sum", getattr(p, "value", 0))) for p in m.data.data_points]
            for m in found
        }


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.ledger.close()


@pytest.mark.proves("watching-spans", "watching-metrics")
def test_a_call_is_a_span_of_the_entries_that_it_leaves_and_is_counted(watched: Watched) -> None:
    with watched.tracer.start_as_current_span("tools/call"), watched.telemetry.call(CALL):
        watched.append(Kind.CALL_RECEIVED, {"intent": "a secret intent"})
        watched.append(Kind.STEP_STARTED, {}, "apply_1")
        watched.append(Kind.CALL_RECEIVED, {}, call_id="call_of_somebody_else")
        watched.append(Kind.STEP_FINISHED, {"target": "shop", "status": "applied", "ms": 1500}, "apply_1")
        watched.append(Kind.CALL_FINISHED, {"status": "applied", "ms": 2000}, "apply_1")
    watched.append(Kind.NOTICE_SENT, {})  # by whoever works on no call
    mine, around = watched.spans.get_finished_spans()
    assert mine.parent == around.get_span_context()
    assert mine.attributes == {
        "mcp_migrate.call_id": "call_1",
        "mcp_migrate.tool": "migration_apply",
        "mcp_migrate.target": "shop",
        "mcp_migrate.principal": "agent:demo",
        "mcp_migrate.apply_id": "apply_1",
        "mcp_migrate.outcome": "applied",
    }
    assert [each.name for each in mine.events] == ["call.received", "step.started", "step.finished", "call.finished"]
    assert "secret" not in mine.to_json()
    call, apply = {"tool": "migration_apply", "outcome": "applied"}, {"target": "shop", "status": "applied"}
    assert watched.measured() == {
        "mcp_migrate.calls": [(call, 1)],
        "mcp_migrate.call.duration": [(call, 2.0)],
        "mcp_migrate.applies": [(apply, 1)],
        "mcp_migrate.apply.duration": [(apply, 1.5)],
    }


@pytest.mark.proves("watching-spans")
def test_a_refused_call_is_an_error_by_its_code_and_nothing_of_what_it_says(watched: Watched) -> None:
    with suppress(NotPermittedError), watched.telemetry.call(CALL):
        watched.append(Kind.CALL_REFUSED, {"code": "not_permitted", "sentence": "a secret sentence", "ms": 1})
        raise NotPermittedError("a secret sentence", hint="")
    [span] = watched.spans.get_finished_spans()
    assert (span.status.status_code.name, (span.attributes or {})["error.type"]) == ("ERROR", "not_permitted")
    assert "secret" not in span.to_json()


@pytest.mark.proves("watching-exports")
def test_what_names_no_tool_and_no_target_is_no_name_for_a_collector(tmp_path: Path, watched: Watched) -> None:
    wiring = Wiring(load_settings(World(tmp_path).config))
    wiring.telemetry = watched.telemetry
    call = replace(CALL, tool="a secret tool", target="a secret target", caller=Caller("agent:shop"))
    wiring.refused(call, UnknownToolError("There is no such tool.", hint=""))
    [span] = watched.spans.get_finished_spans()
    assert (span.name, "secret" in span.to_json()) == ("call unknown", False)
    assert [said["tool"] for said, _ in watched.measured()["mcp_migrate.calls"]] == ["unknown"]
    wiring.ledger.close()


@pytest.mark.proves("watching-logs")
def test_each_line_logged_while_a_call_runs_carries_its_ids(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    handler, logger = _handler(), logging.getLogger("mcp_migrate")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with watched.telemetry.call(CALL):
            logger.warning("before")
            watched.append(Kind.PLAN_FROZEN, {}, "plan_1")
            watched.append(Kind.STEP_STARTED, {}, "apply_1")
            logger.warning("within")
        logger.warning("outside")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    known = {"call_id": "call_1", "tool": "migration_apply", "target": "shop"}
    told = [(line.pop("event"), line) for line in lines if line.pop("timestamp") and line.pop("level")]
    assert told == [
        ("before", known),
        ("plan.frozen", {**known, "plan_id": "plan_1"}),
        ("step.started", {**known, "plan_id": "plan_1", "apply_id": "apply_1"}),
        ("within", {**known, "plan_id": "plan_1", "apply_id": "apply_1"}),
        ("outside", {}),
    ]
    ids.learned(plan_id="of nobody")
    assert ids.current() == {}


@pytest.mark.proves("watching-metrics")
def test_what_waits_for_people_is_measured_by_target(watched: Watched) -> None:
    watch_waiting(watched.meter, lambda: {"shop": 3})
    assert watched.measured()["mcp_migrate.approvals.waiting"] == [({"target": "shop"}, 3)]


class Collector(BaseHTTPRequestHandler):
    """A collector that keeps what it is sent."""

    kept: list[tuple[str, str | None, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.kept.append((self.path, self.headers.get("x-team"), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, str | None, bytes]]]]:
    kept: list[tuple[str, str | None, bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Keeping", (Collector,), {"kept": kept}))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kept
    server.shutdown()
    server.server_close()


@pytest.mark.proves("watching-exports", "watching-spans")
def test_a_real_server_goes_on_with_its_clients_trace_and_sends_what_is_left_at_its_end(
    tmp_path: Path, collector: tuple[str, list[tuple[str, str | None, bytes]]]
) -> None:
    world = World(tmp_path)
    endpoint, kept = collector
    (tmp_path / "team").write_text("dba")
    told = {"endpoint": endpoint, "headers": {"x-team": f"${{file:{tmp_path}/team}}"}}
    world.configure(lambda value: value.update(telemetry=told))
    meta: Any = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "of=secret"}

    async def go() -> str:
        async with world.stdio_agent("--log", "info") as agent:
            assert (await agent.plan_and_apply("c3"))["status"] == "approval_required"
            asked = {"intent": INTENT, "target": "shop"}
            result = await agent.client.call_tool("schema_read", asked, meta=meta)
            for name in ("a secret tool", "schema_diff"):
                assert (await agent.client.call_tool(name, {"secret": "row"})).is_error
            with pytest.raises(MCPError):
                await agent.client.get_prompt("a secret prompt")
            with pytest.raises(MCPError):
                await agent.client.read_resource("approval://secret")
            return str((result.structured_content or {})["call_id"])

    call_id = anyio.run(go)
    spans, metrics = dict[str, Any](), set[str]()
    for path, team, body in kept:
        assert team == "dba"
        if path == "/v1/traces":
            for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
                spans |= {span.name: span for scope in sent.scope_spans for span in scope.spans}
        else:
            for measured in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                metrics |= {each.name for scope in measured.scope_metrics for each in scope.metrics}
    assert not [path for path, _, body in kept if b"secret" in body or b"row" in body]
    assert "tools/call unknown" in spans
    mine, around = spans["call schema_read"], spans["tools/call schema_read"]
    assert mine.trace_id.hex() == meta["traceparent"].split("-")[1]
    assert (mine.parent_span_id, around.parent_span_id.hex()) == (around.span_id, meta["traceparent"].split("-")[2])
    assert call_id in {each.value.string_value for each in mine.attributes}
    assert {"mcp_migrate.calls", "mcp_migrate.call.duration", "mcp_migrate.approvals.waiting"} <= metrics


@pytest.mark.proves("watching-exports")
@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"endpoint": "http://collector.example.com"}, "can be read on the way"),
        ({"endpoint": "https://c.example.com", "headers": {"Authorization": "Bearer x"}}, "in plain text"),
    ],
)
def test_what_would_be_read_on_the_way_is_refused(tmp_path: Path, told: dict[str, Any], why: str) -> None:
    world = World(tmp_path)
    world.configure(lambda value: value.update(telemetry=told))
    with pytest.raises(ConfigInvalidError) as refused:
        load_settings(world.config)
    [problem] = refused.value.details["problems"]
    assert why in str(problem)
