"""Which session is in the way? Its number, who it belongs to and since when; never a word of what it sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SHOWN = 5
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """One session. What the server does not let us see is None.

    `certain` says that the server named it as what blocks; else it is one of those that may.
    """

    pid: int
    user: str | None = None
    application: str | None = None
    state: str | None = None
    seconds: float | None = None
    certain: bool = True

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        said: dict[str, Any] = {
            "pid": self.pid,
            "user": _plain(self.user),
            "application": _plain(self.application),
            "state": self.state,
            "transaction_seconds": None if self.seconds is None else round(self.seconds, 1),
        }
        return {name: value for name, value in said.items() if value is not None} | {"certain": self.certain}

    def words(self) -> str:
        """As one says it in a sentence."""
        who = ", ".join(filter(None, [_plain(self.application), self.user and f"user {_plain(self.user)}"]))
        since = "" if self.seconds is None else f", in a transaction since {self.seconds:.0f} s"
        return f"session {self.pid}{f' ({who})' if who else ''}{since}"


def in_the_way(holders: Sequence[Holder]) -> dict[str, Any]:
    """The details of a refusal that names them."""
    return {"in_the_way": [holder.told() for holder in holders]} if holders else {}


def named(holders: Sequence[Holder]) -> str:
    """The end of a sentence that names them: nothing where nobody is known."""
    if not holders:
        return ""
    verb = "In the way" if all(holder.certain for holder in holders) else "Perhaps in the way"
    more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
    return f" {verb}: {'; '.join(holder.words() for holder in holders[:_SHOWN])}{more}."


def _plain(text: str | None) -> str | None:
    """Whoever connects chooses such a name: it is data, on one line."""
    return "".join(c for c in text if c.isprintable())[:_LONGEST] if text else None
