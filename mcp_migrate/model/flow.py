"""Which values flow through one call?

``Call → Granted → Prepared → Classified → Permitted → Approved → Executed → Validated``: each frozen, each constructed
in exactly one stage, each holding the one before. A function that asks for an `Approved` cannot be called without one,
so skipping a step is a type error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from mcp_migrate.model.caller import Caller
from mcp_migrate.model.plan import Judgement, Plan, Statement
from mcp_migrate.model.quorum import Quorum, TooFew
from mcp_migrate.model.words import Effect


@dataclass(frozen=True, slots=True)
class Expects:
    """What the caller believes will happen; it can only narrow what scopes allow."""

    effects: frozenset[Effect] | None = None
    objects: tuple[str, ...] | None = None
    max_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as it arrived. `client` is the program as it names itself; it and `arguments` are claims."""

    call_id: str
    tool: str
    arguments: Mapping[str, Any]
    intent: str
    caller: Caller
    at: datetime
    target: str | None = None
    ticket: str | None = None
    expects: Expects = Expects()
    client: str | None = None
    protocol: str | None = None

    @property
    def principal(self) -> str:
        return self.caller.principal


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
    `effects` and `objects` are declared by tools whose work is not a plan; what one read for its plan is in `objects`
    as well. `identity` says which database
    was looked at. `undoes` is the apply whose way back the plan is, and nothing else; `validates` is
    the apply that is looked at.
    `declared` are the effects that a team's own tool says it has: its statements may have no others.
    `way_back` reads the target and makes the plan that takes this one back, as it was frozen with it. What `goes_back`
    takes back what was applied. `meets` asks the target whether a tool's own checks hold, once scopes allow what they
    read.
    With the purpose ``reconcile`` nothing would run: people sign for what the target became.
    """

    granted: Granted
    present: Present | None = None
    purpose: Literal["change", "reconcile"] = "change"
    work: Work | None = None
    plan: Plan | None = None
    schema: Any = None
    count_rows: Callable[[Iterable[str]], Mapping[str, int]] | None = None
    effects: frozenset[Effect] = frozenset({Effect.READ})
    objects: tuple[str, ...] = ()
    subject: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, str] | None = None
    undoes: str | None = None
    validates: str | None = None
    way_back: Callable[[], Prepared] | None = None
    declared: frozenset[Effect] | None = None
    goes_back: bool = False
    meets: Callable[[], None] | None = None


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
        """The effects of the call itself: to plan a destructive change is only to read, and so is to sign for one."""
        changes = self.prepared.work is not None and self.prepared.purpose == "change"
        return self.effects if changes else frozenset({Effect.READ})


@dataclass(frozen=True, slots=True)
class Permitted:
    """A scope allows exactly these effects on these objects, and the caller's expectation is kept."""

    classified: Classified
    scope: int


@dataclass(frozen=True, slots=True)
class Covered:
    """People approved this rollback with the change it takes back: in which request, and until when."""

    request_id: str
    until: datetime

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return {"request_id": self.request_id, "until": self.until.isoformat()}


@dataclass(frozen=True, slots=True)
class Automatic:
    """The apply that the server takes back by itself, and the checks that do not hold since."""

    apply_id: str
    checks: tuple[Mapping[str, Any], ...]

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return {"apply_id": self.apply_id, "checks": [dict(check) for check in self.checks]}


@dataclass(frozen=True, slots=True)
class Approved:
    """People agreed to exactly this, or policy asks nobody. `request_id` and `nonces` are consumed when it starts.

    `review` is the question that is put to people afterwards, where one person acted alone. `covers_until` is until
    when all who approved it approved its rollback as well; `covered` says so of the rollback itself. `automatic` is why
    the server takes back by itself what was approved with this way back.
    """

    permitted: Permitted
    request_id: str | None
    reviewers: tuple[str, ...]
    nonces: tuple[str, ...]
    review: Mapping[str, Any] | None = None
    covers_until: datetime | None = None
    covered: Covered | None = None
    automatic: Automatic | None = None

    @property
    def prepared(self) -> Prepared:
        return self.permitted.classified.prepared

    @property
    def call(self) -> Call:
        return self.prepared.granted.call


@dataclass(frozen=True, slots=True)
class Pending:
    """People have been asked, and not enough of them have answered, or it is too early.

    `missing` counts the people whose signature it waits for.
    `about` is what they are asked about. `not_before` is when it may run, where enough have answered. With `too_few` it
    waits for more people than could ever approve it. `replaces` names earlier questions that nobody needs to answer any
    more once it is put.
    """

    permitted: Permitted
    request_id: str
    expires_at: datetime
    quorum: Quorum
    missing: int
    fresh: bool
    about: Mapping[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None
    too_few: tuple[TooFew, ...] = ()
    replaces: tuple[str, ...] = ()


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
    objects: Mapping[str, str] | None = None
    """A short hash of each object of the target as it is now."""


class Present(Protocol):
    """Makes the answer of a tool that changes nothing, once its plan has been judged."""

    def __call__(self, classified: Classified, quorum: Quorum | None) -> Mapping[str, Any]: ...


class Work(Protocol):
    """What a changing tool does once it is approved: the second half of *prepare then execute*."""

    def __call__(self, approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:
        """Do it. `run` sends one frozen statement to the target; there is no other way to it."""
        ...
