"""Is it on the record before it happens, and what came of it?

The only stage that writes to the ledger. What it writes is durable when it returns.
"""

from mcp_migrate.stages.record.journal import Journal
from mcp_migrate.stages.record.recorder import Recorder
from mcp_migrate.stages.record.register import Register

__all__ = ["Journal", "Recorder", "Register"]
