"""Where does the old part of the record go? Into a file that verifies alone, and then out of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.ledger.note import VerifierKey
from mcp_migrate.retention.segment import check
from mcp_migrate.settings.references import resolve
from mcp_migrate.wiring import account

if TYPE_CHECKING:
    from mcp_migrate.retention.sealing import Retention


def seal(
    before: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day, in UTC, from which on all stays.")],
    config_file: ConfigOption = None,
    out: Annotated[Path, typer.Option(help="The folder that the file goes to.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write the oldest entries into a file that `ledger verify FILE` checks anywhere; the ledger keeps them as well."""
    path, digest = _retention(config_file).seal(before.replace(tzinfo=UTC), out)
    if as_json:
        print_json({"file": str(path), "digest": digest})
    else:
        print(safe(f"Sealed: {path}, {digest}.\nKeep it in more than one place before you run `ledger purge` on it."))


def purge(
    segment: Annotated[Path, typer.Argument(help="What `ledger seal` wrote.")],
    config_file: ConfigOption = None,
    owner: Annotated[
        str | None, typer.Option(help="URL of the ledger for the owner of its schema; secrets as references.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Empty the entries that a segment holds, but for what is still needed. Their hashes stay, and all proofs hold."""
    done = _retention(config_file).purge(segment, resolve(owner) if owner else None)
    if as_json:
        print_json({"segment": done.segment.name, "purged": done.purged, "kept": done.kept})
    else:
        print(f"{done.purged} entries of {done.segment.name} are purged; {done.kept} stay, since they are needed.")


def verify_segment(path: Path, keys: Sequence[VerifierKey], *, as_json: bool) -> None:
    """Check a segment where there is no ledger. Raises: SegmentInvalidError, ConfigInvalidError."""
    found = check(path, keys)
    head = found.checkpoint.head
    if as_json:
        told = {"begin": found.begin, "end": found.end, "digest": found.digest, "oldest": found.oldest}
        print_json({"ok": True, **told, "newest": found.newest, "size": head.size, "root": head.root})
        return
    print(
        safe(
            f"The segment holds: entries {found.begin} to {found.end - 1} of the ledger {found.checkpoint.origin}, "
            f"{found.oldest[:19]} to {found.newest[:19]}, {found.digest}.\n"
            f"They are in its log of {head.size} entries, signed at "
            f"{found.checkpoint.at or 'a time that it does not say'}."
        )
    )


def _retention(config_file: Path | None) -> Retention:
    from mcp_migrate.retention.sealing import Retention

    wiring = wire(config_file)
    return Retention(wiring.settings, wiring.ledger, wiring.keeper, datetime.now(UTC), account())
