"""How does a reviewer's answer get from the page to the record? As a signature over the exact statement, or not."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from mcp_migrate.approvals import deciding
from mcp_migrate.approvals.standing import Standing, standing
from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError
from mcp_migrate.ledger import Event
from mcp_migrate.settings.values import seconds
from mcp_migrate.signers.interface import NAMESPACE
from mcp_migrate.signers.statements import Verdict
from mcp_migrate.web.desk import Desk
from mcp_migrate.web.signatures import Signer, chosen, refuse_odd, shown, signers, taken
from mcp_migrate.web.weighing import RUNS, refuse_unweighed

_REASON = 500
"""Characters of a reason."""


def draft(desk: Desk, request: Event, form: Mapping[str, str]) -> dict[str, Any]:
    """The statement to sign, as the page shows it.

    Raises:
        InvalidArgumentsError: the form does not say who decides what, or what was to be looked up.
        ApprovalExpiredError, ApprovalDeniedError, ApprovalInvalidError: nothing is left to decide.
    """
    now, stands = desk.clock(), standing(request, desk.ledger, desk.settings)
    verdict, reason = _verdict(form), form.get("reason", "").strip()
    _refuse_ended(verdict, stands, desk.ledger.no_earlier(now, since=request))
    signer = chosen(signers(desk), form)
    if verdict != "approve" and not reason:
        raise InvalidArgumentsError(f"To {verdict} needs a reason.", hint="Go back and say why: others will read it.")
    refuse_odd(reason, "reason", longest=_REASON)
    if verdict in RUNS:
        refuse_unweighed(request.body, form)
    said = deciding.draft(
        request,
        verdict,
        reviewer=str(signer.reviewer),
        key=signer,
        reason=reason or None,
        lifts=[denial.nonce for denial in stands.binding],
        rollback_for=_cover(form) if verdict == "approve" else None,
        ledger=desk.ledger,
        now=now,
        nonce=secrets.token_hex(16),
    )
    back = f"/requests/{said['request_id']}"
    told = (request.body["target"] or "No target", said["request_id"], f"“{reason}”" if reason else "")
    return {
        **shown(said, signer, namespace=NAMESPACE),
        "verdict": verdict,
        "subject": " · ".join(filter(None, told)),
        "back": back,
        "to": f"{back}/decision",
        "in_one_go": _in_one_go(said),
    }


def opened(desk: Desk, request: Event, signer: Signer, form: Mapping[str, str]) -> None:
    """Note since when this reviewer had the page before them, for the report. Raises: InvalidArgumentsError."""
    now = desk.clock()
    try:
        shown_at = datetime.fromisoformat(form.get("shown_at", now.isoformat())).astimezone(UTC)
    except ValueError as error:
        raise InvalidArgumentsError("The form says no time.", hint="Load the page again.") from error
    deciding.opened(request, str(signer.reviewer), desk.ledger, shown_at=shown_at, now=now)


def record(desk: Desk, request: Event, form: Mapping[str, str]) -> None:
    """Take what came back signed, by whatever verdict it says.

    Raises:
        ApprovalInvalidError, SelfApprovalError: it does not hold.
        ApprovalExpiredError, ApprovalDeniedError: nothing is left to decide.
    """
    decision = taken(desk, form)
    takes = {"reopen": deciding.reopen, "break-glass": deciding.break_glass}
    take = takes.get(str(decision["statement"].get("decision")), deciding.decide)
    take(decision, request, desk.settings, desk.ledger, now=desk.clock())


def _verdict(form: Mapping[str, str]) -> Verdict:
    known: tuple[Verdict, ...] = get_args(Verdict)
    said = next((each for each in known if each == form.get("verdict")), None)
    if said is None:
        raise InvalidArgumentsError("The form says neither yes nor no.", hint="Go back and choose one.")
    return said


def _refuse_ended(verdict: Verdict, stands: Standing, now: datetime) -> None:
    if verdict != "reopen":
        deciding.refuse_ended(stands.status(now))
    elif not stands.binding:
        raise ApprovalInvalidError("No denial of this request stands.", hint="Nothing is left to reopen.")


def _in_one_go(said: Mapping[str, Any]) -> str:
    """The command that decides without the page."""
    words = ["mcp-migrate", "approvals", said["decision"], said["request_id"]]
    words += ["--reason", said["reason"]] if said["decision"] != "approve" else []
    if "rollback_until" in said:
        lasts = datetime.fromisoformat(said["rollback_until"]) - datetime.fromisoformat(said["not_before"])
        words += ["--covers-rollback", f"{lasts.total_seconds():g}s"]
    return f"{shlex.join(words)} --key ~/.ssh/id_ed25519"


def _cover(form: Mapping[str, str]) -> timedelta | None:
    """For how long the rollback is approved as well; None unless that was ticked. Raises: InvalidArgumentsError."""
    if "covers_rollback" not in form:
        return None
    try:
        return timedelta(seconds=seconds(form.get("covers_for", "")))
    except ValueError as error:
        raise InvalidArgumentsError("The form says no time for the rollback.", hint="Load the page again.") from error
