"""What can be wrong with a list of globs, of things with names or of keys, wherever it stands?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from mcp_migrate.settings.globs import any_matches
from mcp_migrate.settings.problems import Key, Problem, nearest


def fit_nothing(key: Key, globs: Iterable[str], known: Collection[str], what: str) -> Iterator[Problem]:
    """The globs that fit none of the names that are `known`, each of which is a `what`."""
    for index, glob in enumerate(globs):
        if not any_matches(known, [glob]):
            yield Problem((*key, index), f"{glob!r} fits no {what}.", nearest(glob, known))


def named_twice(key: Key, names: Iterable[str], what: str) -> Iterator[Problem]:
    """Each `what` of a list that has the name of one before it."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Problem((*key, index, "name"), f"another {what} has this name.", "Rename one.")
        seen.add(name)


def no_public_keys(key: Key, lines: Iterable[str]) -> Iterator[Problem]:
    """The lines that are none of a .pub file."""
    for index, line in enumerate(lines):
        if len(line.split()) < 2 or line.startswith("passkey/"):  # noqa: PLR2004  kind and key
            yield Problem((*key, index), "this is no SSH public key.", "Copy the line of a .pub file.")
