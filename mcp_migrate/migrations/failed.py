"""What is said of a child that failed, and what to do next?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.errors import Action, RenderFailedError
from mcp_migrate.migrations.child.failures import TOO_MUCH

SLOW = "no answer within"
_INTERPRETER = "the interpreter "


def failed(failure: Mapping[str, Any], output: str) -> RenderFailedError:
    """The error for what a child reported."""
    revision, file, reason = failure.get("revision"), failure.get("file"), str(failure["reason"])
    who = f"Revision {revision}" if revision else "The Alembic project"
    place = f" ({file})" if file else ""
    error = RenderFailedError(
        f"{who} could not be turned into SQL{place}: {reason.rstrip('.')}.",
        hint=_hint(revision, reason),
        revision=revision,
        file=file,
        reason=reason,
        output=output,
    )
    return error.then(Action.ASK_ADMIN) if _is_the_set_up(revision, reason) else error


def _is_the_set_up(revision: str | None, reason: str) -> bool:
    """Whether it is the configuration that has to say more, and not the project."""
    return reason.startswith(_INTERPRETER) or (revision is None and reason.startswith("KeyError"))


def _hint(revision: str | None, reason: str) -> str:
    if reason.startswith("PermissionError") or "Operation not permitted" in reason:
        return (
            "Revisions are recorded without a network, other programs, and files outside of the project. Files that "
            "the project needs go under `readable` of the target."
        )
    if reason.startswith((TOO_MUCH, SLOW)):
        return (
            "Plan fewer revisions at a time. A revision that is too much by itself is split into several, or changes "
            "rows in few statements (INSERT … SELECT, UPDATE … FROM) instead of one for each row."
        )
    if reason.startswith(_INTERPRETER):
        return "Install it there, or name another interpreter under `python` of the target."
    if revision:
        return "Fix the revision and plan again."
    if reason.startswith("KeyError"):
        return "Variables that env.py needs go under `environment` of the target; nothing else reaches it."
    return "Fix env.py or the project, try `alembic upgrade head` on an empty database, and plan again."
