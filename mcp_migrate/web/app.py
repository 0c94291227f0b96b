"""Which pages are there, and what does each need?"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mcp_migrate.approvals.owning import owned
from mcp_migrate.approvals.reviewers import of_no_account
from mcp_migrate.errors import (
    ApprovalInvalidError,
    InvalidArgumentsError,
    LedgerUnavailableError,
    MigrateError,
    RequestNotFoundError,
)
from mcp_migrate.ledger import Event, Kind
from mcp_migrate.web import enrolling, signing
from mcp_migrate.web.desk import Desk
from mcp_migrate.web.guard import Guard
from mcp_migrate.web.inbox import Row
from mcp_migrate.web.pages import page, static
from mcp_migrate.web.proving import proof_of
from mcp_migrate.web.request_view import one, view

_PER_PAGE = 25
_FIELDS = 50
_MOST_DAYS = 3650
_WORD = 200
"""Characters of what somebody looks for."""
_SESSION = "mcp_migrate_session"
_STATUS: Mapping[type[MigrateError], int] = {RequestNotFoundError: 404, LedgerUnavailableError: 503}


def build(desk: Desk) -> ASGIApp:
    """The pages of one desk, behind their guard."""
    pages = Pages(desk)
    app = Starlette(
        routes=[
            Route("/", pages.inbox),
            Route("/history", pages.history),
            Route("/ledger", pages.ledger),
            Route("/ledger/{seq:int}", pages.entry),
            Route("/workflows", pages.workflows),
            Route("/requests/{request_id}", pages.request),
            Route("/requests/{request_id}/statements/{n:int}", pages.statement),
            Route("/requests/{request_id}/sign", pages.sign, methods=["POST"]),
            Route("/requests/{request_id}/decision", pages.decide, methods=["POST"]),
            Route("/reviewers", pages.reviewers),
            Route("/reviewers/sign", pages.sign_enrolment, methods=["POST"]),
            Route("/reviewers/record", pages.record_enrolment, methods=["POST"]),
            Route("/enrol", pages.enrol_somebody),
            Route("/enrol/{name}", pages.enrol),
            Route("/enrol/{name}", pages.enrolled, methods=["POST"]),
            Route("/static/{name}", lambda request: static(request.path_params["name"])),
        ],
        exception_handlers={MigrateError: _refused, 404: _not_found},
    )
    return Guard(app, desk.origins)


class Pages:
    """One method for each page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def inbox(self, request: Request) -> Response:
        """What waits, the most urgent first."""
        now = self._desk.clock()
        waiting = self._desk.inbox.waiting(now)
        return page("inbox", now=now, **_paged(waiting, request))

    def history(self, request: Request) -> Response:
        """Every request there was, the newest first, or those in which a word stands."""
        now, word = self._desk.clock(), request.query_params.get("q", "").strip()[:_WORD]
        rows = [row for row in self._desk.inbox.all() if row.holds(word, now)]
        return page("history", now=now, q=word, **_paged(rows, request))

    def ledger(self, request: Request) -> Response:
        """What is on the record, oldest first from an entry on: all, or one kind, or what is about one subject."""
        since, kind = _number(request, "since", 0), request.query_params.get("kind", "")
        about = request.query_params.get("about", "").strip()[:_WORD]
        head = self._desk.ledger.head()
        events = self._entries(since, kind if kind in set(Kind) else "", about)
        sifted: dict[str, Any] = {"kind": kind, "about": about, "kinds": sorted(Kind)}
        return page("ledger", events=events, since=since, head=head, step=_PER_PAGE, **sifted)

    def _entries(self, since: int, kind: str, about: str) -> Sequence[Event]:
        if not about:
            return self._desk.ledger.read(since=since, kind=kind or None, limit=_PER_PAGE)
        found = [event for each in ([kind] if kind else Kind) for event in self._desk.ledger.find(each, about)]
        return sorted((event for event in found if event.seq >= since), key=lambda event: event.seq)[:_PER_PAGE]

    def entry(self, request: Request) -> Response:
        """One entry, whole, with the hashes that hold it."""
        seq = request.path_params["seq"]
        event = next(iter(self._desk.ledger.read(since=seq, limit=1)), None) if seq < 2**63 else None
        if event is None or event.seq != seq:
            raise RequestNotFoundError(
                "The ledger has no such entry, or it was purged.", hint="The ledger's page lists them."
            )
        ledger = self._desk.ledger
        return page("entry", event=event, size=ledger.head().size, proof=proof_of(event, ledger))

    def workflows(self, request: Request) -> Response:
        """What each workflow did lately, for the person who answers for it."""
        days, now = min(max(_number(request, "days", 30), 1), _MOST_DAYS), self._desk.clock()
        told = owned(self._desk.settings, self._desk.ledger, since=now - timedelta(days=days), now=now)
        return page("workflows", workflows=told, days=days)

    def request(self, request: Request) -> Response:
        """One request: what is asked, what it means, and the form to decide."""
        asked = self._asked(request)
        shown = view(self._desk, asked, number=_number(request, "page", 1))
        return self._with_form(request, "request", **shown)

    def statement(self, request: Request) -> Response:
        """One statement, whole."""
        body, n = self._asked(request).body, request.path_params["n"]
        plan = body["plan"] or {"statements": [], "dialect": "sqlite"}
        item = next((item for item in plan["statements"] if item["n"] == n), None)
        if item is None:
            raise RequestNotFoundError("The plan has no such statement.", hint="The request lists them.")
        judgement = next((each for each in body["judgements"] if each["n"] == n), None)
        return page("statement", body=body, plan=plan, item=one(item, judgement))

    def enrol_somebody(self, request: Request) -> Response:
        """To the page of whoever was named."""
        return RedirectResponse(f"/enrol/{enrolling.known(request.query_params.get('name', ''))}", 303)

    def enrol(self, request: Request) -> Response:
        """Where a person makes a passkey."""
        name, session = enrolling.known(request.path_params["name"]), _session(request)
        asked = enrolling.asked(self._desk, name, self._desk.form_mark(session), host=request.headers["host"])
        signing = enrolling.may_sign(self._desk)
        return self._with_form(request, "enrol", session, name=name, asked=asked, line="", signers=signing)

    async def enrolled(self, request: Request) -> Response:
        """The passkey's line, which somebody has to let in."""
        name, form = enrolling.known(request.path_params["name"]), await self._form(request)
        host = request.headers["host"]
        made = await run_in_threadpool(lambda: enrolling.made(self._desk, name, form, host=host))
        signing = enrolling.may_sign(self._desk)
        return page(
            "enrol", name=name, mark=form["mark"], line=made.line, fingerprint=made.fingerprint, signers=signing
        )

    def reviewers(self, request: Request) -> Response:
        """Who may decide, and who let them in."""
        people, signing = enrolling.people(self._desk), enrolling.may_sign(self._desk)
        without = of_no_account(self._desk.settings, self._desk.ledger)
        return self._with_form(request, "reviewers", people=people, signers=signing, without=without)

    async def sign_enrolment(self, request: Request) -> Response:
        """The exact statement that lets a key in or takes it out, and how to sign it."""
        form = await self._form(request)
        drafted = await run_in_threadpool(lambda: enrolling.draft(self._desk, form))
        return page("sign", mark=form["mark"], **drafted)

    async def record_enrolment(self, request: Request) -> Response:
        """Take the signature."""
        form = await self._form(request)
        await run_in_threadpool(lambda: enrolling.record(self._desk, form))
        return RedirectResponse("/reviewers", 303)

    async def sign(self, request: Request) -> Response:
        """The exact statement, and how to sign it."""
        return await self._posted(request, self._sign)

    async def decide(self, request: Request) -> Response:
        """Take the signature."""
        return await self._posted(request, self._decide)

    def _sign(self, asked: Event, form: Mapping[str, str]) -> Response:
        drafted = signing.draft(self._desk, asked, form)
        signing.opened(self._desk, asked, drafted["signer"], form)
        return page("sign", mark=form["mark"], **drafted)

    def _decide(self, asked: Event, form: Mapping[str, str]) -> Response:
        signing.record(self._desk, asked, form)
        return RedirectResponse(f"/requests/{asked.body['request_id']}#decisions", 303)

    async def _posted(self, request: Request, handle: Callable[[Event, Mapping[str, str]], Response]) -> Response:
        form = await self._form(request)
        return await run_in_threadpool(lambda: handle(self._asked(request), form))

    async def _form(self, request: Request) -> Mapping[str, str]:
        form = _form(await request.body())
        if not self._desk.is_ours(request.cookies.get(_SESSION, ""), form.get("mark", "")):
            raise ApprovalInvalidError("This form is not one of ours, or an old one.", hint="Load the page again.")
        return form

    def _with_form(self, request: Request, template: str, session: str | None = None, **values: Any) -> Response:
        """A page whose form only this browser session can send."""
        session = session or _session(request)
        answer = page(template, mark=self._desk.form_mark(session), **values)
        protected = self._desk.named(request.headers["host"]).startswith("https:")
        answer.set_cookie(_SESSION, session, httponly=True, samesite="strict", secure=protected)
        return answer

    def _asked(self, request: Request) -> Event:
        return self._desk.request(request.path_params["request_id"])


