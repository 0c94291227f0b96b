"""What of a tool's spec should its author look at again? For `tools check`; none of it is enforced by a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mcp_migrate.tools.specs import ToolSpec

_LONGEST = 300
_COMMANDS = re.compile(
    r"\b(ignore|disregard|override)\b.{0,30}\b(instruction|previous|above|rule|prompt)|\bsystem prompt\b"
    r"|\b(do not|don't|never) (tell|mention|show|ask)\b|\b(always|first|before) (call|use|run) (this|the)\b"
    r"|<\s*/?\s*(important|system|instruction)|\byou (must|are)\b|\bwithout (asking|approval)\b",
    re.IGNORECASE,
)
"""How descriptions that steer a model instead of describing a tool are worded. A guess, for people to look at."""


def lint(spec: ToolSpec) -> Iterator[str]:
    """One sentence for each thing."""
    yield from _steers("description", spec.description)
    if len(spec.description) > _LONGEST:
        yield f"its description has {len(spec.description)} characters; each client's model reads it in every session"
    parameters: Mapping[str, Any] = spec.parameters.get("properties", {})
    for name, said in parameters.items():
        yield from _steers(f"parameter {name}", str(said.get("description", "")))
    if spec.sql and not spec.examples:
        yield "it has no `examples`, so nothing was tried"


def _steers(where: str, text: str) -> Iterator[str]:
    if found := _COMMANDS.search(text):
        yield f"its {where} tells a model what to do ({found[0]!r}) instead of what the tool does"
    if hidden := next((letter for letter in text if not letter.isprintable() and letter != "\n"), None):
        yield f"its {where} holds a character that nobody sees: {hidden!a}"
