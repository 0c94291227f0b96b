"""How are times and statements put on a page?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

_DIALECTS = {"postgresql": "postgres"}
_LOSES = frozenset({"DROP", "DELETE", "TRUNCATE"})
_FACT = 400
"""Characters of a fact on the first screen."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def lasts(span: timedelta) -> str:
    """A span of time in its two largest units."""
    left, parts = int(span.total_seconds()), []
    for seconds, unit in _UNITS:
        if left >= seconds:
            parts.append(f"{left // seconds} {unit}")
            left %= seconds
    return " ".join(parts[:2]) or "less than a minute"


def moment(at: str | datetime) -> str:
    """A moment to the second, in UTC."""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return known.strftime("%Y-%m-%d %H:%M:%S UTC")


def short(text: str) -> str:
    """As much of a fact as is read at a glance; the statements hold the rest."""
    return text if len(text) <= _FACT else f"{text[:_FACT].rstrip()}… ({len(text):,} characters)"


def pieces(sql: str, dialect: str) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with what it is: ``loses``, ``word``, ``text``, ``number``, ``note`` or nothing.

    Together they are `sql`, character for character: colour never changes what is read.
    """
    import sqlglot  # takes a while to load
    from sqlglot.errors import SqlglotError

    at = 0
    try:
        tokens = sqlglot.tokenize(sql, read=_DIALECTS.get(dialect, dialect))
    except SqlglotError:
        tokens = []
    for token in tokens:
        if token.start < at or token.end < token.start:
            continue  # a token that is not where it says is shown without colour
        yield from _between(sql[at : token.start])
        at = token.end + 1
        yield _kind(token.token_type.name, sql[token.start : at]), sql[token.start : at]
    yield from _between(sql[at:])


def _between(text: str) -> Iterator[tuple[str, str]]:
    if text:
        yield ("note" if text.strip() else ""), text


def _kind(name: str, text: str) -> str:
    if text.upper() in _LOSES:
        return "loses"
    if name in {"STRING", "HEREDOC_STRING", "RAW_STRING", "NATIONAL_STRING", "BYTE_STRING"}:
        return "text"
    if name == "NUMBER":
        return "number"
    return "word" if name not in {"VAR", "IDENTIFIER"} and text.replace(" ", "").isalpha() else ""
