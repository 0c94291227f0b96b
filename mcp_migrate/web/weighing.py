"""What has to be looked at before a yes? The name of what cannot come back, and a number for each loss.

The answers are all on the page, elsewhere than the question. They stop a click that nobody thought about; what decides
is the signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.approvals.safe import one_line
from mcp_migrate.approvals.summary import worst_first
from mcp_migrate.errors import InvalidArgumentsError

ONE_BY_ONE = 10
"""Losses that are asked about each for itself; of more, their number is asked as well."""
RUNS = frozenset({"approve", "break-glass"})
"""The verdicts after which something may run: they are weighed."""
_LOSES = frozenset({"destructive", "data", "unknown"})

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One field of the form: what is asked, and the only answer that is taken."""

    field: str
    asks: str
    answer: str
    numeric: bool = True


def questions(body: Body) -> tuple[Question, ...]:
    """What is asked before this request can be approved."""
    destroying = [judged for judged in body["judgements"] if "destructive" in judged["effects"]]
    asked = [_loss(judged, body["rows"]) for judged in destroying[:ONE_BY_ONE]]
    if len(destroying) > ONE_BY_ONE:
        asked.append(Question("all", "How many statements destroy something?", str(len(destroying))))
    return (*_name(body), *asked)


def refuse_unweighed(body: Body, form: Mapping[str, str]) -> None:
    """Refuse an approval whose questions were not answered. Raises: InvalidArgumentsError."""
    for question in questions(body):
        if _plain(form.get(question.field, "")) != _plain(question.answer):
            raise InvalidArgumentsError(
                f"This was not answered as the page says: {question.asks}", hint="Go back and look it up."
            )


def destroying_objects(body: Body) -> Iterator[str]:
    """What the worst statements are about, each object once."""
    worst = next(iter(worst_first(body["effects"])), None)
    named = [name for judged in body["judgements"] if worst in judged["effects"] for name in judged["objects"]]
    yield from dict.fromkeys(named or body["objects"])


def cannot_come_back(body: Body) -> bool:
    """Whether a rollback would not bring back all that is there now."""
    plan = body["plan"]
    loses = bool(_LOSES & set(body["effects"]))
    if plan is None:
        return loses
    undo = plan.get("undo")
    return not plan["reverse"].get("available") or (loses and not (undo and undo["restores_data"]))


def _name(body: Body) -> Iterator[Question]:
    if cannot_come_back(body):
        named = one_line(next(destroying_objects(body), body["target"] or body["tool"]))
        why = "Nothing takes it back here" if body.get("purpose") == "reconcile" else "This cannot be undone"
        yield Question("name", f"{why}. Type the name of what is concerned:", named, numeric=False)


def _loss(judged: Body, rows: Mapping[str, int]) -> Question:
    """Rows of the table where they were counted; else the number that the statement has."""
    held = next(((table, rows[table]) for name in judged["objects"] for table in rows if _within(name, table)), None)
    if held is not None:
        return Question(f"loss{judged['n']}", f"{judged['why']} How many rows does {held[0]} hold now?", str(held[1]))
    return Question(f"loss{judged['n']}", f"{judged['why']} Which number has this statement?", str(judged["n"]))


def _within(name: str, table: str) -> bool:
    return name == table or name.startswith(f"{table}.")


def _plain(text: str) -> str:
    """Numbers may be written with separators."""
    bare = text.strip()
    digits = bare.replace(",", "").replace(" ", "")
    return digits if digits.isdecimal() else bare
