"""What changed in something that is no table: a view's body, an enum's values, a trigger, a policy?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from mcp_migrate.schema.changes import Change, Place
from mcp_migrate.schema.columns import only, told
from mcp_migrate.schema.fingerprint import facts, key
from mcp_migrate.schema.model import Other
from mcp_migrate.schema.renames import Names, follows, likeness

_KINDS = {
    "comment": "change_comment",
    "owner": "change_owner",
    "grants": "change_grants",
}
_BODY = frozenset({"kind", "schema", "name", "table", "definition", "columns"})
_LABELS = re.compile(r"""\s*(E?)'((?:[^']|'')*)'\s*(?:,|\Z)""")
_MOST_LABELS = 1_000


def object_changes(place: Place, old: Other, new: Other, sure: float, names: Names) -> Iterator[Change]:
    """Each aspect by itself; what only follows from a rename is none."""
    thing = new.qualified
    if old.name != new.name:
        yield place.renamed(f"rename_{new.kind}", old.qualified, thing, sure)
    elif old.schema != new.schema:
        otherwise = f"drop_{old.kind} {old.qualified} and add_{new.kind} {thing}"
        yield place.change("move_object", old.qualified, old.qualified, thing, confidence=sure, otherwise=otherwise)
    if sure == 1.0 or key(old)[:3] == key(new)[:3]:
        yield from _body(place, thing, old, new, names)
    was, now = facts(old), facts(new)
    for name in sorted((was.keys() | now.keys()) - _BODY):
        before, after = only(getattr(old, name), getattr(new, name))
        if before != after and not follows(before, after, names):
            yield place.change(_KINDS.get(name, f"alter_{new.kind}"), thing, before, after)
    yield from _about_columns(place, old, new)


def _body(place: Place, thing: str, old: Other, new: Other, names: Names) -> Iterator[Change]:
    if new.kind == "enum" and old.definition != new.definition:
        found = list(_values(place, thing, old.definition, new.definition))
        yield from found or [place.change("alter_enum", thing, old.definition, new.definition)]
        return
    before, after = (f"{other.definition}\n{_shape(other)}".strip("\n") for other in (old, new))
    if not follows(before, after, names):
        yield place.change(f"alter_{new.kind}", thing, before, after)


def _shape(other: Other) -> str:
    """The columns of a view or composite type, but for what `_about_columns` tells."""
    return ", ".join(told(replace(column, comment=None, grants=())) for column in other.columns)


def _about_columns(place: Place, old: Other, new: Other) -> Iterator[Change]:
    was = {column.name: column for column in old.columns}
    for column in new.columns:
        before = was.get(column.name)
        for name in ("comment", "grants"):
            texts = only(getattr(before, name, None), getattr(column, name, None))
            if before is not None and texts[0] != texts[1]:
                yield place.change(_KINDS[name], f"{new.qualified}.{column.name}", *texts)


def _values(place: Place, thing: str, before: str, after: str) -> Iterator[Change]:
    """Values of an enum that were added, dropped, renamed, or put in another order."""
    old, new = labels(before), labels(after)
    if old is None or new is None or max(len(old), len(new)) > _MOST_LABELS:
        return
    kept = [label for label in old if label in new], [label for label in new if label in old]
    if kept[0] != kept[1]:
        yield place.change("reorder_enum_values", thing, ", ".join(kept[0]), ", ".join(kept[1]))
        old, new = [x for x in old if x not in new], [x for x in new if x not in old]
    yield from _opcodes(place, thing, old, new)


def _opcodes(place: Place, thing: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "replace" and j - i == m - k:
            for was, now in zip(old[i:j], new[k:m], strict=True):
                yield _renamed_value(place, thing, was, now)
            continue
        if what != "equal":
            for label in old[i:j]:
                yield place.change("drop_enum_value", f"{thing}.{label}", label, None)
            for label in new[k:m]:
                yield place.change("add_enum_value", f"{thing}.{label}", None, label)


def _renamed_value(place: Place, thing: str, was: str, now: str) -> Change:
    """In its place among others, which adding one elsewhere would not give."""
    confidence = round(0.5 + 0.45 * likeness(was, now), 2)
    otherwise = f"drop_enum_value {was} and add_enum_value {now}"
    return place.change("rename_enum_value", f"{thing}.{was}", was, now, confidence=confidence, otherwise=otherwise)


def labels(definition: str) -> list[str] | None:
    """The values of an enum from its text; None when it is no list of literals."""
    found, place = [], 0
    text = definition.strip()
    while place < len(text):
        match = _LABELS.match(text, place)
        if match is None:
            return None
        found.append(match[2].replace("''", "'"))
        place = match.end()
    return found
