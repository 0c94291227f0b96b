"""Does somebody vouch for this configuration, and is it still the one that the server began with?

A configuration that names a target above development says who may change it, so that whoever can write the file could
say anything. Where nobody vouches for it, or it changed, nothing changes a target; reading goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ApprovalInvalidError, MigrateError
from mcp_migrate.leave.freezing import Frozen
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.ledger.walking import walk
from mcp_migrate.model import Tier, digest
from mcp_migrate.settings import Settings, changed, rights
from mcp_migrate.settings.loading import said_in
from mcp_migrate.settings.manifest import Files, manifest, tool_files
from mcp_migrate.settings.pinned import Pinned, is_out_of_reach

if TYPE_CHECKING:
    from mcp_migrate.signers.vouching import Vouched


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Who would gain or lose what by a configuration that changed, or why it is none any more."""

    path: str
    digest: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    problem: str | None = None

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Policy:
    """The configuration of one server, and the keys that may vouch for it on this machine."""

    settings: Settings
    pinned: Callable[[], Pinned]
    began: Files | None = None

    @classmethod
    def now(cls, settings: Settings, pinned: Callable[[], Pinned], specs: Mapping[Path, str] | None = None) -> Policy:
        """What a server begins with; `specs` are the files of its tools, with their digests as they were read.

        Raises:
            ConfigInvalidError: one of the files cannot be read.
        """
        path = settings.path if _matters(settings) else None
        return cls(settings, pinned, _files(settings, path, specs or {}) if path else None)

    def objection(self, ledger: Ledger) -> Frozen | None:
        """Why nothing may change a target by this configuration, if anything."""
        path = self.settings.path
        if path is None or self.began is None:
            return None
        try:
            if manifest(self.settings, path) != self.began:
                return _held(path, "it changed since this server began, which has to be started anew with it")
            signed = self.vouched()
            if signed is not None and signed.at < ledger.current(_Signed).newest:
                return _held(path, "an older one than the newest that was signed lies here")
        except MigrateError as error:
            return _held(path, error.sentence.rstrip("."))
        return None

    def change(self) -> PolicyChange | None:
        """What has changed since this server began."""
        path = self.settings.path
        if path is None or self.began is None:
            return None
        try:
            files = manifest(self.settings, path)
            if files == self.began:
                return None
            difference = changed(rights(self.settings), rights(said_in(path)))
        except MigrateError as error:
            return PolicyChange(str(path), digest([str(path), error.sentence]), (), (), error.sentence)
        return PolicyChange(str(path), digest(files), difference.gained, difference.lost)

    def told(self) -> dict[str, str] | None:
        """Who vouches for it, for the record."""
        try:
            held = self.vouched()
        except MigrateError:
            return None
        return {"key": held.key, "at": held.at.isoformat()} if held else None

    def vouched(self) -> Vouched | None:
        """Who vouches for it; None where nobody has to.

        Raises:
            ApprovalInvalidError: somebody has to and nobody does.
            ConfigInvalidError: what is policy, or what is pinned, cannot be read.
        """
        path = self.settings.path
        if path is None or not _matters(self.settings) or _out_of_reach(self.settings, path):
            return None
        pinned = self.pinned()
        if pinned.lines:
            from mcp_migrate.signers.vouching import check  # cryptography loads when there is something to check

            return check(path, manifest(self.settings, path), pinned.lines)
        if any(target.tier is Tier.PRODUCTION for target in self.settings.targets.values()):
            raise ApprovalInvalidError(
                f"It names a production target, and no key is pinned in {pinned.place}.",
                hint="Put the line of an admin's .pub file there, and sign with `mcp-migrate config sign --key FILE`.",
            )
        return None


def _matters(settings: Settings) -> bool:
    return any(target.tier is not Tier.DEVELOPMENT for target in settings.targets.values())


def _out_of_reach(settings: Settings, path: Path) -> bool:
    """Whether this account can change none of what says who may do what, nor add to it."""
    files = [file for folder in settings.tool_folders for file in tool_files(folder)]
    return all(map(is_out_of_reach, {path, *settings.tool_folders, *files, *(file.parent for file in files)}))


def _files(settings: Settings, path: Path, specs: Mapping[Path, str]) -> Files:
    """The digests as the files were read: one that changed since, even one that was changed back, does not count."""
    files = manifest(settings, path)
    own = {file: at for file, at in specs.items() if {*file.parents} & {*settings.tool_folders}}
    read = {os.path.relpath(spec, path.parent): at for spec, at in own.items()}
    return files | read | {path.name: settings.read_as or files[path.name]}


class _Signed:
    """When the newest was signed of all configurations that were loaded so far: each start may have added one."""

    kinds = (Kind.CONFIG_LOADED,)

    def __init__(self) -> None:
        self.newest = datetime.min.replace(tzinfo=UTC)

    def begin(self, ledger: Ledger) -> None:
        for event in walk(ledger, kind=Kind.CONFIG_LOADED):
            self.take(event)

    def take(self, event: Event) -> None:
        if said := event.body.get("signed"):
            self.newest = max(self.newest, datetime.fromisoformat(said["at"]))


def _held(path: Path, why: str) -> Frozen:
    ends = "an admin signs it with `mcp-migrate config sign`, and the server is started anew"
    return Frozen("*", why, f"its configuration {path.name}", ends=ends)
