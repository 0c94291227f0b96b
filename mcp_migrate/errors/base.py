"""What does every refusal and failure say, and what should happen next?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self


class Action(StrEnum):
    """What the caller should do next (the ``next.action`` of a result)."""

    AWAIT_APPROVAL = "await_approval"
    REPLAN = "replan"
    FIX_REVISION = "fix_revision"
    NARROW_PLAN = "narrow_plan"
    ASK_OWNER = "ask_owner"
    ASK_ADMIN = "ask_admin"
    AGAIN = "again"
    APPLY = "apply"
    VALIDATE = "validate"
    NONE = "none"


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
