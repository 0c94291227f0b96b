"""Which files say who may do what, and what do they hold now?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings.model import Settings

Files = dict[str, str]
"""The digest of each file, by its way from the configuration's folder."""


def manifest(settings: Settings, config: Path) -> Files:
    """Those of a configuration: itself, and the tool specs of the folders that it names.

    Raises:
        ConfigInvalidError: one of them cannot be read.
    """
    specs = (spec for folder in settings.tool_specs for spec in sorted(folder.glob("*.yaml")))
    return {os.path.relpath(file, config.parent): _digest(file) for file in (config, *specs)}


def digest_of(data: bytes) -> str:
    """What stands for the content of a file."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _digest(file: Path) -> str:
    try:
        return digest_of(file.read_bytes())
    except OSError as error:
        raise ConfigInvalidError(f"{file} cannot be read.", hint="Correct its rights.") from error
