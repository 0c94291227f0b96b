"""What does each statement of a plan do? The family of rules, one package per database product.

Unknown means dangerous: what is on no list is `unknown`, and that waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mcp_migrate.model import Judgement, Statement
from mcp_migrate.rules.interface import Finding, Policy, judgement, unknown
from mcp_migrate.schema.model import Schema

Judge = Callable[[Sequence[Statement], Schema | None], Iterator[list[Finding]]]
"""What the rules of one product find in each statement, in order."""

_NO_POLICY = Policy()


def judge(
    statements: Sequence[Statement], *, dialect: str, schema: Schema | None, policy: Policy = _NO_POLICY
) -> tuple[Judgement, ...]:
    """Judge each statement, in order, knowing what the earlier ones of the same plan made.

    `schema` is the live schema before the plan. Without it the text is judged alone (see `Context`).
    """
    family = _families().get(dialect)
    if family is None:
        nothing = [unknown(f"there are no rules for {dialect}")]
        return tuple(judgement(statement.n, nothing, policy) for statement in statements)
    findings = family(statements, schema)
    return tuple(judgement(s.n, found, policy) for s, found in zip(statements, findings, strict=True))


def findings(
    statements: Sequence[Statement], *, dialect: str, schema: Schema | None
) -> tuple[tuple[Finding, ...], ...]:
    """What the rules find in each statement, one by one and before any policy: for planning what to keep."""
    family = _families().get(dialect)
    if family is None:
        return tuple((unknown(f"there are no rules for {dialect}"),) for _statement in statements)
    return tuple(tuple(found) or (unknown("no rule says what it does"),) for found in family(statements, schema))


def _families() -> dict[str, Judge]:
    # Parsers load with the first plan that is judged, not at start.
    from mcp_migrate.rules.mysql import find as mysql
    from mcp_migrate.rules.postgresql import find as postgresql
    from mcp_migrate.rules.sqlite import find as sqlite

    return {"mariadb": mysql, "mysql": mysql, "postgresql": postgresql, "sqlite": sqlite}
