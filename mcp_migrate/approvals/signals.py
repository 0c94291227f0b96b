"""Does a file or an address outside say that a target is frozen? What cannot be asked counts as saying so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcp_migrate.settings import Settings, matches
from mcp_migrate.settings.workflow import FreezeSignal

_WORD, _LOOKED_AT = "freeze", 4096


@dataclass(frozen=True, slots=True)
class Signal:
    """Who says so, and in which words."""

    source: str
    reason: str


def signalled(target: str, settings: Settings) -> Signal | None:
    """The first of the configuration's `freezes` that holds for `target` now."""
    said = (_asked(signal) for signal in settings.freezes if matches(target, signal.targets))
    return next((each for each in said if each is not None), None)


def _asked(signal: FreezeSignal) -> Signal | None:
    source = str(signal.file or signal.url)
    text = _file(signal.file) if signal.file else _address(str(signal.url), signal.within)
    if text is None:
        return Signal(source, "it cannot be asked, and that counts as a freeze")
    lines = text.strip().splitlines() or [""]
    word, _, rest = lines[0].partition(" ")
    return Signal(source, rest.strip()[:200] or "it says so") if word.rstrip(":").casefold() == _WORD else None


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
