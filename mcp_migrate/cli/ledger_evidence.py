"""What proves one apply to somebody who has neither the ledger nor the server?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.anchors.audit import Audit
from mcp_migrate.anchors.keys import verifier_keys
from mcp_migrate.cli.common import ConfigOption, print_json, safe, wire
from mcp_migrate.cli.ledger_retention import verify_segment
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.evidence.checking import Evidence, check
from mcp_migrate.evidence.making import make
from mcp_migrate.ledger.note import VerifierKey
from mcp_migrate.retention.segment import is_segment


def evidence(
    apply_id: Annotated[str, typer.Argument(metavar="APPLY", help="The apply, as `apply_…`.")],
    config_file: ConfigOption = None,
    out: Annotated[Path | None, typer.Option(help="Where the file goes; standard output without it.")] = None,
    html: Annotated[Path | None, typer.Option(help="Where the page goes that a person reads or prints.")] = None,
) -> None:
    """Make one signed file of all that the record says of an apply; `ledger verify FILE` checks it anywhere."""
    wiring = wire(config_file)
    text = make(wiring.ledger, wiring.keeper, apply_id)
    if html is not None:
        _write_page(html, check(text, wiring.keeper.keys()))
    if out is None:
        print(text, end="")
    else:
        _write(out, text)
    print(f"key {wiring.keeper.keys()[0]}", file=sys.stderr)


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whose signatures count: of the log, and of those who cosign its heads."""

    keys: Sequence[VerifierKey]
    cosigners: Sequence[VerifierKey]


def verify_file(path: Path, trusted: Trusted, *, as_json: bool, html: Path | None) -> None:
    """Check a file of evidence, or a segment.

    Raises:
        EvidenceInvalidError, SegmentInvalidError: something in it does not hold.
        ConfigInvalidError: it cannot be read.
    """
    if is_segment(path):
        verify_segment(path, trusted.keys, as_json=as_json)
        return
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalidError(
            f"{path} cannot be read: {error}.", hint="Name what `mcp-migrate ledger evidence` wrote."
        ) from error
    found = check(text, trusted.keys, trusted.cosigners)
    if html is not None:
        _write_page(html, found)
    if as_json:
        cosigners = list(found.checkpoint.cosigners)
        told = {"decisions": found.decisions, "cosigners": cosigners, "told": found.told}
        print_json({"ok": True, "key": str(found.key), **told})
    else:
        print(safe(_words(found)))


def _write_page(path: Path, found: Evidence) -> None:
    from mcp_migrate.web.evidence import evidence_page  # templates load when a page is wanted

    _write(path, evidence_page(found))


def _write(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        raise ConfigInvalidError(f"{path} cannot be written: {error}.", hint="Name a file that can be.") from error


def trusted(config_file: Path | None, keys: Sequence[str], cosigners: Sequence[str]) -> Trusted:
    """The keys that were given, or those of this configuration. Raises: ConfigInvalidError: no key is known."""
    if keys:
        return Trusted(verifier_keys(keys), verifier_keys(cosigners))
    settings = wire(config_file).settings
    configured = settings.checkpoints.cosigners if settings.checkpoints else ()
    return Trusted(Audit(settings, datetime.now(UTC)).log_keys(), verifier_keys((*configured, *cosigners)))


def _words(found: Evidence) -> str:
    told, head = found.told, found.checkpoint.head
    outcome = told["outcome"] or {"status": "no outcome is recorded"}
    return (
        f"The evidence holds: {found.apply_id}, {told['tool']} on {told['target']}: {outcome['status']}.\n"
        f"  asked by {told['principal']} for {told['owner']}: {told['intent']}\n"
        f"  {len(found.entries)} entries are in the ledger {found.checkpoint.origin} of {head.size} entries, "
        f"signed at {found.checkpoint.at or 'a time that it does not say'}{_seen_by(found)}.\n"
        f"{found.decisions} decisions are signed by keys of that time."
    )


def _seen_by(found: Evidence) -> str:
    names = found.checkpoint.cosigners
    return f", cosigned by {', '.join(names)}" if names else ""
