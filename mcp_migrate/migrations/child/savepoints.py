"""What becomes of savepoints? None reaches a plan: it is one straight line of statements.

A savepoint that was released changed nothing by itself. One that was rolled back to changed nothing either, if
nothing had been written since; if something had, the recording holds statements that did not last.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(
    r'(?P<verb>SAVEPOINT|RELEASE(?:\s+SAVEPOINT)?|ROLLBACK\s+TO(?:\s+SAVEPOINT)?)\s+"?(?P<name>\w+)"?', re.IGNORECASE
)


class Savepoints:
    """The savepoints of each connection, with how much had been written when they were set."""

    def __init__(self) -> None:
        self._written: dict[int, int] = {}
        self._set: dict[tuple[int, str], int] = {}

    def wrote(self, connection: int) -> None:
        """Count a statement that changed something."""
        self._written[connection] = self._written.get(connection, 0) + 1

    def handles(self, connection: int, sql: str) -> bool | None:
        """Whether `sql` was savepoint control; None when it undid something that was written."""
        match = _CONTROL.fullmatch(sql.strip().rstrip(";").rstrip())
        if match is None:
            return False
        now = self._written.get(connection, 0)
        key = (connection, match["name"].lower())
        if match["verb"].upper() == "SAVEPOINT":
            self._set[key] = now
        elif match["verb"].upper().startswith("ROLLBACK") and self._set.get(key, -1) != now:
            return None
        return True
