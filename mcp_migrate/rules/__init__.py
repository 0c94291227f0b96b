"""What does each statement of a plan do? The family of rules, one package per database product.

Unknown means dangerous: what is on no list is `unknown`, and that waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcp_migrate.model import Judgement, Statement
from mcp_migrate.rules.interface import judgement, unknown
from mcp_migrate.schema.model import Schema

Judge = Callable[[Sequence[Statement], Schema | None], tuple[Judgement, ...]]


def judge(statements: Sequence[Statement], *, dialect: str, schema: Schema | None) -> tuple[Judgement, ...]:
    """Judge each statement, in order, knowing what the earlier ones of the same plan made.

    `schema` is the live schema before the plan. Without it the text is judged alone (see `Context`).
    """
    family = _families().get(dialect)
    if family is None:
        return tuple(judgement(s.n, [unknown(f"there are no rules for {dialect}")]) for s in statements)
    return family(statements, schema)


def _families() -> dict[str, Judge]:
    # Parsers load with the first plan that is judged, not at start.
    from mcp_migrate.rules.postgresql import judge_postgresql
    from mcp_migrate.rules.sqlite import judge_sqlite

    return {"postgresql": judge_postgresql, "sqlite": judge_sqlite}
