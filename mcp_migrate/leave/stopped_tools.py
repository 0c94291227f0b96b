"""Was a tool stopped that asked for more than it had declared? For this very source of it, until an admin thaws it.

It stands on the ledger as a freeze of ``tool:NAME``, so that what lifts a freeze of a target lifts this as well.
"""

from __future__ import annotations

from mcp_migrate.errors import TargetFrozenError
from mcp_migrate.leave.freezing import Frozen, standing
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.settings import Settings


def stopped(name: str, source: str, reason: str) -> Draft:
    """The entry that has nobody use this tool from now on, as it is now."""
    body = {"target": _what(name), "reason": reason, "by": "the server", "source": source}
    return Draft(Kind.TARGET_FROZEN, body, subject=_what(name))


def refuse_stopped(name: str, source: str, settings: Settings, ledger: Ledger) -> None:
    """Raises: TargetFrozenError: it was stopped, and its source is the same still."""
    sources = {event.seq: event.body.get("source") for event in ledger.find(Kind.TARGET_FROZEN, _what(name))}
    for found in stops(name, settings, ledger):
        if found.seq is None or sources[found.seq] in {source, None}:
            raise TargetFrozenError(
                found.sentence(name),
                hint=f"Nothing ran. Its author has to mend it, or an admin lifts it: mcp-migrate thaw {_what(name)}.",
                frozen=found.shown(),
            )


def stops(name: str, settings: Settings, ledger: Ledger) -> tuple[Frozen, ...]:
    """Each time that this tool was stopped and nobody lifted it, for whichever source."""
    return standing(_what(name), settings, ledger)


def _what(name: str) -> str:
    return f"tool:{name}"
