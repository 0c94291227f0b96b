"""What is on the page of one request? The first screen answers; below it stands what the answers rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mcp_migrate.approvals.summary import (
    OURS,
    danger,
    is_mild,
    is_ours,
    rehearsed,
    unmet,
    used_by,
    warned,
    way_back,
    what_it_costs,
    why_asked,
    worst_first,
)
from mcp_migrate.ledger import Event, Kind
from mcp_migrate.signers.statements import uncoverable
from mcp_migrate.tools.approval_status import request_status
from mcp_migrate.web.desk import Desk
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
    worst = worst_first(body["effects"])
    target = desk.settings.targets.get(body["target"] or "")
    return {
        "body": body,
        "plan": plan,
        "status": status,
        "asked_at": request.at,
        "shown_at": now.isoformat(),
        "left": datetime.fromisoformat(body["expires_at"]) - now,
        "tier": str(target.tier) if target else "",
        "headline": _HEADLINES.get(worst[0] if worst else "read", "Nobody can say for sure what it does"),
        "worst": worst,
        "lost": lost(body),
        "back": way_back(plan["reverse"], body),
        "costs": what_it_costs(body["judgements"]),
        "rehearsed": rehearsed(body.get("rehearsal")),
        "unmet": unmet(body),
        "warned": warned(body, status),
        "database": [f"{part}: {value}" for part, value in (body.get("identity") or {}).items()],
        "why": why_asked(body),
        "used_by": used_by(body),
        "tables": tables(body),
        "statements": statements(plan["statements"], body["judgements"], number),
        "questions": questions(body),
        "coverable": uncoverable(body) is None,
        "earlier": tuple(earlier(desk, request)),
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


def tables(body: Body) -> list[dict[str, Any]]:
    """The tables around what is concerned, each column with the worst that happens to it; new ones come last."""
    marks, drawn = _marks(body), []
    for each in body.get("neighbourhood", ()):
        columns = [{**column, "mark": marks.get(column["object"]), "new": False} for column in each["columns"]]
        there = {column["object"] for column in columns}
        new = [name for name in marks if name.rpartition(".")[0] == each["table"] and name not in there]
        columns += [_new(name, marks[name]) for name in new if each["concerned"]]
        drawn.append({**each, "columns": columns, "mark": marks.get(each["table"])})
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
