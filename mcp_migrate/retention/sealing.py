"""How does the oldest part of the ledger become a file, and how is it emptied when the file is safe?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from mcp_migrate.anchors.audit import Audit
from mcp_migrate.anchors.keeper import Keeper
from mcp_migrate.errors import LedgerCorruptError, RetentionError, SegmentInvalidError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.ledger.events import stamp
from mcp_migrate.ledger.merkle import leaf_hash
from mcp_migrate.ledger.walking import walk
from mcp_migrate.retention.needed import needed
from mcp_migrate.retention.purging import purge as empty
from mcp_migrate.retention.purging import refuse_stranger
from mcp_migrate.retention.segment import Place, Segment, check, name_of, write
from mcp_migrate.settings import Settings

_VERIFY = "Run `mcp-migrate ledger verify`, and keep the ledger as it is."


@dataclass(frozen=True, slots=True)
class Purged:
    """What went, and how many entries of the segment stay because something needs them."""

    segment: Segment
    purged: int
    kept: int


@dataclass(frozen=True, slots=True)
class Retention:
    """One ledger, whoever looks after it, and the time."""

    settings: Settings
    ledger: Ledger
    keeper: Keeper
    now: datetime
    by: str

    def seal(self, before: datetime, folder: Path) -> tuple[Path, str]:
        """Write what is older than `before`, and in no segment yet, into a file in `folder`: which, and its digest.

        Raises:
            RetentionError: there is nothing so old.
            LedgerCorruptError: the ledger does not verify.
            ConfigInvalidError: no key signs the head, or the file cannot be written.
        """
        self._refuse_doubtful("sealed")
        begin = next((int(each.body["end"]) for each in self.ledger.last(Kind.LEDGER_SEALED)), 0)
        older = takewhile(lambda event: event.at < stamp(before), self._entries(begin))
        end = max((event.seq + 1 for event in older), default=begin)
        if end == begin:
            raise RetentionError(
                f"No entry from {begin} on is older than {before.date()}: nothing was sealed.", hint="Name a later day."
            )
        head = self.keeper.sign()
        place = Place(
            begin,
            self.ledger.peaks_before(begin),
            end,
            bytes.fromhex(self.ledger.root_at(end)),
            self.ledger.prove_consistency(end, head.head.size),
            str(head.note),
        )
        path = folder / f"{name_of(begin, end)}.jsonl"
        digest = write(path, place, self._lines(begin, end))
        self._record(Kind.LEDGER_SEALED, name_of(begin, end), begin=begin, end=end, digest=digest)
        return path, digest

    def purge(self, path: Path, owner: str | None) -> Purged:
        """Empty the entries that a segment holds, but for those still needed; `owner` is the URL of who may do that.

        Raises:
            SegmentInvalidError: the file does not hold, or is not the one that was sealed.
            RetentionError: some of it is younger than anything that may go.
            LedgerCorruptError: the ledger does not verify.
            LedgerUnavailableError: it belongs to somebody else.
        """
        url = owner or self.settings.resolved_ledger()
        segment = check(path, self.keeper.keys())
        self._refuse_unknown(path, segment)
        self._refuse_young(segment)
        self._refuse_doubtful("purged")
        refuse_stranger(url)
        stay = needed(self._entries(0), segment.end, self.now)
        whole = [event for event in self._entries(segment.begin, segment.end) if event.seq not in stay]
        leaves = {event.seq: segment.leaves[event.seq - segment.begin] for event in whole}
        kept = sum(segment.begin <= seq < segment.end for seq in stay)
        if leaves:
            told = {"digest": segment.digest, "entries": len(leaves), "kept": kept}
            self._record(Kind.LEDGER_PURGED, segment.name, begin=segment.begin, end=segment.end, **told)
            self.keeper.sign()
            empty(url, leaves)
        return Purged(segment, len(leaves), kept)

    def _lines(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes that the leaf hashes of these entries are of, with none left out."""
        for seq, event in enumerate(self._entries(begin, end), begin):
            line = event.canonical()
            if event.seq != seq or leaf_hash(line) != event.leaf:
                raise LedgerCorruptError(f"Entry {seq} cannot be sealed: it is not what was written.", hint=_VERIFY)
            yield line

    def _entries(self, begin: int, end: int | None = None) -> Iterator[Event]:
        return takewhile(lambda event: end is None or event.seq < end, walk(self.ledger, since=begin))

    def _refuse_unknown(self, path: Path, segment: Segment) -> None:
        said: Mapping[str, object] = {"begin": segment.begin, "end": segment.end, "digest": segment.digest}
        sealed = self.ledger.find(Kind.LEDGER_SEALED, segment.name)
        if not any(said.items() <= each.body.items() for each in sealed):
            raise SegmentInvalidError(
                f"{path.name} is not the file that was sealed: the ledger says nothing of its digest.",
                hint="Name the file that `mcp-migrate ledger seal` wrote for this ledger.",
            )

    def _refuse_young(self, segment: Segment) -> None:
        keep = self.settings.retention.keep
        if self.now - datetime.fromisoformat(segment.newest) < keep:
            raise RetentionError(
                f"{segment.name} goes up to {segment.newest[:19]}, and entries are kept for {keep.days} days.",
                hint="Purge it when its newest entry is as old as `retention.keep` says.",
            )

    def _refuse_doubtful(self, what: str) -> None:
        """What is made away with, or vouched for, has to be the log that others know."""
        for finding in Audit(self.settings, self.now).run().findings[:1]:
            where = "" if finding.seq is None else f"entry {finding.seq}: "
            raise LedgerCorruptError(
                f"The ledger does not verify, so nothing is {what}: {where}{finding.why}", hint=_VERIFY
            )

    def _record(self, kind: Kind, name: str, **body: object) -> None:
        self.ledger.append(Draft(kind, {**body, "by": self.by}, subject=name), at=self.now)
