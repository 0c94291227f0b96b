"""Which keys may a configuration have, with what values, and what holds without them?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from mcp_migrate.settings import json_schema
from mcp_migrate.settings.values import DURATION
from tests.reference.table import code, table

_HEAD = """# Options

Every key of `mcp-migrate.yaml`, its values and what holds without it. How they work together is told in
[configuration](../configuration.md). A duration is a number with `ms`, `s`, `m`, `h` or `d`. Any other key is an
error. Made from the models of the settings by `python -m tests.reference.pages`; `mcp-migrate config schema` prints the
same as a JSON Schema, for editors.

"""
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_WORDS = defaultdict(
    lambda: "text", {"boolean": "true | false", "integer": "number", "path": "path", DURATION: "duration"}
)
Json = Mapping[str, Any]


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    schema = json_schema()
    for name, places in _places(schema).items():
        part = schema["$defs"][name] if name else schema
        where = ", ".join(code(place) for place in places)
        title = f"## {name}\n\n{part['description']} At {where}.\n\n" if name else "## The file\n\n"
        rows = [_row(key, said, part, schema) for key, said in part["properties"].items()]
        yield title + table(("key", "values", "without it", "meaning"), rows) + "\n"


def _places(schema: Json) -> Mapping[str, list[str]]:
    """Each part of a configuration, by its name, with where it may stand; the whole is the part without a name."""
    found: dict[str, list[str]] = {}

    def visit(name: str, place: str) -> None:
        found.setdefault(name, []).append(place)
        for key, said in (schema["$defs"][name] if name else schema)["properties"].items():
            for below, suffix in _parts(said, schema):
                visit(below, f"{place}.{key}{suffix}".lstrip("."))

    visit("", "")
    return found


def _parts(said: Json, schema: Json) -> Iterator[tuple[str, str]]:
    """The parts that a value holds, with what stands between: ``.NAME`` in a mapping, ``[]`` in a list."""
    if "$ref" in said:
        name = said["$ref"].rsplit("/", 1)[1]
        if "properties" in schema["$defs"][name]:
            yield name, ""
    for way in ("anyOf", "oneOf"):
        for each in said.get(way, ()):
            yield from _parts(each, schema)
    for key, between in (("items", "[]"), ("additionalProperties", ".NAME")):
        if isinstance(said.get(key), dict):
            yield from ((name, between + suffix) for name, suffix in _parts(said[key], schema))


def _row(key: str, said: Json, part: Json, schema: Json) -> tuple[str, str, str, str]:
    needed = key in part.get("required", ())
    default = "required" if needed else _default(said)
    return code(key), _values(said, schema), default, meaning(said, schema)


def meaning(said: Json, schema: Json) -> str:
    """What the models say of it; of a part what its own docstring does."""
    parts = [name for name, suffix in _parts(said, schema) if not suffix]
    return str(said.get("description") or (schema["$defs"][parts[0]]["description"] if parts else ""))


def _values(said: Json, schema: Json) -> str:
    if "$ref" in said:
        name = said["$ref"].rsplit("/", 1)[1]
        part = schema["$defs"][name]
        return f"[{name}](#{name.lower()})" if "properties" in part else _values(part, schema)
    several = said.get("anyOf") or said.get("oneOf")
    if several:
        return " | ".join(_values(each, schema) for each in several if each.get("type") != "null")
    if said.get("type") == "array":
        return "list of " + (_values(said["items"], schema) if "items" in said else "two levels")
    if isinstance(said.get("additionalProperties"), dict):
        return "by name: " + _values(said["additionalProperties"], schema)
    return _plain(said)


def _plain(said: Json) -> str:
    if "const" in said or "enum" in said:
        return " | ".join(code(str(value)) for value in said.get("enum", (said.get("const"),)))
    words = _WORDS[str(said.get("format") or said.get("pattern")) if said["type"] == "string" else said["type"]]
    low, high = said.get("minimum"), said.get("maximum")
    if low is not None and high is not None:
        return f"{words}, {low} to {high}"
    return f"{words}, from {low}" if low is not None else words


def _default(said: Json) -> str:
    value = said.get("default")
    if value in (None, [], {}, "") or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return ", ".join(code(str(each)) for each in value)
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(_duration(value) or str(value))


def _duration(value: Any) -> str | None:
    if isinstance(value, float):
        total = value
    elif match := _ISO.fullmatch(str(value)):
        total = sum(float(part or 0) * _UNITS[unit] for part, unit in zip(match.groups(), "dhms", strict=True))
    else:
        return None
    unit = next(unit for unit, size in _UNITS.items() if total % size == 0)
    return f"{total / _UNITS[unit]:g}{unit}"
