"""Where do checkpoints go? One file for each kind of place; `witness_for` makes the one that is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_migrate.anchors.witnesses.interface import Witness
from mcp_migrate.settings.anchoring import FileWitness, GitWitness, WebhookWitness
from mcp_migrate.settings.anchoring import Witness as Configured

if TYPE_CHECKING:
    from mcp_migrate.settings.anchoring import LedgerWitness

__all__ = ["Witness", "witness_for"]


def witness_for(configured: Configured, origin: str) -> Witness:
    """The witness of a configuration; what it needs is loaded now."""
    if isinstance(configured, FileWitness):
        from mcp_migrate.anchors.witnesses.file import InFile

        return InFile(configured.name, configured.path)
    if isinstance(configured, GitWitness):
        from mcp_migrate.anchors.witnesses.git import InRepository

        return InRepository(configured.name, configured.repository, push=configured.push, within=configured.within)
    if isinstance(configured, WebhookWitness):
        from mcp_migrate.anchors.witnesses.webhook import ByWebhook

        return ByWebhook(configured)
    return _in_ledger(configured, origin)


def _in_ledger(configured: LedgerWitness, origin: str) -> Witness:
    from mcp_migrate.anchors.witnesses.ledger import InLedger

    return InLedger(configured.name, configured.url, origin)
