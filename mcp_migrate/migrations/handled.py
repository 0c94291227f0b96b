"""How does a handler that a team wrote run? In a child like a project's, with nothing in reach but what it asks for.

It has no folder, no database, no network and no variables: its source comes with the request, and what it wants from
the target the parent answers, or does not.
"""

from __future__ import annotations

import logging
import re
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mcp_migrate.errors import MigrateError, ToolFailedError
from mcp_migrate.migrations.cage.confinement import Confinement
from mcp_migrate.migrations.cage.room import room_for
from mcp_migrate.migrations.failed import SLOW
from mcp_migrate.migrations.process import FIRST, Child
from mcp_migrate.migrations.starting import Beginning, begin

_LONGEST = 2**20
"""Bytes of what a handler says at once."""
_RAISED = re.compile(r"it raised [A-Za-z_]\w{0,80}")
_PLACE = re.compile(r"[\w./-]{1,200}, line \d{1,7}")
_OURS = (SLOW, "its answer is ", "the process ended", "it wrote more than")
"""How sentences begin that the parent itself says."""

Asked = Callable[[Mapping[str, Any]], Any]
"""Answers what a handler asks. Raises: MigrateError: it may not have that, and the call ends."""


@dataclass(frozen=True, slots=True)
class Handled:
    """A handler: its name, its files and their digest, the walls around it, and the seconds it has for itself."""

    tool: str
    handler: str
    files: Mapping[str, bytes]
    source: str
    confined: Confinement
    deadline: float

    def ask(self, half: str, asked: Asked, **more: Any) -> Any:
        """Run one half of it in a new process.

        Raises:
            ToolFailedError: it raised, took too long, said too much or nothing that can be read.
            RenderFailedError: this machine has no walls as strong as the target's tier asks for.
        """
        files = {path: b64encode(data).decode() for path, data in self.files.items()}
        with self._child(partial(self._failed, half.partition("_")[0]), asked) as child:
            return child.ask(half, handler=self.handler, files=files, **more)

    @contextmanager
    def _child(self, failing: Callable[[Mapping[str, Any], str], MigrateError], asked: Asked) -> Iterator[Child]:
        cage = self.confined.cage()
        with tempfile.TemporaryDirectory(prefix="mcp-migrate-", ignore_cleanup_errors=True) as home:
            room = room_for(None, write=[Path(home)], hidden=self.confined.hidden, more=(), port=None)
            process = begin(Beginning(cage, room, home, "handler", home, {}, FIRST.environment()), None)
            running = Child(
                process,
                questions={"asks": asked},
                timeout=self.deadline,
                folders=[Path(home)],
                longest=_LONGEST,
                failing=failing,
            )
            try:
                yield running
            finally:
                running.close()

    def _failed(self, half: str, failure: Mapping[str, Any], output: str) -> ToolFailedError:
        """What a handler raises and prints may quote rows: the caller gets the kind and the place, the log the rest."""
        if output.strip():
            logging.getLogger(__name__).warning("%s printed in %s: %s", self.tool, half, output)
        reason, file = str(failure["reason"]), str(failure.get("file") or "")
        told = reason if reason.startswith(_OURS) or _RAISED.fullmatch(reason) else "it said nothing that can be read"
        place = f" ({file})" if _PLACE.fullmatch(file) else ""
        return ToolFailedError(
            f"{self.tool} failed in {half}{place}: {told}.",
            hint="The server's log has its words. Its author has to mend it; `mcp-migrate tools check` tries it.",
            half=half,
        )
