"""Is what a child sends one of the lines that our own code sends, with all that is read of it in its place?

The project's Python shares the process with that code, and can write to its pipe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_OR_NOT = (str, type(None))
_STATEMENT = {
    "revision": _OR_NOT,
    "sql": str,
    "parameters": [[object]],
    "transactional": bool,
    "reads": ([str], type(None)),
    "result": _OR_NOT,
}
_REVISION = {"id": str, "down": [str], "message": str, "path": str}
_SHAPES: Mapping[str, Any] = {
    "open": type(None),
    "prepare": type(None),
    "describe": {"heads": [str], "revisions": [_REVISION], "version_table": str, "env": str, "folders": [str]},
    "record": {"statements": [_STATEMENT], "doubts": [str], "version_table": str},
    "offline": Mapping,
    "autogenerate": {"changes": [Mapping], "upgrade": str, "downgrade": str, "imports": str},
    "model": {"left_out": [[str]], "named": [[str]], "every_schema": bool},
    "inputs": (list, type(None)),
    "prepare_call": {"kind": str, "said": Mapping, "executes": bool},
    "execute_call": type(None),
    "check_call": {"fields": Mapping},
}
"""What each answer is: a type, several in a tuple, lists of one shape, and objects with these keys at least."""
_FAILURE = {"reason": str, "revision": _OR_NOT, "file": _OR_NOT}


def parsed(line: bytes) -> Mapping[str, Any] | None:
    """A result, a failure or a question; None for anything else."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or len(told) != 1:
        return None
    [(kind, value)] = told.items()
    shapes = {"result": object, "failure": _FAILURE, "reads": str, "asks": {"what": str}}
    return told if kind in shapes and _is(value, shapes[kind]) else None


def fits(do: str, result: object) -> bool:
    """Whether this is an answer to what was asked."""
    return _is(result, _SHAPES[do])


def _is(value: object, shape: Any) -> bool:
    if isinstance(shape, tuple):
        return any(_is(value, each) for each in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_is(each, shape[0]) for each in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(name in value and _is(value[name], each) for name, each in shape.items())
    return isinstance(value, shape)
