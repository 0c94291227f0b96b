"""What do a file, an address or people say now: that a target is frozen, or that a scope is open?

What cannot be asked says what allows less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mcp_migrate.leave.scoping import asked, outside
from mcp_migrate.model import Call
from mcp_migrate.settings import Settings, matches
from mcp_migrate.settings.workflow import FreezeSignal, While

_FREEZE, _OPEN, _LOOKED_AT = "freeze", "open", 4096


@dataclass(frozen=True, slots=True)
class Signal:
    """Who says that a target is frozen, and in which words."""

    source: str
    reason: str


def signalled(target: str, settings: Settings) -> Signal | None:
    """The first of the configuration's `freezes` that holds for `target` now."""
    said = (_frozen(signal) for signal in settings.freezes if matches(target, signal.targets))
    return next((each for each in said if each is not None), None)


def opened(
    call: Call, settings: Settings, *, scope_name: str, approved: Callable[[], bool] = lambda: False
) -> frozenset[int]:
    """The scopes of the caller's workflow, by index, that fit the call and whose `while` says `open` now.

    `approved` says whether an approval with the call's ticket is open.
    """
    _name, workflow = settings.workflow_of(call.principal)
    what = asked(call, settings, scope_name=scope_name)
    fitting = (
        (i, scope.while_) for i, scope in enumerate(workflow.scopes) if outside(scope, what, opened=True) is None
    )
    return frozenset(
        index
        for index, signal in fitting
        if signal is not None and (approved() if signal.approval else _is_open(signal, call.ticket))
    )


def _frozen(signal: FreezeSignal) -> Signal | None:
    text = _file(signal.file) if signal.file else _address(str(signal.url), signal.within)
    if text is None:
        return Signal(signal.source, "it cannot be asked, and that counts as a freeze")
    word, reason = _split(text)
    return Signal(signal.source, reason[:200] or "it says so") if word == _FREEZE else None


def _is_open(signal: While, ticket: str | None) -> bool:
    place = signal.source
    if "{ticket}" in place:
        if not (ticket or "").strip("."):  # dots alone are the folder above
            return False
        place = place.replace("{ticket}", quote(str(ticket), safe=""))
    text = _file(Path(place)) if signal.file else _address(place, signal.within)
    return text is not None and _split(text)[0] == _OPEN


def _split(text: str) -> tuple[str, str]:
    """The first word of the first line, and the rest of that line."""
    word, _, rest = next(iter(text.strip().splitlines()), "").partition(" ")
    return word.rstrip(":").casefold(), rest.strip()


def _file(path: Path) -> str | None:
    """Its beginning; a file that is not there says nothing."""
    try:
        with path.open("rb") as opened:
            return opened.read(_LOOKED_AT).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError:
        return None


def _address(url: str, within: float) -> str | None:
    import httpx2  # loads where an address is configured

    try:
        answer = httpx2.get(url, timeout=within, follow_redirects=False)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return None
    return answer.text[:_LOOKED_AT] if answer.is_success else None
