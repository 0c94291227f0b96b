"""What changed among the constraints and the indexes of one table?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from mcp_migrate.schema.changes import Change, Place
from mcp_migrate.schema.columns import only
from mcp_migrate.schema.fingerprint import facts
from mcp_migrate.schema.model import Constraint, Index
from mcp_migrate.schema.renames import Names, follows, joined, names_of

_NOT_VALID = " NOT VALID"
_SAME_TEXT = 0.95
"""How sure it is that one with the same text and another name was renamed: nothing but the name tells them apart."""

_Part = TypeVar("_Part", Constraint, Index)


def constraint_changes(
    place: Place, where: str, old: Iterable[Constraint], new: Iterable[Constraint], names: Names
) -> Iterator[Change]:
    """Constraints without a name are told apart by their text, and twins are counted."""
    gone, come = _apart(old, new)
    for was, now in _take(gone, come, lambda a, b: _same_but_name(a, b, names)):
        yield from _renamed_constraint(place, where, was, now, names)
        yield from _beside(place, f"{where}.{_called(now)}", was, now, names)
    for was, now in _take(gone, come, _same_place):
        thing = f"{where}.{_called(was)}"
        if (was.definition, was.kind, was.columns) != (now.definition, now.kind, now.columns):
            valid = was.definition == now.definition + _NOT_VALID
            kind = "validate_constraint" if valid else "alter_constraint"
            yield place.change(kind, thing, told(was), told(now))
        yield from _beside(place, thing, was, now, names)
    for was in gone:
        yield place.change("drop_constraint", f"{where}.{_called(was)}", told(was), None)
    for now in come:
        impact = "add_exclusion" if now.kind == "exclusion" else None
        yield place.change("add_constraint", f"{where}.{_called(now)}", None, told(now), impact=impact)


def index_changes(
    place: Place, where: str, old: Iterable[Index], new: Iterable[Index], names: Names
) -> Iterator[Change]:
    """An index is what its text says; its name is part of that."""
    gone, come = _apart(old, new)
    for was, now in _take(gone, come, lambda a, b: _same_index(a, b, names)):
        if was.name != now.name:
            yield place.renamed("rename_index", f"{where}.{was.name}", f"{where}.{now.name}", _SAME_TEXT)
        yield from _beside(place, f"{where}.{now.name}", was, now, names)
    for was, now in _take(gone, come, lambda a, b: a.name == b.name):
        thing = f"{where}.{was.name}"
        if (was.definition, was.unique, was.valid) != (now.definition, now.unique, now.valid):
            yield place.change("alter_index", thing, told(was), told(now))
        yield from _beside(place, thing, was, now, names)
    for was in gone:
        yield place.change("drop_index", f"{where}.{was.name}", told(was), None)
    for now in come:
        impact = "add_unique_index" if now.unique else None
        yield place.change("add_index", f"{where}.{now.name}", None, told(now), impact=impact)


def told(part: Constraint | Index) -> str:
    """A constraint or an index as one line."""
    if isinstance(part, Constraint):
        return f"{part.kind} {part.definition}"
    return f"index {'UNIQUE ' if part.unique else ''}{part.definition}{'' if part.valid else ' INVALID'}"


def _apart(old: Iterable[_Part], new: Iterable[_Part]) -> tuple[list[_Part], list[_Part]]:
    """Those of each side that the other has not, as multisets."""
    was, now = ([(repr(facts(part)), part) for part in side] for side in (old, new))
    common = Counter(text for text, _ in was) & Counter(text for text, _ in now)
    return _without(was, common), _without(now, common)


def _without(side: list[tuple[str, _Part]], common: Counter[str]) -> list[_Part]:
    left, rest = Counter(common), []
    for text, part in sorted(side, key=lambda pair: pair[0]):
        if left[text]:
            left[text] -= 1
        else:
            rest.append(part)
    return rest


def _take(gone: list[_Part], come: list[_Part], fits: Any) -> Iterator[tuple[_Part, _Part]]:
    """Pair what fits, and take it out of both lists."""
    for was in list(gone):
        now = next((part for part in come if fits(was, part)), None)
        if now is not None:
            gone.remove(was)
            come.remove(now)
            yield was, now


def _same_but_name(a: Constraint, b: Constraint, names: Names) -> bool:
    alike = a.columns == b.columns or bool(names)
    return a.kind == b.kind and alike and follows(a.definition, b.definition, names)


def _same_place(a: Constraint, b: Constraint) -> bool:
    """The same name; of those without one, the one primary key, or another of its kind on the same columns."""
    if a.name or b.name:
        return a.name == b.name or (a.kind == b.kind == "primary_key")
    return a.kind == b.kind and (a.kind == "primary_key" or (a.columns == b.columns and bool(a.columns)))


def _same_index(a: Index, b: Index, names: Names) -> bool:
    every = joined(names, names_of([(a.name, b.name)]))
    return (a.unique, a.valid) == (b.unique, b.valid) and follows(a.definition, b.definition, every)


def _renamed_constraint(place: Place, where: str, was: Constraint, now: Constraint, names: Names) -> Iterator[Change]:
    if was.name == now.name or follows(was.name, now.name, names):
        return
    old, new = (f"{where}.{part.name}" if part.name else f"{told(part)} without a name" for part in (was, now))
    yield place.renamed("rename_constraint", old, new, _SAME_TEXT)


def _beside(place: Place, thing: str, was: _Part, now: _Part, names: Names) -> Iterator[Change]:
    """What is no part of the text: comments, options."""
    for name, kind in (("comment", "change_comment"), ("options", "change_storage")):
        before, after = only(getattr(was, name), getattr(now, name))
        if before != after and not follows(before, after, names):
            yield place.change(kind, thing, before, after)


def _called(part: Constraint) -> str:
    return part.name or part.definition


def moved(changes: Iterable[Change], dialect: str) -> list[Change]:
    """One change for a constraint that was dropped from one table and added, word for word, to another."""
    every = list(changes)
    dropped = {_identity(change, change.before): change for change in every if change.kind == "drop_constraint"}
    gone: list[Change] = []
    result = []
    for change in every:
        was = dropped.get(_identity(change, change.after)) if change.kind == "add_constraint" else None
        if was is None or was.table == change.table or str(was.before).startswith("primary_key"):
            result.append(change)
            continue
        gone.append(dropped.pop(_identity(change, change.after)))
        result.append(_moved(was, change, dialect))
    return [change for change in result if not any(change is each for each in gone)]


def _identity(change: Change, text: str | None) -> tuple[str, str | None]:
    return change.object.removeprefix(f"{change.table}."), text


def _moved(was: Change, now: Change, dialect: str) -> Change:
    otherwise = f"drop_constraint {was.object} and add_constraint {now.object}"
    return Place(dialect, now.table).change(
        "move_constraint", was.object, was.object, now.object, confidence=_SAME_TEXT, otherwise=otherwise
    )
