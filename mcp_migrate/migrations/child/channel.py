"""How does the child hear what to do, ask back, and answer, while revisions print what they like?

One JSON object a line: requests on standard input, answers and questions on what was standard output. Both descriptors
are moved out of the way first; whatever the project prints goes to standard error, which the parent keeps and cuts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

_CLEARLY_ACTS = ("INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "DROP ")
"""How statements begin that nobody need be asked about."""


class Channel:
    """Both ends of it; nobody else reads or writes them."""

    def __init__(self) -> None:
        self._requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._known: dict[str, tuple[str, ...] | None] = {}
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def requests(self) -> Iterator[Mapping[str, Any]]:
        """Each request, until the parent closes its end."""
        while line := self._requests.readline():
            yield json.loads(line)
        self._answers.close()

    def say(self, value: Mapping[str, Any]) -> None:
        """Send one line."""
        self._answers.write(json.dumps(value, allow_nan=False) + "\n")
        self._answers.flush()

    def ask(self, what: str, **about: Any) -> Any:
        """The parent's answer to a question of a tool's handler."""
        self.say({"asks": {"what": what, **about}})
        return json.loads(self._requests.readline())

    def reads(self, sql: str) -> tuple[str, ...] | None:
        """The user tables that `sql` reads, None for what may do anything else (see `Dialect.reads`).

        The parent is asked, which has the parsers: this interpreter may be the project's own.
        """
        if sql.lstrip().upper().startswith(_CLEARLY_ACTS):
            return None
        if sql not in self._known:
            self.say({"reads": sql})
            answer = json.loads(self._requests.readline())
            self._known[sql] = None if answer is None else tuple(answer)
        return self._known[sql]
