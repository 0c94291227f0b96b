"""What would the policy say? One call on the command line, or a table of them that a pipeline holds it to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Effect
from mcp_migrate.wiring import Wiring

if TYPE_CHECKING:
    from mcp_migrate.pipeline.simulating import Question, Verdict


class Asked(BaseModel):
    """A call as a table has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    principal: str
    tool: str
    target: str | None = None
    effects: tuple[Effect, ...] = (Effect.READ,)
    objects: tuple[str, ...] = ()
    rows: int = Field(0, ge=0)
    at: datetime | None = None
    ticket: str | None = None

    def question(self, wiring: Wiring) -> Question:
        """With the tool's scope, and now where no time is given. Raises: UnknownToolError."""
        from mcp_migrate.pipeline.simulating import Question

        at = self.at or datetime.now(UTC)
        return Question(
            self.principal,
            wiring.registry[self.tool].scope,
            at if at.tzinfo else at.replace(tzinfo=UTC),
            self.target,
            frozenset({*self.effects, Effect.READ}),
            self.objects,
            self.rows,
            self.ticket,
        )


class Case(BaseModel):
    """One row of a table: a call and what has to come of it; `asks` only where it is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: Asked
    expect: Literal["allow", "ask", "deny"]
    asks: dict[str, int] | None = None


def simulate(
    principal: Annotated[str | None, typer.Argument(help="Who would call.")] = None,
    tool: Annotated[str | None, typer.Argument(help="Which tool.")] = None,
    target: Annotated[str | None, typer.Argument(help="On which target, where the tool takes one.")] = None,
    effects: Annotated[str, typer.Option(help="What its statements would do, as additive,data.")] = "read",
    objects: Annotated[str, typer.Option(help="On what, as public.orders,public.items.total.")] = "",
    rows: Annotated[int, typer.Option(help="Rows concerned.")] = 0,
    at: Annotated[datetime | None, typer.Option(help="When, in UTC (default: now).")] = None,
    ticket: Annotated[str | None, typer.Option(help="The ticket it names.")] = None,
    cases: Annotated[Path | None, typer.Option(help="A table of calls and what is expected; exit 1 if not.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what would come of a call: allow, ask (people have to sign) or deny. Nothing is called or recorded."""
    wiring = wire(config_file)
    if cases is not None:
        _hold(list(_table(cases)), wiring, as_json=as_json)
        return
    if principal is None or tool is None:
        raise typer.BadParameter("Name a principal and a tool, or a table with --cases.")
    asked = _one(
        principal=principal,
        tool=tool,
        target=target,
        effects=_listed(effects),
        objects=_listed(objects),
        rows=rows,
        at=at,
        ticket=ticket,
    )
    verdict = _verdict(asked, wiring)
    if as_json:
        print_json(verdict.told())
    else:
        print(safe(f"{verdict.outcome:<6} {_people(verdict)}{verdict.why}"))


def _verdict(asked: Asked, wiring: Wiring) -> Verdict:
    from mcp_migrate.pipeline.simulating import simulate as ask

    return ask(asked.question(wiring), wiring.settings)


def _hold(table: list[Case], wiring: Wiring, *, as_json: bool) -> None:
    verdicts = [(case, _verdict(case.call, wiring)) for case in table]
    wrong = [(case, verdict) for case, verdict in verdicts if not _as_expected(case, verdict)]
    if as_json:
        rows = [{"expect": case.expect, "ok": _as_expected(case, v), **v.told()} for case, v in verdicts]
        print_json(rows)
    else:
        for case, verdict in wrong:
            call = case.call
            where = f" on {call.target}" if call.target else ""
            what = f"{call.principal} {call.tool}{where} [{', '.join(call.effects)}]"
            print(safe(f"{what}: {case.expect} expected, {verdict.outcome} came: {_people(verdict)}{verdict.why}"))
        print(f"{len(table) - len(wrong)} of {len(table)} calls come out as expected.")
    if wrong:
        raise typer.Exit(1)


def _as_expected(case: Case, verdict: Verdict) -> bool:
    return case.expect == verdict.outcome and case.asks in (None, verdict.asks)


def _people(verdict: Verdict) -> str:
    people = ", ".join(f"{count} of {'anybody' if group == '*' else group}" for group, count in verdict.asks.items())
    return f"({people}) " if people else ""


def _table(file: Path) -> Iterator[Case]:
    """Raises: ConfigInvalidError."""
    import yaml

    try:
        found = yaml.safe_load(file.read_bytes())
        yield from TypeAdapter(list[Case]).validate_python(found)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigInvalidError(f"{file} cannot be read: {error}.", hint="Correct it.") from error
    except ValidationError as error:
        raise _unfit(f"{file}", error) from error


def _one(**parts: Any) -> Asked:
    try:
        return Asked.model_validate(parts)
    except ValidationError as error:
        raise _unfit("The call", error) from error


def _unfit(what: str, error: ValidationError) -> ConfigInvalidError:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return ConfigInvalidError(f"{what} does not hold: {where}: {first['msg']}.", hint="See docs/configuration.md.")


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]
