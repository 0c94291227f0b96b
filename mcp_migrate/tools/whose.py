"""Whose are the applies that a plan takes back? What a workflow applied is that workflow's to take back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mcp_migrate.errors import NotPermittedError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.ledger.walking import walk
from mcp_migrate.model import Granted, Plan
from mcp_migrate.tools.applies import Apply, find_apply


def refuse_others(applies: Iterable[Apply], granted: Granted) -> None:
    """Refuse to take back what another workflow applied, and the rows that were kept of it.

    Raises:
        NotPermittedError: one of them is another's.
    """
    for apply in applies:
        if apply.started.workflow != granted.workflow:
            raise NotPermittedError(
                f"{apply.apply_id} was applied by workflow {apply.started.workflow!r}, not {granted.workflow!r}.",
                hint="A principal of that workflow has to take it back. Tell the person you work for.",
                apply_id=apply.apply_id,
            )


def taken_back(ledger: Ledger, back: Plan) -> list[Apply]:
    """The applies that the downgrades of a plan take back: of each of its revisions, the last that made it.

    All steps are looked through: one that nobody remembers would be taken for nobody's.
    """
    revisions, last = {statement.revision for statement in back.statements}, dict[str, Apply]()
    for apply in _forward(ledger, back.target):
        made = {statement["revision"] for statement in apply.started.body["plan"]["statements"]}
        if made & revisions and not (apply.outcome and apply.outcome["status"] == "failed"):
            last |= dict.fromkeys(made & revisions, apply)
    return list({apply.apply_id: apply for apply in last.values()}.values())


def _forward(ledger: Ledger, target: str) -> Iterator[Apply]:
    """The applies on a target that took nothing back, oldest first."""
    for event in walk(ledger, kind=Kind.STEP_STARTED):
        said = event.body
        if said["plan"] and said["target"] == target and not Plan.thaw(said["plan"]).goes_back:
            yield find_apply(ledger, str(event.subject))
