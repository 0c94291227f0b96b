"""What would run, and what is said of it? Frozen statements, the plan they make, and the judgement on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mcp_migrate.model.canonical import digest
from mcp_migrate.model.precondition import Precondition
from mcp_migrate.model.rehearsal import Rehearsal
from mcp_migrate.model.resuming import Resumes
from mcp_migrate.model.undo import Undo
from mcp_migrate.model.words import Effect

MOST_BYTES = 16 * 2**20
"""Bytes of everything in a plan: it is one entry of the ledger."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One frozen SQL statement.

    `parameters` holds rows of JSON values (see `dialects.values`): none to send the text alone, one row to
    execute, more to execute once per row. `kind` is ``version`` for the movement of Alembic's version table,
    ``preserve`` for what we add to keep what is lost next, ``restore`` for what puts it back. A statement with a
    `guard` is a query that must return no rows; the guard says what it means when it does. A `derived` one of a way
    back is written by us, where the project's downgrade does not say it. One that runs in `batches` is sent again and
    again until it touches no row, so that to send it once more does no harm.
    """

    n: int
    revision: str
    sql: str
    parameters: tuple[tuple[Any, ...], ...] = ()
    transactional: bool = True
    kind: Literal["change", "version", "preserve", "restore"] = "change"
    guard: str | None = None
    derived: bool = False
    batches: bool = False

    def frozen(self) -> dict[str, Any]:
        """The JSON form that digests and the ledger hold."""
        return {
            "n": self.n,
            "revision": self.revision,
            "sql": self.sql,
            "parameters": [list(row) for row in self.parameters],
            "transactional": self.transactional,
            "kind": self.kind,
            **({"guard": self.guard} if self.guard else {}),  # plans made before there were any keep their digests
            **({"derived": True} if self.derived else {}),
            **({"batches": True} if self.batches else {}),
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Statement:
        """The inverse of `frozen`."""
        rows = tuple(tuple(row) for row in value["parameters"])
        return cls(**{**value, "parameters": rows})


@dataclass(frozen=True, slots=True)
class Read:
    """A SELECT on user tables that a revision made before statement `before`, and the digest of what it gave.

    It has to give the same when the plan runs: the statements after it may have been made from its rows.
    """

    before: int
    revision: str
    sql: str
    parameters: tuple[Any, ...]
    tables: tuple[str, ...]
    result: str

    def frozen(self) -> dict[str, Any]:
        """The JSON form: no value that was read is in it."""
        return {
            "before": self.before,
            "revision": self.revision,
            "sql": self.sql,
            "parameters": list(self.parameters),
            "tables": list(self.tables),
            "result": self.result,
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Read:
        """The inverse of `frozen`."""
        return cls(**{**value, "parameters": tuple(value["parameters"]), "tables": tuple(value["tables"])})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one statement does, and why we say so.

    `objects` are ``schema.table[.column]`` and `kinds` says of each what it is; `rules` are all that found something,
    the worst (`rule`) first. `lock` is the strongest one taken and `blocks` whom it keeps waiting; `scans` and
    `rewrites` say that every row is read or written under it. `accepted` are the rules whose effects an admin
    accepted for this target, each with the reason that was given.
    """

    n: int
    effects: frozenset[Effect]
    objects: tuple[str, ...]
    rule: str
    why: str
    lock: str | None = None
    safer: str | None = None
    rules: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    scans: bool = False
    rewrites: bool = False
    transactional: bool = True
    reversible: str = "unknown"
    accepted: tuple[tuple[str, str], ...] = ()

    def told(self) -> dict[str, Any]:
        """The JSON form that plans show, machines read and reviewers sign."""
        return {
            "n": self.n,
            "effects": sorted(self.effects),
            "objects": list(self.objects),
            "lock": self.lock,
            "blocks": list(self.blocks),
            "rule": self.rule,
            "why": self.why,
            "scans": self.scans,
            "rewrites": self.rewrites,
            "transactional": self.transactional,
            "reversible": self.reversible,
            "accepted": dict(self.accepted),
            "safer": self.safer,
        }


@dataclass(frozen=True, slots=True)
class Reverse:
    """The way back of a plan: recorded on the same scratch database, straight after the plan itself.

    `restores_schema` says that the fingerprint after it equalled the one before the plan.
    """

    available: bool
    restores_schema: bool
    statements: tuple[Statement, ...] = ()
    why_not: str | None = None

    @property
    def derived(self) -> bool:
        """Whether some of it is not the project's."""
        return any(statement.derived for statement in self.statements)


