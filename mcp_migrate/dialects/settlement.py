"""What became of an apply that did not go through? Its mark says what stands, the record what was sent after that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mcp_migrate.dialects.interface import Reader
from mcp_migrate.dialects.told import Left, Mark
from mcp_migrate.model import Plan, Statement
from mcp_migrate.schema import shape


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an apply that has no outcome on the record.

    `uncertain` is the one statement of which nobody can say whether it ran, `left` what the target shows of it.
    """

    status: Literal["applied", "failed", "partially_applied"]
    how: str
    revision: str | None
    fingerprint: str
    ran: tuple[int, ...] = ()
    uncertain: int | None = None
    not_ran: tuple[int, ...] = ()
    left: Left | None = None


def settled(plan: Plan, mark: Mark | None, reader: Reader, began: Mapping[int, bool] | None) -> Settled:
    """What the mark says, held against the record: `began` are the statements of whose end it says nothing."""
    revisions = reader.revisions(plan.version_table)
    where, now = ", ".join(revisions) or None, shape(reader.schema(version_table=plan.version_table))
    if mark is None:
        return Settled("failed", "it left no mark: nothing of it was committed", where, now)
    ran = tuple(statement.n for statement in plan.statements[: mark.done])
    if len(ran) == len(plan.statements):
        return Settled("applied", "its mark says that every statement was committed", where, now, ran)
    following = plan.statements[mark.done]
    doubt = _doubt(following, began)
    if not ran and doubt is None:
        return Settled("failed", "its mark and the record say that no statement was committed", where, now)
    sent = [*plan.statements[: mark.done], *([following] if doubt is not None else [])]
    if all(map(only_keeps, sent)):
        return Settled("failed", "its mark and the record say that it got no further than keeping rows", where, now)
    how = f"its mark says that {mark.done} of {len(plan.statements)} statements stand"
    if doubt is not None and began is not None:
        how += f", the record that statement {doubt} was sent and nothing of its end"
    missing = tuple(not_ran(plan, {"ran": ran, "uncertain": doubt}))
    left = reader.left_by(following) if began and doubt is not None and began[doubt] else None
    return Settled("partially_applied", how, where, now, ran, doubt, missing, left)


def only_keeps(statement: Statement) -> bool:
    """Whether it makes or fills a place for undo data, which does no harm; what is moved aside is away."""
    return statement.kind == "preserve" and statement.sql.partition(" ")[0] not in {"ALTER", "RENAME"}


def not_ran(plan: Plan, outcome: Mapping[str, Any]) -> list[int]:
    """The statements that certainly do not stand."""
    stands = {*outcome["ran"], outcome.get("uncertain")}
    return [statement.n for statement in plan.statements if statement.n not in stands]


def _doubt(following: Statement, began: Mapping[int, bool] | None) -> int | None:
    """The statement after those that stand, where nobody can say whether it ran: it was sent, and never answered."""
    if began is None:
        return None if following.transactional else following.n
    return following.n if following.n in began else None
