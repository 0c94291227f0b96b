"""May this principal use this tool on this target now, and with these real effects?

Asked twice with one evaluator: `grant` before anything is read, `permit` when the effects are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mcp_migrate.errors import Action, InsufficientScopeError, IntentExceededError, NotPermittedError
from mcp_migrate.leave.circumstances import Circumstances
from mcp_migrate.leave.delegation import beyond_handed_on, not_handed_on, refuse_without, used_up
from mcp_migrate.leave.freezing import refuse_frozen
from mcp_migrate.leave.proving import refuse_ended, refuse_unproven
from mcp_migrate.leave.revoking import taken_back
from mcp_migrate.leave.scoping import WITHOUT_TICKET, Asked, asked, beyond, leave, names, outside
from mcp_migrate.leave.separation import refuse_same, step_of
from mcp_migrate.leave.tempo import Tempo, refuse_beside, refuse_fast, refuse_more, refuse_over
from mcp_migrate.model import Call, Caller, Classified, Effect, Expects, Granted, Permitted
from mcp_migrate.settings import Scope, Settings, Workflow, matches


def grant(
    call: Call, settings: Settings, around: Circumstances, *, scope_name: str, by_people: bool = False
) -> Granted:
    """Find the scopes that may allow this call. Of what people ask where the server is, nobody vouches for a name.

    Raises:
        NotPermittedError: the principal has no workflow, nobody vouches for it as policy asks, or none of its scopes
            fits tool, target and time.
        InsufficientScopeError: the caller's token does not stand for this tool.
        PausedError, LimitReachedError: the principal has to wait.
        UnknownTargetError: no such target.
    """
    name, workflow = settings.workflow_of(call.principal)
    refuse_ended(call.caller, at=call.at)
    _refuse_taken_back(call, around)
    refuse_fast(call.principal, workflow, call.at, around.tempo)
    if not call.caller.may_use(scope_name):
        raise InsufficientScopeError(
            f"The token of this call does not stand for {scope_name}.",
            hint="Sign in again with more scopes; the configuration has to allow it too, which access_explain shows.",
            missing={"tool": scope_name},
        )
    if call.target is not None and not by_people:
        refuse_unproven(call.caller, call.target, settings)
    refuse_without(call.caller, settings)
    what = asked(call, settings, scope_name=scope_name)
    _refuse_not_handed_on(call, workflow, not_handed_on(call.caller.grants, what))
    refusals = {i: outside(s, what, opened=i in around.opened) for i, s in _scopes(workflow)}
    fitting = tuple(i for i, refusal in refusals.items() if refusal is None)
    if not fitting:
        near = [refusals[i] for i, scope in _scopes(workflow) if names(scope, what)]
        raise _missing_scope(call, name, workflow, scope_name, [r for r in refusals.values() if r], near=near)
    return Granted(call, name, workflow.owner.name, scope_name, fitting)


def way_back(permitted: Permitted, classified: Classified) -> Permitted:
    """The way back of what was permitted is the server's own step: the target's `limits.auto_rollback` allows it."""
    return Permitted(classified, permitted.scope)


def permit(classified: Classified, settings: Settings, around: Circumstances) -> Permitted:
    """Hold the real effects against expectation and scopes, and the call against what is around it.

    Raises:
        IntentExceededError: the real effects go beyond what the caller expects.
        NotSeparatedError: this step needs another person.
        TargetFrozenError, LimitReachedError: nothing changes the target now, or this workflow does not.
        NotPermittedError: no granted scope covers these effects on these objects.
    """
    granted = classified.prepared.granted
    _keep_expectation(classified, granted.call.expects)
    _keep_declaration(classified)
    if around.runs:
        _keep_within(classified, settings, around)
    workflow = settings.workflows[granted.workflow]
    more = beyond_handed_on(granted.call.caller.grants, classified, around.spent)
    _refuse_not_handed_on(granted.call, workflow, more)
    refusals = []
    for index in granted.scopes:
        refusal = beyond(workflow.scopes[index], classified, planned_at=around.planned_at)
        if refusal is None:
            return Permitted(classified, index)
        refusals.append(refusal)
    raise NotPermittedError(
        f"Workflow {granted.workflow!r} may not do this on {granted.call.target}: {refusals[0]}.",
        hint=f"Plan something narrower, or ask {_owner(workflow)}, who owns the workflow, for a wider scope.",
        missing={"tool": granted.scope_name, "target": granted.call.target, "reasons": refusals},
        owner=workflow.owner.name,
    )


def beside(granted: Granted, settings: Settings, running: int) -> None:
    """Hold a call that makes or runs a plan against those of its workflow that run. Raises: LimitReachedError."""
    refuse_beside(settings.workflows[granted.workflow], running)


def planned(granted: Granted, settings: Settings, tempo: Tempo) -> None:
    """Hold a plan that is on the record against those that came before it. Raises: LimitReachedError."""
    refuse_over(settings.workflows[granted.workflow], tempo, step="plan")


def explain(
    settings: Settings, *, caller: Caller, tool: str, scope_name: str, target: str | None, at: datetime
) -> Mapping[str, Any]:
    """Say whether `grant` would let this call through, by which scope, and what would be needed otherwise."""
    name, workflow = settings.workflow_of(caller.principal)
    tier = settings.target(target).tier if target is not None else None
    what = Asked(scope_name, at, target, tier, address=caller.address)
    scopes = [
        {"scope": i, "outside": outside(s, _likely(s, what), opened=True), **leave(s)} for i, s in _scopes(workflow)
    ]
    allowing = [s for s in scopes if s["outside"] is None]
    needed = [] if allowing else [f"a scope of workflow {name!r} that names {scope_name}" + _on(target)]
    needed += [] if caller.may_use(scope_name) else [f"a token that stands for {scope_name}"]
    if caller.principal in workflow.workers:
        why = not_handed_on(caller.grants, what) if caller.grants else "it has none"
        needed += [f"a grant that covers it: {why}"] if why else []
    return {
        "allowed": not needed,
        "principal": caller.principal,
        "workflow": name,
        "owner": _owner(workflow),
        "tool": tool,
        "target": target,
        "rule": [{k: v for k, v in s.items() if k != "outside"} for s in allowing],
        "needed": needed,
        "closest": [s for s in scopes if s["outside"]][:3] if not allowing else [],
    }


def again(permitted: Permitted, settings: Settings, around: Circumstances, *, at: datetime) -> None:
    """Ask once more before the first statement: what kept the target, or closed the scope, may have come meanwhile.

    Raises:
        TargetFrozenError, LimitReachedError, NotPermittedError: it does not go on.
    """
    granted = permitted.classified.prepared.granted
    refuse_frozen(granted.call.target, around.frozen)
    refuse_ended(granted.call.caller, at=at)
    _refuse_taken_back(granted.call, around)
    workflow = settings.workflows[granted.workflow]
    refuse_over(workflow, around.tempo, step=step_of(permitted.classified.prepared))
    what = asked(replace(granted.call, at=at), settings, scope_name=granted.scope_name)
    grants = granted.call.caller.grants
    _refuse_not_handed_on(granted.call, workflow, not_handed_on(grants, what) or used_up(grants, around.spent))
    refusal = outside(workflow.scopes[permitted.scope], what, opened=permitted.scope in around.opened)
    if refusal is not None:
        raise _missing_scope(granted.call, granted.workflow, workflow, granted.scope_name, [refusal])


def _refuse_taken_back(call: Call, around: Circumstances) -> None:
    if around.revoked is not None:
        raise taken_back(call.principal, around.revoked)


def _refuse_not_handed_on(call: Call, workflow: Workflow, why: str | None) -> None:
    if why is not None:
        raise NotPermittedError(
            f"{call.principal} may not do this: {why}.",
            hint=f"Ask whoever handed it on, or {_owner(workflow)}, who owns the workflow.",
            missing={"grant": call.principal},
            reasons=[why],
        )


def _likely(scope: Scope, what: Asked) -> Asked:
    """A call that meets what a caller brings along: a ticket, and the client that the scope is for."""
    client = scope.clients[0].replace("*", "") if scope.clients else None
    return replace(what, ticket="ticket", client=client or "client")


def _keep_within(classified: Classified, settings: Settings, around: Circumstances) -> None:
    """Hold a call against what is around it. Each part can only refuse, so their order is nothing."""
    prepared, step = classified.prepared, step_of(classified.prepared)
    granted, plan = prepared.granted, prepared.plan
    refuse_frozen(granted.call.target, around.frozen if prepared.work is not None else None)
    refuse_same(step, granted.call.caller, around.taken, settings, target=granted.call.target)
    statements = len(plan.statements) if plan else 0
    refuse_more(settings.workflows[granted.workflow], around.tempo, step=step, statements=statements)


def _scopes(workflow: Workflow) -> Iterator[tuple[int, Scope]]:
    return iter(enumerate(workflow.scopes))


def _keep_expectation(classified: Classified, expects: Expects) -> None:
    differences: list[str] = []
    if expects.effects is not None:
        excess = classified.effects - expects.effects - {Effect.READ}
        differences += [f"effect {effect} was not expected" for effect in sorted(excess)]
    if expects.objects is not None:
        strange = [name for name in classified.objects if not matches(name, expects.objects)]
        differences += [f"{name} was not expected to be touched" for name in strange]
    if expects.max_rows is not None and classified.total_rows > expects.max_rows:
        differences.append(f"{classified.total_rows} rows are concerned, at most {expects.max_rows} were expected")
    if differences:
        raise IntentExceededError(
            f"The plan does more than you said you expect: {'; '.join(differences[:5])}.",
            hint="Read the statements: the revision may not do what its name says. Change it, or expect this.",
            differences=differences,
            statements=[
                {"n": j.n, "effects": sorted(j.effects), "objects": list(j.objects), "why": j.why}
                for j in classified.judgements
                if j.effects
            ][:50],
        )


def _keep_declaration(classified: Classified) -> None:
    """A team's own tool does what its spec says, or nothing."""
    declared, granted = classified.prepared.declared, classified.prepared.granted
    if declared is not None and (excess := classified.effects - declared - {Effect.READ}):
        raise NotPermittedError(
            f"{granted.call.tool} says that it has the effects {', '.join(sorted(declared))}; its statements also have "
            f"{', '.join(sorted(excess))}.",
            hint=f"Nothing ran. Tell {granted.owner}: `effects` of the tool's spec, or its statements, are wrong.",
            undeclared=sorted(excess),
        )


def _missing_scope(
    call: Call,
    name: str,
    workflow: Workflow,
    scope_name: str,
    refusals: list[str],
    *,
    near: Sequence[str | None] = (),
) -> NotPermittedError:
    """`near` is why those are closed that are for it."""
    ticket = f"Pass `ticket`, the id or address of what this is for. Without one: ask {_owner(workflow)}."
    ask = f"Ask {_owner(workflow)}, who owns the workflow, to add one; access_explain shows what is needed."
    closed = f": one for it {near[0]}" if near else ""
    error = NotPermittedError(
        f"No scope of workflow {name!r} lets {call.principal} use {scope_name}{_on(call.target)}{closed}.",
        hint=ticket if WITHOUT_TICKET in near else ask,
        missing={"tool": scope_name, "target": call.target},
        scopes=refusals[:10],
        owner=workflow.owner.name,
    )
    return error.then(Action.NONE) if WITHOUT_TICKET in near else error


def _on(target: str | None) -> str:
    return f" on {target}" if target else ""


def _owner(workflow: Workflow) -> str:
    return f"{workflow.owner.name} <{workflow.owner.email}>"
