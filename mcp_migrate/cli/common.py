"""What do all commands share: the configuration option, JSON for machines, safe text for terminals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate.__main__ import load_settings
from mcp_migrate.approvals.safe import one_line, safe
from mcp_migrate.settings.values import seconds
from mcp_migrate.wiring import Wiring

__all__ = ["ConfigOption", "JsonOption", "closing", "duration", "one_line", "print_json", "safe", "wire"]

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Configuration file.", show_default=False)]
_CLOSING: ContextVar[ExitStack] = ContextVar("closing")
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


@contextmanager
def closing() -> Iterator[None]:
    """One command: whatever it wired is closed on the way out."""
    with ExitStack() as stack:
        token = _CLOSING.set(stack)
        try:
            yield
        finally:
            _CLOSING.reset(token)


def wire(config_file: Path | None) -> Wiring:
    """The parts of the server for one configuration. Raises: ConfigInvalidError."""
    wiring = Wiring(load_settings(config_file))
    _CLOSING.get().callback(wiring.close)
    return wiring


def duration(text: str) -> timedelta:
    """What an option says as 30m or 4h. Raises: typer.BadParameter."""
    try:
        return timedelta(seconds=seconds(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def print_json(value: Any) -> None:
    """Print `value` as one JSON document."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))
