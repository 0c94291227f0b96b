"""Which commands are there, and which options has each?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import typer.main

from mcp_migrate.__main__ import serve_parser
from mcp_migrate.cli.app import app
from tests.reference.table import code, table

_HEAD = """# Commands

Every command of `mcp-migrate` with every option. They exit with 0 when it is done, 1 when it is refused or failed, 2
when it was asked for wrongly. Made from the code by `python -m tests.reference.pages`.

"""
_NAMES = {"Path": "PATH", "int": "N", "float": "N", "datetime": "TIME", "bool": ""}


def page() -> str:
    """The whole page."""
    found = dict(every(typer.main.get_command(app), "mcp-migrate"))
    found["mcp-migrate serve"] = None
    rows = ((f"[`{name}`](#{_anchor(name)})", _said(found[name])) for name in sorted(found))
    sections = "".join(_section(name, found[name]) for name in sorted(found))
    return _HEAD + table(("command", "what it does"), rows) + sections


def every(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by all its words."""
    for word, below in getattr(command, "commands", {}).items():
        yield from every(below, f"{name} {word}")
    if not hasattr(command, "commands"):
        yield name, command


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _said(command: Any) -> str:
    text = serve_parser().description if command is None else command.help
    return " ".join(str(text).split())


def _section(name: str, command: Any) -> str:
    rows = list(_of_serve() if command is None else map(_row, command.params))
    options = table(("", "", "meaning", "default"), rows) if rows else ""
    return f"\n## {name}\n\n{_said(command)}\n\n{options}"


def _row(parameter: Any) -> tuple[str, str, str, str]:
    word = parameter.metavar or _metavar(parameter)
    if not hasattr(parameter, "prompt"):
        return code(word), "required" if parameter.required else "", parameter.help or "", ""
    written = ", ".join(code(f"{option} {word}".strip()) for option in parameter.opts)
    return written, "required" if parameter.required else "", parameter.help or "", _default(parameter)


def _metavar(parameter: Any) -> str:
    if not hasattr(parameter, "prompt"):
        return str(parameter.name).upper()
    return _NAMES.get(parameter.type_descriptor.annotation.__name__, "TEXT")


def _default(parameter: Any) -> str:
    unsaid = parameter.default in (None, False, "", ()) or callable(parameter.default)
    return "" if unsaid else code(str(getattr(parameter.default, "value", parameter.default)))


def _of_serve() -> Iterator[tuple[str, str, str, str]]:
    """Its options stand elsewhere: it starts without the library of the others."""
    for action in serve_parser()._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        word = action.metavar or "|".join(action.choices or ()) or ("PATH" if action.type else "TEXT")
        yield code(f"{action.option_strings[0]} {word}"), "", action.help or "", code(str(action.default or ""))
