"""Does an address tell a secret to whoever reads the configuration, or what passes there to whoever is on the way?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from mcp_migrate.settings.problems import Key, Problem
from mcp_migrate.settings.references import REFERENCE

ADDRESS = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?|http://localhost(:\d{1,5})?")
"""Where people and clients are sent: nobody on the way reads what passes there."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET_PARAMETERS = {"password", "passwd", "pwd", "token", "secret", "sslpassword"}


def is_protected(url: str) -> bool:
    """Whether what is sent to `url` cannot be read on the way."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)


def plain_secret(key: Key, url: str) -> Iterator[Problem]:
    """What is wrong with how a URL names its secrets."""
    bare = REFERENCE.sub("", url)
    if re.search(r"\$\{", bare):
        yield Problem(key, "this reference is not one of ours.", "Write ${env:NAME}, ${file:PATH} or ${ini:KEY}.")
        return
    try:
        parts = urlsplit(bare)
        literal = bool(parts.password) or any(
            value for word in _SECRET_PARAMETERS for value in parse_qs(parts.query).get(word, ())
        )
    except ValueError:
        yield Problem(key, "this is no URL.", "Write it as postgresql://user@host/name.")
        return
    if literal:
        yield Problem(key, "a password stands here in plain text.", "Use ${env:NAME} or ${file:PATH}.")
