"""How did a plan do when it was tried? Seconds, locks and rewrites as seen on a scratch database, there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.model.precondition import Unmet


@dataclass(frozen=True, slots=True)
class Tried:
    """One frozen statement as it ran on a scratch database.

    `locks` are the strongest lock newly held on each table that was there before, `rewrites` the tables that got a new
    file; both are empty where the server does not tell.
    """

    n: int
    seconds: float
    locks: tuple[tuple[str, str], ...] = ()
    rewrites: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return {"n": self.n, "seconds": self.seconds, "locks": dict(self.locks), "rewrites": list(self.rewrites)}

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Tried:
        """The inverse of `told`."""
        return cls(value["n"], value["seconds"], tuple(value["locks"].items()), tuple(value["rewrites"]))


@dataclass(frozen=True, slots=True)
class Restored:
    """A table that held the target's rows, how many, and whether after the way back it held the same ones again."""

    table: str
    rows: int
    same: bool

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return {"table": self.table, "rows": self.rows, "same": self.same}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was seen when the frozen statements ran on a scratch database, there and back.

    `server` is where they ran and `target_server` what they will run on. `observed` says that locks and rewrites are
    the server's own word. `rollback_seconds` is None where there is no way back, or where it failed. `unmet` are the
    preconditions that the target's rows did not meet. `after` are the tables that change, as they
    were found afterwards. `restored` is None where it was tried without rows. `put_back` are, for a rollback, the
    tables into which rows that were kept came back; None where it was tried without them.
    """

    server: str
    target_server: str
    observed: bool
    statements: tuple[Tried, ...]
    rollback_seconds: float | None
    rollback_restored: bool
    unmet: tuple[Unmet, ...] = ()
    after: tuple[Mapping[str, Any], ...] = ()
    restored: tuple[Restored, ...] | None = None
    put_back: tuple[Restored, ...] | None = None

    @property
    def seconds(self) -> float:
        """Of all statements on the way there."""
        return round(sum(tried.seconds for tried in self.statements), 6)

    @property
    def other_version(self) -> bool:
        """Whether the target's server is another product or major version: it may lock and rewrite differently."""
        return self.server.partition(".")[0] != self.target_server.partition(".")[0]

    def told(self) -> dict[str, Any]:
        """The JSON form that the ledger holds and requests show; no part of the plan's digest, since times vary."""
        return {
            "server": self.server,
            "target_server": self.target_server,
            "observed": self.observed,
            "statements": [tried.told() for tried in self.statements],
            "seconds": self.seconds,
            "rollback_seconds": self.rollback_seconds,
            "rollback_restored": self.rollback_restored,
            **({"unmet": [each.told() for each in self.unmet]} if self.unmet else {}),
            **({"after": list(self.after)} if self.after else {}),
            **({"restored": [each.told() for each in self.restored]} if self.restored is not None else {}),
            **({"put_back": [each.told() for each in self.put_back]} if self.put_back is not None else {}),
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Rehearsal:
        """The inverse of `told`."""
        kept = {name: each for name, each in value.items() if name != "seconds"}
        statements = tuple(Tried.thaw(each) for each in value["statements"])
        unmet = tuple(Unmet.thaw(each) for each in value.get("unmet", ()))
        read = {"statements": statements, "unmet": unmet, "after": tuple(value.get("after", ()))}
        rows = {
            name: tuple(Restored(**each) for each in value[name]) for name in ("restored", "put_back") if name in value
        }
        return cls(**{**kept, **read, **rows})
