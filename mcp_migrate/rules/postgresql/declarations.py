"""How are declarations written so that the PL/pgSQL parser takes them? It knows no types but PostgreSQL's own.

Types that say a schema, are a table's row, or are arrays of something else are written as ones that it knows. Nothing
but the name of a type is replaced; whether it stood in a declaration is held against the variables in the tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mcp_migrate.rules.postgresql.parser import tokens

_BEFORE = frozenset({";", ">>", "BEGIN"})
_AFTER_TYPE = frozenset({"NOT", "COLLATE", "DEFAULT"})
_NO_TYPE = frozenset({"CURSOR", "ALIAS", "NO", "SCROLL"})
_IN_TYPE = frozenset({".", "%", "[", "]"})


def plain_types(text: str) -> tuple[str, Counter[str]]:
    """The code with types that the parser knows, and how often a type of each variable was replaced."""
    names: Counter[str] = Counter()
    pieces, at = [], 0
    for name, start, end, known in _replaced(tokens(text) or []):
        pieces += [text[at:start], known]
        at = end
        names[name] += 1
    return "".join([*pieces, text[at:]]), names


def declared(tree: dict[str, Any], names: Counter[str]) -> bool:
    """Whether each of these is a variable of the tree, as often as it should be."""
    inner = [value for datum in tree["datums"] for value in datum.values()]
    return not names - Counter(str(variable.get("refname", "")) for variable in inner)


def _replaced(words: list[tuple[str, int]]) -> Iterator[tuple[str, int, int, str]]:
    """Each type to replace: the variable, where the type begins and ends, and what is written instead."""
    inside, before = False, ";"
    for n, (word, _) in enumerate(words):
        if not inside:
            inside = word.upper() == "DECLARE" and before.upper() in _BEFORE
        elif before.upper() in {"DECLARE", ";"}:
            inside = word.upper() != "BEGIN"
            found = _type(words[n + 1 : n + 40]) if inside else None
            if found:
                yield (word[1:-1] if word.startswith('"') else word.lower(), *found)
        before = word


def _type(words: list[tuple[str, int]]) -> tuple[int, int, str] | None:
    """The type at the beginning of `words`, where it has to be replaced."""
    rest = words[1:] if words and words[0][0].upper() == "CONSTANT" else words
    taken: list[tuple[str, int]] = []
    for word, end in rest:
        named = word.replace('"', "").isidentifier() and word.upper() not in _AFTER_TYPE
        if not (named or word in _IN_TYPE or word.isdigit()):
            break
        taken.append((word, end))
    parts = [word.upper() for word, _ in taken]
    if not taken or parts[0] in _NO_TYPE or not {".", "%", "["} & set(parts):
        return None
    known = "text[]" if "[" in parts else "text" if parts[-1] == "TYPE" else "record"
    return taken[0][1] - len(taken[0][0]), taken[-1][1], known
