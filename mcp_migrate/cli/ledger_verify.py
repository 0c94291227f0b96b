"""Is the record whole, and is it the one that others know? For whoever runs the server, and for auditors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate.anchors.audit import Anchor, Audit, Report
from mcp_migrate.anchors.keys import verifier_keys
from mcp_migrate.anchors.witnesses.git import InRepository
from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.cli.ledger_evidence import trusted as trusted_in
from mcp_migrate.cli.ledger_evidence import verify_file
from mcp_migrate.errors import ConfigInvalidError, LedgerCorruptError
from mcp_migrate.ledger import Finding, Head, Known
from mcp_migrate.ledger.merkle import leaf_hash
from mcp_migrate.ledger.proof_file import read
from mcp_migrate.ledger.proofs import verify_inclusion
from mcp_migrate.settings import Settings
from mcp_migrate.tools.interface import Database


def verify(
    file: Annotated[
        Path | None, typer.Argument(help="A file of `ledger evidence` or `seal`, instead of the ledger.")
    ] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
    trusted: Annotated[
        list[str] | None, typer.Option("--root", metavar="SIZE:HASH", help="A head you noted earlier.")
    ] = None,
    since: Annotated[Path | None, typer.Option(help="A checkpoint that was verified: only what came later.")] = None,
    witness: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint's file, or a git repository of checkpoints.")
    ] = None,
    targets: Annotated[
        list[str] | None, typer.Option("--target", help="A target with a `marker`: what its applies left there.")
    ] = None,
    keys: Annotated[list[str] | None, typer.Option("--key", help="A verifier key of this ledger.")] = None,
    cosigners: Annotated[
        list[str] | None, typer.Option("--cosigner", help="With a file of evidence: the key of a witness of the log.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="With a file of evidence: where the page of it goes.")] = None,
) -> None:
    """Recompute every hash and check every signature, also against what witnesses know; exit 1 when something is wrong.

    Fails on an edited, missing, inserted or reordered entry, on a cut tail, on a rewritten log, on a decision whose
    signature does not hold, and where nobody outside has known the head for longer than `checkpoints.max_age`.
    """
    if file is not None:
        verify_file(file, trusted_in(config_file, keys or (), cosigners or ()), as_json=as_json, html=html)
        return
    wiring = wire(config_file)
    audit = Audit(wiring.settings, datetime.now(UTC), verifier_keys(keys or ()))
    silent: list[LedgerCorruptError] = []
    known = [head for name in targets or () for head in _left_in(wiring.open_database(name), audit.notes, silent)]
    audit.notes += _not_asked(wiring.settings, targets or ())
    brought = [(str(path), _kept(path)) for path in witness or ()]
    begin = audit.open(_text(since)).head if since else None
    report = audit.run(witnesses=brought, trusted=[_head(text) for text in trusted or ()], known=known, since=begin)
    print_json(_told(report)) if as_json else print(_words(report, begin))
    if not report.ok:
        raise typer.Exit(1)
    if silent:
        raise silent[0]


def check_proof(path: Path, config_file: Path | None, keys: list[str] | None) -> str:
    """What a proof shows, once it holds.

    Raises:
        CheckpointInvalidError: it is none, or nobody who counts signed its checkpoint.
        LedgerCorruptError: the entry in it is not in the log of its checkpoint.
    """
    audit = Audit(wire(config_file).settings, datetime.now(UTC), verifier_keys(keys or ()))
    proof = read(_text(path))
    checkpoint = audit.open(proof.checkpoint)
    head = checkpoint.head
    if not verify_inclusion(leaf_hash(proof.extra), proof.index, head.size, proof.hashes, bytes.fromhex(head.root)):
        raise LedgerCorruptError(
            f"The proof does not hold: no entry {proof.index} of {checkpoint.origin} says this.",
            hint="Get the proof again from `mcp-migrate ledger prove`, and keep both.",
        )
    return (
        f"Entry {proof.index} is in the ledger {checkpoint.origin} of {head.size} entries, "
        f"signed at {checkpoint.at or 'a time that it does not say'}:\n{proof.extra.decode()}"
    )


def _left_in(target: Database, notes: list[str], silent: list[LedgerCorruptError]) -> list[Known]:
    """The heads that applies left in a target. Raises: TargetUnreachableError.

    A step has a credential only once that is on the record. Where the record takes nothing more, all but the target is
    asked, since it is then that somebody wants to know what is wrong.
    """
    try:
        with target.reader() as reader:
            left = reader.heads()
    except LedgerCorruptError as error:
        silent.append(error)
        notes.append(f"The target {target.name} could not be asked: no credential can be recorded on this ledger.")
        return []
    if not left:
        notes.append(f"The target {target.name} knows no head of this ledger: no apply left one there.")
    return [Known(f"{each.apply_id} in the target {target.name}", Head(each.size, each.root)) for each in left]


def _not_asked(settings: Settings, asked: Sequence[str]) -> Iterator[str]:
    for name, target in settings.targets.items():
        if target.marker and name not in asked:
            yield f"The target {name} keeps heads of this ledger, and was not asked: --target {name}."


def _kept(path: Path) -> tuple[str, ...]:
    if path.is_dir():
        return InRepository(str(path), path, within=60.0).kept()
    return (_text(path),)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalidError(f"{path} cannot be read: {error}.", hint="Name a file with a checkpoint.") from error


def _head(text: str) -> Head:
    size, _, root = text.partition(":")
    if not size.isdecimal() or len(root) != 64:  # noqa: PLR2004  a SHA-256 in hexadecimal
        raise typer.BadParameter(f"{text!r} is not SIZE:HASH", param_hint="--root")
    return Head(int(size), root)


def _told(report: Report) -> dict[str, Any]:
    head = report.verification.head
    return {
        "ok": report.ok,
        "size": head.size,
        "root": head.root,
        "findings": [{"seq": finding.seq, "why": finding.why} for finding in report.findings],
        "notes": list(report.notes),
        "decisions": report.decisions,
        "enrolments": report.enrolments,
        "agreed": [{"by": known.by, "size": known.head.size} for known in report.verification.agreed],
        "newest_anchor": _anchor(report.newest),
    }


def _anchor(anchor: Anchor | None) -> dict[str, Any] | None:
    if anchor is None:
        return None
    return {"by": anchor.known.by, "size": anchor.known.head.size, "at": anchor.at.isoformat() if anchor.at else None}


def _words(report: Report, begin: Head | None) -> str:
    head = report.verification.head
    lines = [f"note: {note}" for note in report.notes]
    if report.ok:
        since = f" (the first {begin.size} were verified before)" if begin else ""
        lines.append(f"The ledger is whole: {head.size} entries{since}, root {head.root}")
    else:
        lines += ["THE LEDGER DOES NOT VERIFY:", *map(_finding, report.findings)]
        lines.append(f"  what is still good: the first {_good(report)} entries")
    lines.append(
        f"{report.decisions} decisions and {report.enrolments} enrolments and removals are signed by keys of that time."
    )
    if report.newest:
        known = report.newest.known
        lines.append(f"The newest outside is {known.by}: {known.head.size} entries, {report.newest.at}.")
    return safe("\n".join(lines))


def _good(report: Report) -> int:
    return min([report.verification.head.size, *(each.seq for each in report.findings if each.seq is not None)])


def _finding(finding: Finding) -> str:
    where = "" if finding.seq is None else f"entry {finding.seq}: "
    return f"  {where}{finding.why}"
