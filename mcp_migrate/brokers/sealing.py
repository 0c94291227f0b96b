"""Can a plan be sealed, and is it, where the target runs nothing else?"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_migrate.errors import NotSealableError, NotSealedError
from mcp_migrate.model import Plan, Statement
from mcp_migrate.settings import Target

_TEMPORARY = "t"
_INSTEAD = "Take it out of this plan and have a person run it on the target; or write it so that it needs none of that."


def refuse_unsealable(plan: Plan, target: Target) -> None:
    """Raises: NotSealableError: the target runs sealed plans, and this can be none."""
    if target.credentials.broker != "postgres-sealed":
        return
    for statement in plan.statements:
        if why := next(_hindrances(statement), None):
            raise NotSealableError(
                f"Statement {statement.n} of revision {statement.revision} cannot be sealed: {why}.",
                hint=f"{plan.target} runs only sealed plans, each in one transaction. {_INSTEAD}",
                statement=statement.n,
            )


def refuse_unsealed(plan: Plan | None, target: Target | None) -> None:
    """Raises: NotSealedError: the target does not run the plan yet. CredentialFailedError: nobody can tell."""
    if plan is None or target is None or target.credentials.broker != "postgres-sealed":
        return
    from mcp_migrate.brokers.postgres_sealed import PostgresSealed

    if why := PostgresSealed(target).why_not(plan.digest):
        raise NotSealedError(
            f"Plan {plan.plan_id} may run, and {plan.target} does not run it yet: {why}.",
            hint=f"Nothing ran. A person runs `mcp-migrate seal {plan.plan_id} --url-file FILE` with a key that this "
            "server does not have. Then make this same call again; nobody has to approve it anew.",
            plan_id=plan.plan_id,
        )


def _hindrances(statement: Statement) -> Iterator[str]:
    if statement.batches:
        yield "it runs in batches, each of which would stand by itself"
    elif not statement.transactional:
        yield "it cannot run in a transaction"
    if statement.parameters:
        yield "it has values beside its text; write them into the text"
    yield from _of_the_session(statement)


def _of_the_session(statement: Statement) -> Iterator[str]:
    """What would change the session, or hold on to it. A text that the parser does not know changes none."""
    import postgast

    try:
        parsed = [each.stmt for each in postgast.parse(statement.sql).stmts]
    except (postgast.PgQueryError, ValueError):
        return
    kinds = {each.WhichOneof("node") for each in parsed}
    if kinds & {"variable_set_stmt", "discard_stmt"}:
        yield "a setting of the session does not last from one sealed statement to the next"
    made = [each.create_stmt.relation.relpersistence for each in parsed if each.HasField("create_stmt")]
    made += [
        each.create_table_as_stmt.into.rel.relpersistence for each in parsed if each.HasField("create_table_as_stmt")
    ]
    if _TEMPORARY in made:
        yield "it makes a temporary table, with which a session runs no sealed statement"
