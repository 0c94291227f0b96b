"""How does a person see what agents would read of a tool, and accept it?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate.cli.common import ConfigOption, safe, wire
from mcp_migrate.cli.signing import signed_by_admin
from mcp_migrate.tools.pinning import NAMESPACE, words
from mcp_migrate.wiring import account


def accept(
    name: Annotated[str, typer.Argument(help="The tool.")],
    key: Annotated[Path | None, typer.Option("--key", help="An admin's key; needed where there are admins.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: the words were read elsewhere.")] = False,
    config_file: ConfigOption = None,
) -> None:
    """Show the words that a tool has now, and have agents shown them, signed where the configuration names admins."""
    wiring = wire(config_file)
    said = wiring.pinning.statement(name, by=account(), at=datetime.now(UTC), nonce=secrets.token_hex(16))
    print(safe(_difference(wiring.pinning.before(name), words(wiring.registry[name].spec))))
    if not yes:
        typer.confirm(f"Show agents {name} in these words?", abort=True)
    wiring.pinning.accept(signed_by_admin(said, key, NAMESPACE))
    print(f"Agents are shown {name} in these words.")


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs, line by line."""
    was, is_ = (json.dumps(each, indent=1, ensure_ascii=False, sort_keys=True).splitlines() for each in (before, now))
    return "\n".join(unified_diff(was, is_, "shown until now", "now", lineterm="", n=1))