@dataclass(frozen=True, slots=True)
class Plan:
    """Frozen, ordered SQL statements that take one target from one revision to another.

    `doubts` are reasons why the recording is not the whole truth (it read user rows, the offline rendering
    differs, the target drifted): each makes the plan `unknown`. Both fingerprints leave owners and grants out, which
    a scratch database does not have (`schema.shape`). `expected_fingerprint` is None when the schema after the plan
    cannot be known. `cage` is the one that the project's Python was recorded in. `undo` is None for plans that were
    made before undo data was kept. `preconditions` are asked before the first statement. `rehearsal` says how it went
    on a scratch database; it is None for a plan that was not rehearsed, and no part of what is frozen: times vary.
    `untried` says why a rollback was not.
    `resumes` is the apply that stopped part way and that this plan goes on with.
    """

    target: str
    dialect: str
    from_revision: str | None
    to_revision: str | None
    base_fingerprint: str
    expected_fingerprint: str | None
    version_table: str
    statements: tuple[Statement, ...]
    reverse: Reverse
    doubts: tuple[str, ...] = ()
    cage: str = "none"
    undo: Undo | None = None
    preconditions: tuple[Precondition, ...] = ()
    reads: tuple[Read, ...] = ()
    resumes: Resumes | None = None
    rehearsal: Rehearsal | None = field(default=None, compare=False)
    untried: str | None = field(default=None, compare=False)

    @property
    def digest(self) -> str:
        """Over everything that is frozen, the way back and the doubts included: what an approval binds to."""
        return digest(self.frozen())

    @property
    def plan_id(self) -> str:
        return "plan_" + self.digest.removeprefix("sha256:")[:20]

    @property
    def goes_back(self) -> bool:
        """Whether its statements downgrade: none of them is of the revision where it ends."""
        moves = self.resumes is None and self.from_revision != self.to_revision
        return moves and all(statement.revision != self.to_revision for statement in self.statements)

    @property
    def origin(self) -> tuple[str | None, str]:
        """The revision and fingerprint that its way back leads to: a plan that finishes another began with that one."""
        if self.resumes is not None and self.resumes.direction == "finish":
            return self.resumes.from_revision, self.resumes.base_fingerprint
        return self.from_revision, self.base_fingerprint

    def frozen(self) -> dict[str, Any]:
        """The JSON form the ledger holds."""
        return {
            "target": self.target,
            "dialect": self.dialect,
            "from_revision": self.from_revision,
            "to_revision": self.to_revision,
            "base_fingerprint": self.base_fingerprint,
            "expected_fingerprint": self.expected_fingerprint,
            "version_table": self.version_table,
            "statements": [statement.frozen() for statement in self.statements],
            "reverse": {
                "available": self.reverse.available,
                "restores_schema": self.reverse.restores_schema,
                "statements": [statement.frozen() for statement in self.reverse.statements],
                "why_not": self.reverse.why_not,
            },
            "doubts": list(self.doubts),
            "cage": self.cage,
            **({"undo": self.undo.frozen()} if self.undo else {}),
            **({"preconditions": [each.frozen() for each in self.preconditions]} if self.preconditions else {}),
            **({"reads": [read.frozen() for read in self.reads]} if self.reads else {}),  # as before there were any
            **({"resumes": self.resumes.frozen()} if self.resumes else {}),
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Plan:
        """The inverse of `frozen`."""
        back = value["reverse"]
        reverse = Reverse(**{**back, "statements": tuple(Statement.thaw(s) for s in back["statements"])})
        statements = tuple(Statement.thaw(s) for s in value["statements"])
        undo = Undo.thaw(value["undo"]) if value.get("undo") else None
        parts = {
            "reverse": reverse,
            "statements": statements,
            "doubts": tuple(value["doubts"]),
            "undo": undo,
            "preconditions": tuple(Precondition.thaw(each) for each in value.get("preconditions", ())),
            "reads": tuple(Read.thaw(read) for read in value.get("reads", ())),
            "resumes": Resumes.thaw(value["resumes"]) if value.get("resumes") else None,
        }
        return cls(**{**value, **parts})