def _session(request: Request) -> str:
    return request.cookies.get(_SESSION) or secrets.token_urlsafe(32)


def _form(raw: bytes) -> dict[str, str]:
    """The fields of a form, each once. Raises: InvalidArgumentsError."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError as error:
        raise InvalidArgumentsError("The form cannot be read.", hint="Load the page again.") from error
    if len(dict(pairs)) != len(pairs):
        raise InvalidArgumentsError("The form says something twice.", hint="Load the page again.")
    return dict(pairs)


def _paged(rows: Sequence[Row], request: Request) -> dict[str, Any]:
    pages = max(1, -(-len(rows) // _PER_PAGE))
    number = min(_number(request, "page", 1), pages)
    shown = rows[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    return {"rows": shown, "count": len(rows), "page": number, "pages": pages}


def _number(request: Request, name: str, least: int) -> int:
    """A number of the address, small enough for every use here."""
    said = request.query_params.get(name, "")
    return max(int(said), least) if said.isascii() and said.isdecimal() and len(said) < 16 else least  # noqa: PLR2004  far beyond any ledger


def _refused(_request: Request, error: Exception) -> Response:
    known = error if isinstance(error, MigrateError) else RequestNotFoundError("There is no such page.", hint="")
    return page("refused", http_status=_STATUS.get(type(known), 409), error=known)


def _not_found(request: Request, _error: Exception) -> Response:
    return _refused(request, RequestNotFoundError("There is no such page.", hint="The inbox lists what waits."))
