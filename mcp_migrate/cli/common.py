"""What do all commands share: the configuration option, JSON for machines, safe text for terminals."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate.__main__ import Wiring, load_settings

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Configuration file.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def wire(config_file: Path | None) -> Wiring:
    """The parts of the server for one configuration. Raises: ConfigInvalidError."""
    return Wiring(load_settings(config_file))


def print_json(value: Any) -> None:
    """Print `value` as one JSON document."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def safe(text: object) -> str:
    """Text from an agent or a database, with nothing in it that a terminal would obey or reorder."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else f"\\u{ord(c):04x}" for c in str(text))


def one_line(text: object) -> str:
    """Safe text that cannot begin a line of its own."""
    return safe(text).replace("\n", "\\n")
