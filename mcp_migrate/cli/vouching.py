"""How does an admin vouch for a configuration?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, safe, wire
from mcp_migrate.cli.signing import OwnKey
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings.pinned import pinned, places


def sign(
    key: Annotated[Path, typer.Option("--key", help="An admin's private SSH key, or the .pub of one in your agent.")],
    config_file: ConfigOption = None,
) -> None:
    """Sign the configuration and its tool specs as they are now; the signature lies beside it."""
    from mcp_migrate.settings.manifest import manifest
    from mcp_migrate.signers.vouching import NAMESPACE, signature_file, statement

    settings, own = wire(config_file).settings, OwnKey(key)
    if settings.path is None:
        raise ConfigInvalidError("There is no configuration to sign: this is the local profile.", hint="Pass --config.")
    public, files = own.public, manifest(settings, settings.path)
    entry = own.signed(statement(files, key=public, at=datetime.now(UTC)), NAMESPACE)
    where = signature_file(settings.path)
    where.write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
    print(safe(f"{where} vouches for {', '.join(files)}."))
    known = pinned(places())
    if not any(public.line.split()[1] in line.split() for line in known.lines):
        print(safe(f"It counts where this key is pinned, in {' or '.join(map(str, places()))}:\n{public.line}"))
        print("Where another account serves, its home counts in place of this one's.")
