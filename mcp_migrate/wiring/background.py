"""What does a server do beside its calls, for as long as its process lives?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_migrate.wiring.parts import Wiring


def begin(wiring: Wiring) -> None:
    """Tell people, sign the ledger's head and sweep what dead servers left, each where the configuration wants it."""
    if wiring.settings.notify:
        from mcp_migrate.notices import keep_sending

        _beside("notices", partial(keep_sending, wiring.outbox, threading.Event()))
    if wiring.settings.checkpoints:
        from mcp_migrate.anchors.keeper import keep_watching

        _beside("checkpoints", partial(keep_watching, wiring.keeper, threading.Event()))
    if any(target.credentials.broker != "static" for target in wiring.settings.targets.values()):
        _beside("sweeping credentials", wiring.pipeline.sweep)


def _beside(name: str, work: Callable[[], None]) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()
