"""How are the parts made from one configuration? Each when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ConfigInvalidError, MigrateError
from mcp_migrate.wiring.whose import account

if TYPE_CHECKING:
    from mcp_migrate.anchors.keeper import Keeper
    from mcp_migrate.brokers.keys import Keys
    from mcp_migrate.leave.policy import Policy
    from mcp_migrate.ledger import Event, Ledger
    from mcp_migrate.model import Call, Caller, Grant
    from mcp_migrate.notices import Outbox
    from mcp_migrate.pipeline import Pipeline, Watch
    from mcp_migrate.redaction import Redactor
    from mcp_migrate.settings import Settings
    from mcp_migrate.tools.interface import Database
    from mcp_migrate.tools.pinning import Pinning
    from mcp_migrate.tools.registry import RegisteredTool, Registry
    from mcp_migrate.watching.telemetry import Telemetry
    from mcp_migrate.wiring.databases import Databases
    from mcp_migrate.wiring.pages import Pages


class Wiring:
    """One set of settings with everything made from it, each part when it is first needed."""

    def __init__(
        self, settings: Settings, *, serves_pages: bool = False, pinned_in: Sequence[Path] | None = None
    ) -> None:
        self.settings = settings
        self._pinned_in = pinned_in
        self._serves_pages = serves_pages

    @cached_property
    def registry(self) -> Registry:
        """The tools, from their specs."""
        from mcp_migrate.tools.registry import load

        return load(self.settings.tool_folders)

    @cached_property
    def pinning(self) -> Pinning:
        """Which tools agents may be shown."""
        from mcp_migrate.tools.pinning import Pinning

        return Pinning(self.registry, self.settings, lambda: self.ledger, lambda: datetime.now(UTC))

    def withheld(self) -> frozenset[str]:
        """The tools that no agent may be shown now."""
        return self.pinning.withheld()

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, created when it is not there yet."""
        from mcp_migrate.ledger import Ledger

        ledger = Ledger.open(self.settings.resolved_ledger(), remember=self.settings.ledger_head)
        ledger.after.append(self.telemetry.noticed)
        if self.settings.checkpoints is not None:
            ledger.after.append(self._noticed)
        return ledger

    def _noticed(self, events: Sequence[Event]) -> None:
        self.keeper.noticed(events)  # which needs the ledger, so that it is made when the first entry is there

    @cached_property
    def telemetry(self) -> Telemetry:
        """What is seen of calls from outside."""
        from mcp_migrate.watching.telemetry import Telemetry

        return Telemetry()

    def export(self) -> Callable[[], None]:
        """Send spans and metrics to the collector; returns what sends the rest at last. Raises: ConfigInvalidError."""
        if self.settings.telemetry is None:
            return lambda: None
        from mcp_migrate.watching.exporting import export

        return export(self.settings.telemetry, self.waiting)

    def waiting(self) -> Mapping[str, int]:
        """How many requests wait for people, by target."""
        from mcp_migrate.approvals.limits import waiting

        return waiting(self.settings, self.ledger, now=datetime.now(UTC))

    @cached_property
    def keeper(self) -> Keeper:
        """Who signs the ledger's head. Raises: ConfigInvalidError."""
        from mcp_migrate.anchors.keeper import Keeper

        if self.settings.checkpoints is None:
            raise ConfigInvalidError(
                "The configuration says nothing of checkpoints.",
                hint="Add `checkpoints` with an origin and a key: docs/ledger.md shows how.",
            )
        return Keeper(self.settings.checkpoints, self.ledger, lambda: datetime.now(UTC))

    @cached_property
    def pipeline(self) -> Pipeline:
        """The one door."""
        from mcp_migrate.brokers import broker_for
        from mcp_migrate.pipeline import Pipeline
        from mcp_migrate.tools.interface import Workbench

        bench = Workbench(self.settings, self.ledger, self.open_database, self.explain, review_url=self.review_url)
        return Pipeline(
            self.settings,
            self.ledger,
            bench,
            broker_for,
            lambda: datetime.now(UTC),
            redactor=self.redactor,
            user=account(),
            policy=self.policy,
            first=self.pinning.record,
        )

    @cached_property
    def policy(self) -> Policy:
        """Whether somebody vouches for the configuration. Raises: ConfigInvalidError."""
        from mcp_migrate.leave.policy import Policy
        from mcp_migrate.settings.pinned import pinned, places

        return Policy.now(self.settings, lambda: pinned(self._pinned_in or places()), self.registry.read)

    @cached_property
    def redactor(self) -> Redactor:
        """What keeps credentials off the record."""
        from mcp_migrate.redaction import Redactor, key_of

        return Redactor(self.settings.redact, cache(lambda: key_of(self.settings)), self._scope_of)

    def _scope_of(self, tool: str) -> str:
        return self.registry[tool].scope if tool in self.registry else tool

    def run(self, call: Call, tool: RegisteredTool, *, watch: Watch) -> Mapping[str, Any]:
        """Pass one call through the door."""
        with self.telemetry.call(call):
            return self.pipeline.run(call, tool, watch=watch)

    def refused(self, call: Call, error: MigrateError) -> None:
        """Record a call that never came to the door.

        What it names may be any text, a password in the wrong place as well: only the record has that, redacted.
        """
        tool = call.tool if call.tool in self.registry else "unknown"
        target = call.target if call.target in self.settings.targets else None
        with self.telemetry.call(replace(call, tool=tool, target=target)):
            self.pipeline.refused(call, error)

    def handed_on(self, texts: Sequence[str], principal: str) -> tuple[Grant, ...]:
        """The grants that `principal` acts by, as they were written. Raises: NotPermittedError."""
        from mcp_migrate.leave.delegation import chain_of

        return chain_of(texts, principal, self.settings, self.ledger, now=datetime.now(UTC))

    def may_park(self, call: Call) -> bool:
        """Whether the record will hold all that is needed to make this call again."""
        return self.pipeline.may_park(call)

    def parked(self, call: Call, task_id: str, answer: Mapping[str, Any]) -> None:
        """Record that a call waits in the background."""
        self.pipeline.parked(call, task_id, answer)

    def request_status(self, request_id: str) -> str:
        """How a request stands now: a look at the ledger, which holds nothing while somebody waits."""
        from mcp_migrate.approvals.standing import status_of
        from mcp_migrate.ledger import Kind

        [request, *_] = self.ledger.find(Kind.APPROVAL_REQUESTED, request_id)
        return status_of(request, self.ledger, self.settings, now=datetime.now(UTC))

    @cached_property
    def pages(self) -> Pages:
        """The pages on which people review."""
        from mcp_migrate.wiring.pages import Pages

        return Pages(self.settings, self.ledger, serves=self._serves_pages)

    def review_url(self, request_id: str) -> str | None:
        """Where a person reviews this request."""
        return self.pages.url(request_id)

    @cached_property
    def outbox(self) -> Outbox:
        """What has to be told to people."""
        from mcp_migrate.notices import Outbox

        return Outbox(self.settings, self.ledger, lambda: datetime.now(UTC))

    def readable_targets(self, caller: Caller) -> Sequence[str]:
        """The targets whose schema `caller` may read now."""
        now = datetime.now(UTC)
        return [name for name in self.settings.targets if self.explain(caller, "schema_read", name, now)["allowed"]]

    @cached_property
    def keys(self) -> Keys:
        """The credentials of a person's command; `close` revokes them."""
        return self.pipeline.keys()

    def close(self) -> None:
        """Revoke what a command held."""
        if "keys" in self.__dict__:
            self.keys.revoke()

    @cached_property
    def databases(self) -> Databases:
        """The targets."""
        from mcp_migrate.wiring.databases import Databases

        return Databases(self.settings, self._key_of)

    def _key_of(self, name: str) -> Callable[[], str]:
        """What opens a target for a person's command; the pipeline has its own for each call."""
        from mcp_migrate.brokers.interface import Purpose

        return lambda: self.keys.url(name, Purpose.READ)

    def open_database(self, name: str) -> Database:
        """What tools may know of a target."""
        return self.databases.open(name)

    def explain(self, caller: Caller, tool: str, target: str | None, at: datetime) -> Mapping[str, Any]:
        """What `access_explain` and `config explain` both answer."""
        from mcp_migrate.stages.authorise import explain

        scope = self.registry[tool].scope
        return explain(self.settings, caller=caller, tool=tool, scope_name=scope, target=target, at=at)
