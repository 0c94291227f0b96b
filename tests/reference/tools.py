"""Which tools are there, what do they take, and what do they answer?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mcp_migrate.tools.registry import load
from mcp_migrate.tools.specs import EXPECTS, ToolSpec
from tests.reference.table import code, table

_HEAD = """# Tools

Every tool that comes with the server, as its spec in `tool_specs` has it. What the answers mean is told in
[the interface](../interface.md), how a tool of your own is written in [tools of your own](../own-tools.md). Made from
the specs by `python -m tests.reference.pages`.

"""
_OF_ALL = {"target": "A target of the configuration.", "ticket": "An id or URL; scopes may require one."}
"""What needs no word in the list that models read."""


def page() -> str:
    """The whole page."""
    specs = [tool.spec for tool in load({})]
    rows = ((f"[`{spec.name}`](#{spec.name})", _nature(spec), spec.title) for spec in specs)
    return _HEAD + table(("tool", "nature", "title"), rows) + "".join(_section(spec) for spec in specs) + _expects()


def _section(spec: ToolSpec) -> str:
    scope = f"Scopes name it {code(spec.scope)}. What it can do: {', '.join(effect.value for effect in spec.effects)}."
    return "\n".join(
        (
            f"\n## {spec.name}\n",
            f"{spec.description}\n",
            f"{scope}\n",
            table(("argument", "", "what", "meaning"), _arguments(spec)),
            f"Answers {_keys(spec.output)}.\n",
        )
    )


def _nature(spec: ToolSpec) -> str:
    hints = spec.annotations
    if hints.read_only:
        return "reads"
    return "may destroy" if hints.destructive else "writes"


def _arguments(spec: ToolSpec) -> Iterator[tuple[str, str, str, str]]:
    schema = spec.input_schema
    for name, said in schema["properties"].items():
        needed = "required" if name in schema["required"] else ""
        meaning = said.get("description") or _OF_ALL.get(name, "")
        yield code(name), needed, kind_of(said), f"[{meaning}](#expects)" if name == "expects" else meaning


def _expects() -> str:
    schema: Mapping[str, Any] = EXPECTS
    rows = ((code(name), kind_of(said), said.get("description", "")) for name, said in schema["properties"].items())
    return f"\n## expects\n\n{schema['description']}\n\n" + table(("key", "what", "meaning"), rows)


def _keys(output: Mapping[str, Any]) -> str:
    return ", ".join(code(name) for name in output["properties"])


def kind_of(said: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    if "enum" in said:
        return " \\| ".join(code(str(value)) for value in said["enum"]).replace("\\|", "|")
    if said.get("type") == "array":
        return f"list of {kind_of(said['items'])}"
    bounds = [
        f"{word} {said[key]}"
        for key, word in {"minLength": "from", "minimum": "from", "maxLength": "to", "maximum": "to"}.items()
        if key in said
    ]
    unit = " characters" if "maxLength" in said else ""
    words = said["type"] if isinstance(said["type"], str) else " or ".join(said["type"])
    return f"{words}, {' '.join(bounds)}{unit}" if bounds else str(words)
