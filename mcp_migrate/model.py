"""Which values flow through one call?

``Call → Granted → Prepared → Classified → Permitted → Approved → Executed → Validated``: each frozen, each
constructed in exactly one stage, each holding the one before. A function that asks for an `Approved` cannot be
called without one, so skipping a step is a type error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol


class Effect(StrEnum):
    """What a statement does; a statement may have several."""

    READ = "read"
    ADDITIVE = "additive"
    DATA = "data"
    DESTRUCTIVE = "destructive"
    BREAKING = "breaking"
    BLOCKING = "blocking"
    PRIVILEGE = "privilege"
    UNKNOWN = "unknown"


ALWAYS_APPROVED = frozenset({Effect.DESTRUCTIVE, Effect.BREAKING, Effect.PRIVILEGE, Effect.UNKNOWN})
"""Effects that wait for a person whatever the configuration says."""


class Tier(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Assurance(StrEnum):
    """How sure a signature makes us that a person was there."""

    SOFTWARE = "software"
    PRESENCE = "presence"
    VERIFIED = "verified"


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no white space, UTF-8; the bytes that are hashed and signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """``sha256:`` and the hash of the canonical JSON of `value`."""
    return f"sha256:{hashlib.sha256(canonical(value)).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One frozen SQL statement.

    `parameters` holds rows of JSON values (see `dialects.values`): none to send the text alone, one row to
    execute, more to execute once per row. `kind` is ``version`` for the movement of Alembic's version table.
    """

    n: int
    revision: str
    sql: str
    parameters: tuple[tuple[Any, ...], ...] = ()
    transactional: bool = True
    kind: Literal["change", "version"] = "change"

    def frozen(self) -> dict[str, Any]:
        """The JSON form that digests and the ledger hold."""
        return {
            "n": self.n,
            "revision": self.revision,
            "sql": self.sql,
            "parameters": [list(row) for row in self.parameters],
            "transactional": self.transactional,
            "kind": self.kind,
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Statement:
        """The inverse of `frozen`."""
        rows = tuple(tuple(row) for row in value["parameters"])
        return cls(**{**value, "parameters": rows})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one statement does, and why we say so. `objects` are ``schema.table[.column]``."""

    n: int
    effects: frozenset[Effect]
    objects: tuple[str, ...]
    rule: str
    why: str
    lock: str | None = None
    safer: str | None = None


@dataclass(frozen=True, slots=True)
class Reverse:
    """The way back of a plan: recorded on the same scratch database, straight after the plan itself.

    `restores_schema` says that the fingerprint after it equalled the one before the plan.
    """

    available: bool
    restores_schema: bool
    statements: tuple[Statement, ...] = ()
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Frozen, ordered SQL statements that take one target from one revision to another.

    `doubts` are reasons why the recording is not the whole truth (it read user rows, the offline rendering
    differs, the target drifted): each makes the plan `unknown`. `expected_fingerprint` is None when the
    schema after the plan cannot be known.
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

    @property
    def digest(self) -> str:
        """Over everything that is frozen, the way back and the doubts included: what an approval binds to."""
        return digest(self.frozen())

    @property
    def plan_id(self) -> str:
        return "plan_" + self.digest.removeprefix("sha256:")[:20]

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
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Plan:
        """The inverse of `frozen`."""
        back = value["reverse"]
        reverse = Reverse(**{**back, "statements": tuple(Statement.thaw(s) for s in back["statements"])})
        statements = tuple(Statement.thaw(s) for s in value["statements"])
        return cls(**{**value, "reverse": reverse, "statements": statements, "doubts": tuple(value["doubts"])})


@dataclass(frozen=True, slots=True)
class Expects:
    """What the caller believes will happen; it can only narrow what scopes allow."""

    effects: frozenset[Effect] | None = None
    objects: tuple[str, ...] | None = None
    max_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as it arrived. `client` and everything in `arguments` are claims."""

    call_id: str
    tool: str
    arguments: Mapping[str, Any]
    intent: str
    principal: str
    at: datetime
    target: str | None = None
    ticket: str | None = None
    expects: Expects = Expects()
    client: str | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A call that some scope may allow: its tool, its target and the time fit.

    `scopes` are the indexes of those scopes in the workflow; which of them holds is decided on the real effects.
    """

    call: Call
    workflow: str
    owner: str
    scope_name: str
    scopes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would happen. Nothing has been changed.

    `present` makes the answer of a tool that changes nothing. A tool that changes something has `work` instead.
    `plan` is what would run on the target; `schema` is the live schema it is judged against (a
    `schema.model.Schema`, which this layer cannot name) and `count_rows` counts what its tables hold now.
    `effects` and `objects` are declared by tools whose work is not a plan.
    """

    granted: Granted
    present: Present | None = None
    work: Work | None = None
    plan: Plan | None = None
    schema: Any = None
    count_rows: Callable[[Iterable[str]], Mapping[str, int]] | None = None
    effects: frozenset[Effect] = frozenset({Effect.READ})
    objects: tuple[str, ...] = ()
    subject: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Classified:
    """What would happen, by our own judgement of each statement.

    `rows` counts the rows now in each table whose data a statement may change or lose.
    """

    prepared: Prepared
    judgements: tuple[Judgement, ...]
    effects: frozenset[Effect]
    objects: tuple[str, ...]
    rows: Mapping[str, int]

    @property
    def total_rows(self) -> int:
        return sum(self.rows.values())

    @property
    def asked(self) -> frozenset[Effect]:
        """The effects of the call itself: to plan a destructive change is only to read."""
        return self.effects if self.prepared.work else frozenset({Effect.READ})


@dataclass(frozen=True, slots=True)
class Permitted:
    """A scope allows exactly these effects on these objects, and the caller's expectation is kept."""

    classified: Classified
    scope: int


@dataclass(frozen=True, slots=True)
class Quorum:
    """What policy asks for before this may run: the strictest part of each rule that matched."""

    count: int
    groups: frozenset[str]
    expires_seconds: float
    assurance: Assurance
    never: frozenset[str]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Approved:
    """People agreed to exactly this, or policy asks nobody. `request_id` is consumed when it starts."""

    permitted: Permitted
    request_id: str | None
    reviewers: tuple[str, ...]
    nonces: tuple[str, ...]

    @property
    def prepared(self) -> Prepared:
        return self.permitted.classified.prepared

    @property
    def call(self) -> Call:
        return self.prepared.granted.call


@dataclass(frozen=True, slots=True)
class Pending:
    """People have been asked, and not enough of them have answered."""

    permitted: Permitted
    request_id: str
    expires_at: datetime
    quorum: Quorum
    approvals: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Executed:
    """It ran, and nothing is committed yet."""

    approved: Approved
    apply_id: str
    output: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Validated:
    """The target is where the plan said it would be."""

    executed: Executed
    revision: str | None
    fingerprint: str | None


class Present(Protocol):
    """Makes the answer of a tool that changes nothing, once its plan has been judged."""

    def __call__(self, classified: Classified, quorum: Quorum | None) -> Mapping[str, Any]: ...


class Work(Protocol):
    """What a changing tool does once it is approved: the second half of *prepare then execute*."""

    def __call__(self, approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:
        """Do it. `run` sends one frozen statement to the target; there is no other way to it."""
        ...
