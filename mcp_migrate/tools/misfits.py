"""What is said of arguments that do not fit, so that the next call has those that do?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import IntentMissingError, InvalidArgumentsError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_LONGEST = 300


def misfit(
    tool: str, schema: Mapping[str, Any], problems: Sequence[ValidationError]
) -> IntentMissingError | InvalidArgumentsError:
    """The error for what a call of `tool` passed; `problems` are not empty."""
    for problem in problems:
        if list(problem.path) == ["intent"] or "'intent' is a required" in problem.message:
            return IntentMissingError(
                f"{tool} needs an intent of 8 to 500 characters.", hint="Say in `intent` why you make this call."
            )
    first = problems[0]
    where = "/".join(map(str, first.path))
    return InvalidArgumentsError(
        f"{tool} cannot take {where or 'these arguments'}: {first.message[:_LONGEST]}.",
        hint=_hint(tool, schema, first),
        problems=[problem.message[:_LONGEST] for problem in problems[:10]],
    )


def _hint(tool: str, schema: Mapping[str, Any], problem: ValidationError) -> str:
    """What the place takes, in the words of the schema itself."""
    if not problem.path:
        needed = schema.get("required", [])
        others = [name for name in schema["properties"] if name not in needed]
        return f"{tool} needs {', '.join(needed)}; it also takes {', '.join(others)}."
    said = json.dumps(schema["properties"].get(problem.path[0], {}), ensure_ascii=False)
    return f"`{problem.path[0]}` takes {said[:_LONGEST]}."
