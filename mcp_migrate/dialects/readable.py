"""Could this text be a plain read? Asked before a parser is.

Most of what revisions send begins with a word that acts, and parsing ten megabytes of rows takes a minute.
"""

from __future__ import annotations

import re

LONGEST = 1_000_000
"""Letters of a text that is looked into. A longer one may do anything: it belongs to the plan."""

_FIRST = re.compile(r"\s*([A-Za-z]+)")


def may_read(sql: str, openings: frozenset[str]) -> bool:
    """Whether `sql` is worth a look: it is not too long, and begins with one of these words or with none at all."""
    first = _FIRST.match(sql)
    return len(sql) <= LONGEST and (first is None or first[1].upper() in openings)
