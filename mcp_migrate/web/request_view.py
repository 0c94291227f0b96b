"""What is on the page of one request? The first screen answers; below it stands what the answers rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mcp_migrate.approvals.summary import (
    OURS,
    danger,
    is_mild,
    is_ours,
    rehearsed,
    since_it_began,
    unexplained,
    unmet,
    used_by,
    warned,
    way_back,
    what_it_costs,
    why_asked,
    words_of_tool,
    worst_first,
)
from mcp_migrate.ledger import Event, Kind
from mcp_migrate.signers.statements import uncoverable
from mcp_migrate.tools.approval_status import request_status
from mcp_migrate.web.desk import Desk
from mcp_migrate.web.signatures import Signer, signers
from mcp_migrate.web.weighing import questions

PAGE = 25
"""Statements on one page."""
_FIRST = 4
"""Losses told on the first screen; the statements tell all."""
_EARLIER = 5
_LOOKED_AT = 200
"""Decisions looked through for earlier ones on the same target."""
_LOSES = frozenset({"destructive", "data", "unknown"})

_HEADLINES = {
    "privilege": "It changes who may do what",
    "destructive": "It destroys what is there now",
    "unknown": "Nobody can say for sure what it does",
    "breaking": "It breaks code that is running now",
    "blocking": "It keeps others waiting",
    "data": "It changes rows",
    "additive": "It only adds",
    "read": "It only reads",
}

Body = Mapping[str, Any]


def view(desk: Desk, request: Event, *, number: int = 1) -> dict[str, Any]:
    """Everything that the page shows; `number` is the page of statements."""
    now, body = desk.clock(), request.body
    plan = body["plan"] or {"statements": [], "reverse": {"statements": []}, "doubts": [], "dialect": "sqlite"}
    status = request_status(request, desk.ledger, desk.settings, now=now)
    worst, among = worst_first(body["effects"]), signers(desk)
    target = desk.settings.targets.get(body["target"] or "")
    return {
        "body": body,
        "plan": plan,
        "status": status,
        "asked_at": request.at,
        "shown_at": now.isoformat(),
        "left": datetime.fromisoformat(body["expires_at"]) - now,
        "tier": str(target.tier) if target else "",
        "headline": _headline(body, worst),
        "unexplained": unexplained(body),
        "since": since_it_began(body),
        "worst": worst,
        "lost": lost(body),
        "back": way_back(plan["reverse"], body),
        "costs": what_it_costs(body["judgements"]),
        "rehearsed": rehearsed(body),
        "unmet": unmet(body),
        "warned": warned(body, status),
        "database": [f"{part}: {value}" for part, value in (body.get("identity") or {}).items()],
        "why": why_asked(body),
        "words_of_tool": words_of_tool(body),
        "used_by": used_by(body),
        **pictures(body),
        "statements": statements(plan["statements"], body["judgements"], number),
        "questions": questions(body),
        "coverable": uncoverable(body) is None,
        "earlier": tuple(earlier(desk, request)),
        "signers": among,
        "alone": alone(desk, request, among),
    }


def _headline(body: Body, worst: Sequence[str]) -> str:
    if body.get("purpose") == "reconcile":
        return "A change without a record" if body["subject"]["reconciles"] else "The first state of it to be recorded"
    return _HEADLINES.get(worst[0] if worst else "read", "Nobody can say for sure what it does")


def alone(desk: Desk, request: Event, among: Sequence[Signer]) -> dict[str, Any]:
    """Who may break the glass, with which keys, and how many signatures of that sort are there."""
    glass = desk.settings.break_glass
    people = glass.people if glass else ()
    return {
        "people": people,
        "levels": glass.assurance if glass else (),
        "signers": [each for each in among if each.reviewer in people],
        "signed": len(desk.ledger.find(Kind.APPROVAL_BROKEN, request.body["request_id"])),
    }


def lost(body: Body) -> dict[str, Any]:
    """What is gone afterwards: the worst few reasons, how many more there are, and the rows that are there now."""
    hurting = [judged for judged in body["judgements"] if _LOSES & set(judged["effects"])]
    ordered = sorted(hurting, key=danger)
    return {
        "reasons": [(judged["n"], judged["why"]) for judged in ordered[:_FIRST]],
        "more": max(0, len(ordered) - _FIRST),
        "rows": body["rows"],
    }


def pictures(body: Body) -> dict[str, Any]:
    """The tables now, and those that change as the rehearsal left them: side by side where both are known."""
    later = (body.get("rehearsal") or {}).get("after", ())
    now = tables(body, with_new=not later)
    if not later:
        return {"tables": now, "pairs": []}
    after = {each["table"]: _drawn(each, each["columns"]) for each in later}
    before = {each["table"]: each for each in now}
    changing = [name for name in {**before, **after} if any(_is_concerned(name, side) for side in (before, after))]
    beside = [each for name, each in before.items() if name not in changing]
    return {"tables": beside, "pairs": [(name, before.get(name), after.get(name)) for name in changing]}


def _is_concerned(name: str, side: Mapping[str, Body]) -> bool:
    return name in side and bool(side[name]["concerned"])


def _drawn(table: Body, columns: Iterable[Body], *, mark: str | None = None) -> dict[str, Any]:
    """A table with all that a picture may say of it: the worst that happens to each part, and what became of it."""
    blank = {"mark": None, "new": False, "change": None}
    return {**blank, **table, "mark": mark, "columns": [{**blank, **column} for column in columns]}


def tables(body: Body, *, with_new: bool) -> list[dict[str, Any]]:
    """The tables around what is concerned, each column with the worst that happens to it; new ones come last."""
    marks, drawn = _marks(body), []
    for each in body.get("neighbourhood", ()):
        columns = [{**column, "mark": marks.get(column["object"])} for column in each["columns"]]
        there = {column["object"] for column in columns}
        new = [name for name in marks if name.rpartition(".")[0] == each["table"] and name not in there]
        columns += [_new(name, marks[name]) for name in new if each["concerned"] and with_new]
        drawn.append(_drawn(each, columns, mark=marks.get(each["table"])))
    return drawn


def _new(name: str, mark: str) -> dict[str, Any]:
    return {"name": name.rpartition(".")[2], "type": "", "keys": "", "mark": mark, "new": True}


def _marks(body: Body) -> dict[str, str]:
    """The worst that happens to each object."""
    found: dict[str, set[str]] = {}
    for judged in body["judgements"]:
        for name in judged["objects"]:
            found.setdefault(name, set()).update(judged["effects"])
    return {name: worst_first(effects)[0] for name, effects in found.items() if effects}


def statements(frozen: Sequence[Body], judged: Sequence[Body], number: int) -> dict[str, Any]:
    """One page of the statements, the worst first, those that only keep our books last."""
    why = {judgement["n"]: judgement for judgement in judged}
    ordered = sorted(frozen, key=lambda item: _place(item, why.get(item["n"])))
    pages = max(1, -(-len(ordered) // PAGE))
    number = min(max(number, 1), pages)
    shown = ordered[(number - 1) * PAGE : number * PAGE]
    return {
        "count": len(ordered),
        "page": number,
        "pages": pages,
        "items": [one(item, why.get(item["n"])) for item in shown],
    }


def one(item: Body, judgement: Body | None) -> dict[str, Any]:
    """One statement with what is said of it."""
    said = judgement or {"effects": [], "objects": [], "why": "Nothing was said of this statement.", "safer": None}
    effects = worst_first(said["effects"])
    return {
        "n": item["n"],
        "sql": item["sql"],
        "parameters": item["parameters"],
        "effects": effects,
        "mark": "" if effects else OURS.get(item["kind"], "nothing"),
        "mild": is_mild(judgement),
        "ours": is_ours(item, judgement),
        "why": said["why"],
        "objects": said["objects"],
        "lock": said.get("lock"),
        "safer": said["safer"],
    }


def earlier(desk: Desk, request: Event) -> list[dict[str, Any]]:
    """The last decisions on the same target, about other requests; each said with its reason, none verified anew."""
    found: list[dict[str, Any]] = []
    for decided in desk.ledger.last(Kind.APPROVAL_DECIDED, limit=_LOOKED_AT):
        asked = desk.ledger.find(Kind.APPROVAL_REQUESTED, str(decided.subject))
        said = decided.body.get("statement")
        if not asked or not isinstance(said, Mapping) or decided.subject == request.subject:
            continue
        if asked[0].body["target"] == request.body["target"]:
            found.append({"at": decided.at, "request_id": decided.subject, "said": said, "body": asked[0].body})
        if len(found) == _EARLIER:
            break
    return found


def _place(item: Body, judgement: Body | None) -> tuple[bool, int, int]:
    return is_ours(item, judgement) or item["kind"] == "version", danger(judgement), item["n"]
