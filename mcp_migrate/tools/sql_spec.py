"""Does the spec of an SQL tool hold? Everything a call could stumble over is said when the file is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mcp_migrate.model import Effect
from mcp_migrate.tools.templates import Template, templates

if TYPE_CHECKING:
    from mcp_migrate.tools.specs import ToolSpec

_SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})


def hold(spec: ToolSpec) -> None:
    """Raises: ValueError, with what is wrong in words for the author."""
    if not spec.takes_target:
        raise ValueError("a tool with `sql` takes a target")
    if {*spec.effects} <= {Effect.READ}:
        raise ValueError("a tool with `sql` changes something: name its effects, as [data]")
    properties: dict[str, Any] = spec.parameters.get("properties", {})
    for template in _all(spec):
        if said := next((name for name in template.quoted if name in properties), None):
            raise ValueError(f"{{{said}}} stands inside quotes or a comment, where it is text; take the quotes away")
        for place in template.places:
            if place.name not in properties:
                raise ValueError(
                    f"{{{place.name}}} is no parameter; `parameters` names {', '.join(properties) or 'none'}"
                )
            _fits(spec, place.name, properties[place.name], names=place.kind != "value")


def _all(spec: ToolSpec) -> Iterator[Template]:
    yield from templates((*spec.sql, *spec.check, *(spec.rollback or ())))


def _fits(spec: ToolSpec, name: str, said: Any, *, names: bool) -> None:
    """One value goes into one place, always."""
    if name not in spec.parameters.get("required", ()) and "default" not in said:
        raise ValueError(f"{name} goes into the SQL, so it is `required` or has a `default`")
    kinds = said.get("type")
    kinds = {kinds} if isinstance(kinds, str) else {*(kinds or ())}
    if not kinds or not kinds <= _SCALARS:
        raise ValueError(f"{name} goes into the SQL, so its `type` is one of {', '.join(sorted(_SCALARS))}")
    if "default" in said:
        from jsonschema import Draft202012Validator  # loads for the few that have one

        if not Draft202012Validator(said).is_valid(said["default"]):
            raise ValueError(f"the `default` of {name} does not fit what it says of the values it takes")
    if names and kinds != {"string"}:
        raise ValueError(f"{name} is a name or a day in the SQL, so its `type` is string")
