"""Where in a text is a credential?

Found by its shape, so not all are: a password in a sentence looks like a word. What looks like one and is none costs a
word on the record. Each expression takes time in proportion to the text, since callers choose it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TAG = re.compile(r"\[redacted hmac-sha256:[0-9a-f]{32}\]")
_NAMES = (
    r"passw(?:or)?d|passwd|pwd|passphrase|secret|token|credential|"
    r"(?:api|access|private|secret|account)[_-]?key|client[_-]?secret"
)
_QUOTED_OR_WORD = rf"(?!{_TAG.pattern})(?P<secret>\"[^\"]{{1,4096}}\"|'[^']{{1,4096}}'|[^\s,;&'\"(){{}}]{{1,4096}})"
_FORMS = (
    re.compile(r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?P<secret>.+?)(?:-----END|\Z)"),
    # Of a URL: everything after the user's name, to the last @ before the host.
    re.compile(r"://[^\s:/@'\"]{0,256}:(?P<secret>[^\s'\"]{1,512})@"),
    re.compile(rf"(?i)(?:{_NAMES})\w{{0,20}}[\"']?\s{{0,8}}(?:=>|[:=])\s{{0,8}}{_QUOTED_OR_WORD}"),
    re.compile(r"(?i)\b(?:PASSWORD|IDENTIFIED\s{1,8}BY)\s{1,8}'(?P<secret>(?:[^']|''){1,4096})'"),
    re.compile(r"(?i)\b(?:bearer|basic)\s{1,8}(?P<secret>[a-z0-9._~+/-]{12,4096}=*)"),
    re.compile(
        r"\b(?P<secret>A[KS]IA[A-Z0-9]{16}|gh[pousr]_\w{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,255}|"
        r"xox[abeprs]-[\w-]{10,255}|sk[-_][\w-]{20,255}|eyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]{0,4096})"
    ),
)
_NAMED = re.compile(rf"(?i)(?:{_NAMES})s?")


def names_one(key: str) -> bool:
    """Whether an argument of this name holds a credential."""
    return _NAMED.search(key[-64:]) is not None


def credentials(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends; they may overlap. A tag in the place of one is none."""
    for form in _FORMS:
        for match in form.finditer(text):
            if not _TAG.fullmatch(match["secret"].strip("'\"")):
                yield match.span("secret")
