"""What happened, in which order, and has anyone changed the record since?

``events`` (what is recorded), ``merkle`` (the tree over it), ``store`` (appending and reading),
``sidecar`` (the last known head beside the file), ``verify`` (proving that nothing was changed).
"""

from mcp_migrate.ledger.events import Draft, Event, Head
from mcp_migrate.ledger.kinds import Kind
from mcp_migrate.ledger.store import Ledger
from mcp_migrate.ledger.verify import Finding, Inside, Known, Verification, verify

__all__ = ["Draft", "Event", "Finding", "Head", "Inside", "Kind", "Known", "Ledger", "Verification", "verify"]
