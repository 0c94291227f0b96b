"""What does every refusal and failure say, and what should happen next?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self


class Action(StrEnum):
    """What the caller should do next (the ``next.action`` of a result)."""

    AWAIT_APPROVAL = "await_approval"
    """Tell the person you work for who has to decide; then make the same call again."""
    REPLAN = "replan"
    """Call migration_plan, and go on with what it answers."""
    FIX_REVISION = "fix_revision"
    """Change the revision, then plan."""
    NARROW_PLAN = "narrow_plan"
    """Plan something that does less."""
    ASK_OWNER = "ask_owner"
    """Tell the person you work for: the owner of the workflow decides about it."""
    ASK_ADMIN = "ask_admin"
    """Tell the person you work for: it is in the set-up of the server or the target, which no agent can mend."""
    AGAIN = "again"
    """Make the same call again, in a moment."""
    APPLY = "apply"
    """Call migration_apply with the plan."""
    VALIDATE = "validate"
    """Call migration_validate with the apply."""
    NONE = "none"
    """Nothing in particular: the hint says what there is."""


class MigrateError(Exception):
    """A refusal or failure the caller can act on.

    ``sentence`` says what was got and what was expected; ``hint`` says what to do next; ``details`` are JSON.
    """

    code: ClassVar[str]
    action: Action = Action.NONE

    def __init__(self, sentence: str, *, hint: str, **details: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        self.details: Mapping[str, Any] = details

    def then(self, action: Action) -> Self:
        """The same error, at a place where another step comes next than mostly with its code."""
        self.action = action
        return self

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}"
