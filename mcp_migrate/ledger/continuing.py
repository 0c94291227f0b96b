"""Does the ledger go on from what a target knows of it? Where it does not, it is the ledger that is another one."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger.store import Ledger
from mcp_migrate.model import LeftHead


def refuse_other(ledger: Ledger, left: Iterable[LeftHead]) -> None:
    """Hold the ledger to the heads that applies left in a target.

    Raises:
        LedgerCorruptError: it does not continue one of them.
    """
    size = ledger.head().size
    for each in left:
        if each.size > size or ledger.root_at(each.size) != each.root:
            raise LedgerCorruptError(
                f"This is not the ledger that the target knows: of the {each.size} entries that there were when "
                f"{each.apply_id} ran, some are gone or are others now.",
                hint="Nothing ran. An old backup may have been put back: keep it as it is, and run "
                "`mcp-migrate ledger verify --target` with the target's name. docs/ledger.md says more.",
            )
