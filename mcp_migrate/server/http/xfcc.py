"""Which certificate does Envoy name in X-Forwarded-Client-Cert? That of its own element, the last, and no other.

Elements are parted by commas, their pairs by semicolons, and what stands in double quotes is escaped by backslashes
(Envoy, "HTTP header manipulation"). What came before the last element is the word of whoever is beyond that proxy.
"""

from __future__ import annotations

import re

from mcp_migrate.errors import TokenInvalidError

_PAIR = re.compile(r' *([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*)) *([,;]|\Z)')
_ESCAPED = re.compile(r"\\(.)")
_BARE = frozenset({"uri", "dns"})
"""What Envoy takes from a certificate and writes without quotes: a name with a comma in it poses as an element."""

_Element = list[tuple[str, str]]


def certificate_in(text: str) -> str:
    """The certificate of the last element, as a PEM with `%` escapes.

    Raises:
        TokenInvalidError: there is none, or nobody can tell which element is the last.
    """
    found = elements(text)
    if len(found) > 1 and any(key in _BARE for element in found for key, _value in element):
        raise _refused("it has several elements and names from certificates; have the proxy set it anew (SANITIZE_SET)")
    certificates = [value for key, value in found[-1] if key == "cert"]
    if len(certificates) != 1:
        raise _refused("its last element holds no certificate, or several")
    return certificates[0]


def elements(text: str) -> list[_Element]:
    """The elements, each with its keys in lower case and its values as they were before they were quoted.

    Raises:
        TokenInvalidError: it is not written so.
    """
    found: list[_Element] = [[]]
    at, ends = 0, ";"
    while ends:
        pair = _PAIR.match(text, at)
        if pair is None:
            raise _refused("it is not written as Envoy writes it")
        key, quoted, bare, ends = pair.groups()
        found[-1].append((key.lower(), bare if quoted is None else _ESCAPED.sub(r"\1", quoted)))
        found += [[]] if ends == "," else []
        at = pair.end()
    return found


def _refused(why: str) -> TokenInvalidError:
    return TokenInvalidError(
        f"The client certificate is refused: {why}.", hint="An admin has to set up the proxy: docs/team-server.md."
    )
