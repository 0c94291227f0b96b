"""Who may do what by a configuration, in sentences; and so what a change of it gives or takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mcp_migrate.model import Effect
from mcp_migrate.settings.http import Http
from mcp_migrate.settings.model import Settings
from mcp_migrate.settings.policy import ApprovalRule
from mcp_migrate.settings.values import Window
from mcp_migrate.settings.workflow import Scope, Workflow


@dataclass(frozen=True, slots=True)
class Change:
    """What one configuration says and another does not."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]


def changed(before: Collection[str], after: Collection[str]) -> Change:
    """The difference between the rights of two configurations."""
    return Change(tuple(sorted({*after} - {*before})), tuple(sorted({*before} - {*after})))


def rights(settings: Settings) -> tuple[str, ...]:
    """One sentence for each thing that somebody may do, or has to; none says a secret."""
    return tuple(
        sorted({*_scopes(settings), *_targets(settings), *_who(settings), *_people(settings), *_tokens(settings)})
    )


def _scopes(settings: Settings) -> Iterator[str]:
    for name, workflow in settings.workflows.items():
        owner = f"{workflow.owner.name} <{workflow.owner.email}>"
        yield f"workflow {name} may have {workflow.limits.open_requests} requests open, and {owner} answers for it"
        yield from (f"workflow {name} is held to {limit}" for limit in _limits(workflow))
        yield from (f"{worker} acts for workflow {name} by what is handed on to it" for worker in workflow.workers)
        for principal in workflow.principals:
            yield f"{principal} acts for workflow {name}"
            for scope in workflow.scopes:
                yield from (f"{principal} may use {tool} {_where(scope)}" for tool in scope.tools)


def _limits(workflow: Workflow) -> Iterator[str]:
    said = workflow.limits.model_dump(exclude={"open_requests", "pause"}, exclude_none=True)
    yield from (f"{most} {what.replace('_', ' ')}" for what, most in said.items())
    pause = workflow.limits.pause
    yield f"a pause of {pause.lasts} after {pause.after} refusals within {pause.within}"


def _where(scope: Scope) -> str:
    """The rest of a scope's sentence."""
    parts = [f"on {', '.join(sorted(scope.targets))}, doing {', '.join(sorted({Effect.READ, *(scope.effects or ())}))}"]
    if scope.objects is not None:
        parts.append(f"to {', '.join(sorted(scope.objects))}")
    if scope.max_rows is not None:
        parts.append(f"up to {scope.max_rows} rows")
    if scope.when is not None:
        parts.append(_hours(scope.when))
        parts += [f"from {', '.join(sorted(scope.when.network))}"] if scope.when.network is not None else []
    if scope.ticket is not None:
        parts.append("with a ticket")
    if scope.tiers is not None:
        parts.append(f"in {', '.join(sorted(scope.tiers))}")
    if scope.clients is not None:
        parts.append(f"from clients {', '.join(sorted(scope.clients))}")
    if scope.plan_age is not None:
        parts.append(f"with plans younger than {scope.plan_age}")
    if scope.while_ is not None:
        parts.append(f"while {scope.while_.condition}")
    return ", ".join(parts)


def _hours(window: Window) -> str:
    return f"at {', '.join(window.days)} {window.hours} {window.zone}"


def _targets(settings: Settings) -> Iterator[str]:
    for signal in settings.freezes:
        yield f"{signal.source} freezes {', '.join(sorted(signal.targets))}"
    for name, target in settings.targets.items():
        yield f"target {name} is {target.tier}, recorded in cage {settings.cage_of(target.tier)} or a stronger one"
        if target.unsafe_software_keys:
            yield f"keys that prove nobody's presence approve what destroys on {name}"


def _who(settings: Settings) -> Iterator[str]:
    for delegator, lines in settings.delegators.items():
        yield f"{delegator} may hand on what it has, with {len(lines)} keys"
    for person, names in settings.people.items():
        yield from (f"{name} is {person}" for name in names)
    for tier, steps in settings.separation.items():
        yield f"{tier} needs different people for {', '.join(sorted(steps))}"
    for tier, least in settings.identity.least.items():
        yield f"{tier} takes callers that are {least} or better"


def _people(settings: Settings) -> Iterator[str]:
    for name, reviewer in settings.reviewers.items():
        groups = f" of {', '.join(sorted(reviewer.groups))}" if reviewer.groups else ""
        yield f"{name} may review{groups}"
    for rule in settings.approvals:
        yield _rule(rule)
    for accepted in settings.rules.accept:
        yield f"{accepted.rule} needs nobody on {', '.join(sorted(accepted.targets))}"
    if settings.break_glass is not None:
        yield f"{', '.join(sorted(settings.break_glass.people))} may act alone, with two keys"


def _tokens(settings: Settings) -> Iterator[str]:
    if settings.http is None:
        return
    oauth = settings.http.oauth
    yield f"tokens of {oauth.issuer} for {settings.http.audience} say who calls over HTTP"
    if not oauth.principals:
        yield f"a subject of {oauth.issuer} is the principal of its own name"
    for subject, principal in oauth.principals.items():
        yield f"{subject} of {oauth.issuer} is {principal}"
    for scope, globs in oauth.scopes.items():
        yield f"a token with {scope} stands for {', '.join(sorted(globs))}"
    yield from _certificates(settings.http)


def _certificates(http: Http) -> Iterator[str]:
    yield from (f"what {proxy} says of where calls come from counts" for proxy in http.trusted_proxies)
    if http.certificates is None:
        return
    yield f"certificates that these proxies put into {http.certificates.header} say who calls over HTTP"
    if not http.certificates.principals:
        yield "the name in a certificate is the principal of its own name"
    for name, principal in http.certificates.principals.items():
        yield f"the certificate of {name} is {principal}"


def _rule(rule: ApprovalRule) -> str:
    when = rule.when.model_dump(mode="json", exclude_none=True, exclude={"during"})
    told = [f"{key} {', '.join(map(str, value)) if isinstance(value, list) else value}" for key, value in when.items()]
    told += [_hours(rule.when.during)] if rule.when.during else []
    asked = rule.require
    who = "anybody who reviews" if asked.from_ == "*" else asked.from_
    return f"{asked.count} of {who} decide ({asked.assurance}, never {' or '.join(asked.never)}) when {'; '.join(told)}"
