"""How is text from an agent or a database shown so that nothing obeys it and nothing in it hides?"""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Zl", "Zp"})
"""Separators that break a line where nobody wrote a newline."""


def safe(text: object) -> str:
    """`text` with nothing in it that a terminal or a browser would obey or reorder; such characters become escapes."""
    said = str(text)
    return said if said.isprintable() else "".join(c if _plain(c) else f"\\u{ord(c):04x}" for c in said)


def one_line(text: object) -> str:
    """Safe text that cannot begin a line of its own."""
    return safe(text).replace("\n", "\\n")


def _plain(character: str) -> bool:
    category = unicodedata.category(character)
    return character in "\n\t" or (category[0] != "C" and category not in _UNSEEN)
