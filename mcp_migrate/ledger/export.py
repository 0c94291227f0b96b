"""What does an entry look like to other people's tools? JSON lines, CSV, and OCSF for security lakes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from mcp_migrate.ledger.events import Event

_TOLD = ("tool", "target", "principal", "status", "code", "intent")
COLUMNS = ("seq", "at", "kind", "workflow", "call_id", "subject", *_TOLD, "leaf", "body")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_OCSF_VERSION = "1.4.0"
_OTHER, _SUCCESS, _FAILURE = 99, 1, 2
_INFORMATIONAL, _MEDIUM = 1, 3


def jsonl(event: Event) -> str:
    """All of an entry, with the leaf hash and root that it has in the tree."""
    return json.dumps(told(event), ensure_ascii=False, separators=(",", ":"))


def told(event: Event) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "workflow": event.workflow,
        "call_id": event.call_id,
        "subject": event.subject,
        "body": event.body,
        "leaf": event.leaf.hex(),
        "root": event.root.hex(),
    }


def csv_line(event: Event) -> str:
    """One line of a table. What a spreadsheet would take for a formula is quoted for it."""
    whole = {**{name: event.body.get(name) for name in _TOLD}, **told(event)}
    whole["body"] = json.dumps(event.body, ensure_ascii=False, sort_keys=True)
    return _row([_cell(whole[name]) for name in COLUMNS])


def csv_header() -> str:
    """The first line of the table."""
    return _row(list(COLUMNS))


def ocsf(event: Event) -> str:
    """An API Activity (class 6003) of the Open Cybersecurity Schema Framework; the whole entry is under `unmapped`."""
    body, refused = event.body, event.kind.endswith((".refused", ".failed")) or event.body.get("status") == "failed"
    value = {
        "activity_id": _OTHER,
        "activity_name": event.kind,
        "category_uid": 6,
        "class_uid": 6003,
        "type_uid": 6003 * 100 + _OTHER,
        "severity_id": _MEDIUM if refused else _INFORMATIONAL,
        "status_id": _FAILURE if refused else _SUCCESS,
        "status_code": body.get("code"),
        "time": int(datetime.fromisoformat(event.at).timestamp() * 1000),
        "message": body.get("intent") or event.kind,
        "actor": {"user": {"name": str(body.get("principal") or event.workflow or "unknown")}},
        "api": {"operation": str(body.get("tool") or event.kind), "request": {"uid": event.call_id or str(event.seq)}},
        "src_endpoint": {"name": str(body.get("client") or "unknown")},
        "metadata": {
            "version": _OCSF_VERSION,
            "uid": event.leaf.hex(),
            "sequence": event.seq,
            "correlation_uid": event.call_id or event.subject,
            "product": {"name": "mcp-migrate", "vendor_name": "mcp-migrate"},
        },
        "unmapped": told(event),
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


FORMATS: Mapping[str, Callable[[Event], str]] = MappingProxyType({"jsonl": jsonl, "csv": csv_line, "ocsf": ocsf})


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
