"""Can what a plan drops be moved aside instead, and how does it come back in the place of what would make it again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mcp_migrate.dialects.keeper import Keeper, Loss, Texts
from mcp_migrate.migrations.walk import Lost
from mcp_migrate.model import Statement
from mcp_migrate.rules.interface import Finding
from mcp_migrate.schema import Schema
from mcp_migrate.schema.model import Table

_HARMLESS = frozenset({"drop-index", "drop-unique-index", "drop-column"})
"""What may happen to a table before it, or a column of it, is parked."""
_WHOLE = frozenset({"drop-table", "drop-schema"})


@dataclass(frozen=True, slots=True)
class Yard:
    """What parking has to know: the schema the plan begins with, what its statements do, and its way back."""

    keeper: Keeper
    key: str
    schema: Schema
    found: Sequence[Sequence[Finding]]
    back: Sequence[Statement]

    def park(self, lost: Lost, number: int) -> list[tuple[Loss, Texts]] | str:
        """The texts for a table, or for each column that is dropped; or why it cannot be parked."""
        loss = replace(lost.loss, table=self._before(lost.loss))
        if loss.kind not in {"table", "columns"}:
            return "only what is dropped is parked"
        if lost.end - lost.at > 1 or self._changed(lost):
            return f"the plan changes {loss.table.qualified} in other ways first"
        if loss.kind == "columns" and self._goes(lost):
            return f"the plan drops {loss.table.qualified} afterwards, with whatever is parked in it"
        losses = [loss] if loss.kind == "table" else [replace(loss, columns=(column,)) for column in loss.columns]
        if not all(self.keeper.remade([s.sql for s in self.back], one) for one in losses):
            return f"the way back does not make {loss.table.qualified} again in a statement of its own"
        texts = self.keeper.parked(loss, key=self.key, n=number, schema=self.schema)
        return texts if isinstance(texts, str) else list(zip(losses, texts, strict=True))

    def _changed(self, lost: Lost) -> bool:
        """Whether the plan did anything else to the table before."""
        name = lost.loss.table.qualified
        concerned = [
            finding
            for findings in self.found[: lost.at]
            for finding in findings
            if any(f"{each}.".startswith(f"{name}.") for each in finding.objects)
        ]
        whole = lost.loss.kind == "table" and self.schema.table(name) != lost.loss.table
        return whole or any(finding.rule.effects and finding.rule.id not in _HARMLESS for finding in concerned)

    def _goes(self, lost: Lost) -> bool:
        """Whether the plan drops the table, or its schema, later."""
        names = {lost.loss.table.qualified, lost.loss.table.schema}
        later = (finding for findings in self.found[lost.end :] for finding in findings)
        return any(finding.rule.id in _WHOLE and names & {*finding.objects} for finding in later)

    def _before(self, loss: Loss) -> Table:
        """The table without the indexes that the plan dropped already: those the way back makes again."""
        gone = {
            each.rpartition(".")[2]
            for findings in self.found
            for finding in findings
            if finding.rule.id in _HARMLESS and finding.rule.of == "index"
            for each in finding.objects
        }
        return replace(loss.table, indexes=tuple(index for index in loss.table.indexes if index.name not in gone))


def come_back(statements: list[Statement], loss: Loss, texts: Texts, keeper: Keeper) -> None:
    """Put what was parked in the place of the statement that makes it again, and leave out what makes parts of it."""
    at, *parts = keeper.remade([statement.sql for statement in statements], loss)
    like = statements[at]
    moved = [replace(like, sql=sql, kind="restore", parameters=()) for sql in texts.instead]
    for place in sorted(parts, reverse=True):
        del statements[place]
    at -= sum(place < at for place in parts)
    statements[at : at + 1] = moved
