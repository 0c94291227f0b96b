"""What does a call look like on the ledger: without credentials, without what a rule names, and not without end?

What is taken out leaves a tag, the same for the same value, so that entries can be compared.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from mcp_migrate.model import Call, canonical
from mcp_migrate.redaction.credentials import credentials, names_one
from mcp_migrate.settings import any_matches, matches
from mcp_migrate.settings.redact import Redact

LONGEST, MOST, DEEPEST = 16 * 2**10, 128 * 2**10, 50
"""Letters of one text, bytes of all arguments, and levels of them; of more there is the size and the tag."""
_BRIEFLY = 500
"""Letters, and bytes, where little is told."""

_QUOTED = re.compile(r"\"[^\"]*(?:\"|$)|(?<!\w)'[^']*(?:'|$)")
_DETAIL = re.compile(r"\bDETAIL: .*?(?= HINT: | CONTEXT: |$)")


@dataclass(frozen=True, slots=True)
class Shown:
    """Arguments as they are recorded, their size as they came, and whether that is all of them."""

    arguments: Mapping[str, Any]
    size: int | None
    whole: bool


@cache
def _key_of_this_process() -> bytes:
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes out by `rules` and by shape. `key` is asked for when there is something to take out.

    `scope_of` is what scopes call a tool: rules name it so, or by its own name.
    """

    rules: Sequence[Redact] = ()
    key: Callable[[], bytes] = field(default=_key_of_this_process)
    scope_of: Callable[[str], str] = str
    longest: int = LONGEST
    most: int = MOST

    def briefly(self) -> Redactor:
        """The same, of whom little is told: the record is kept for months, and whoever calls chooses how much it is."""
        return replace(self, longest=_BRIEFLY, most=_BRIEFLY)

    def call(self, call: Call) -> Call:
        """The call with an intent and a ticket that anybody may read: reviewers are shown them too."""
        rules = self._rules_of(call.tool)
        intent, ticket = self._walk(rules, "/intent", call.intent), call.ticket
        return replace(call, intent=intent, ticket=ticket and self._walk(rules, "/ticket", ticket))

    def arguments(self, tool: str, arguments: Mapping[str, Any]) -> Shown:
        """The arguments of a call of `tool`, also those that no tool would take."""
        try:
            raw = b"" if _too_deep(arguments) else json.dumps(arguments, default=str, sort_keys=True).encode()
        except ValueError:  # a number longer than Python writes
            raw = b""
        kept = self._walk(self._rules_of(tool), "", arguments) if raw and not self._too_much(arguments) else None
        if kept is None or len(canonical(kept)) > self.most:
            return Shown({"left_out": self._left_out(raw)}, len(raw) or None, whole=False)
        return Shown(kept, len(raw), whole=kept == arguments)

    def text(self, text: str, *, patterns: Iterable[str] = ()) -> str:
        """The text without credentials, and without what `patterns` find."""
        if len(text) > self.longest or not _is_unicode(text):
            return self._left_out(text.encode("utf-8", "backslashreplace"))
        spans = [*credentials(text), *(m.span() for pattern in patterns for m in re.finditer(pattern, text))]
        parts, at = [], 0
        for start, end in _merged(spans):
            parts += [text[at:start], self.tag(text[start:end].strip("\"'"))]
            at = end
        return "".join([*parts, text[at:]])

    def sentence(self, text: str, *, known: str = "") -> str:
        """What a database or a revision says, without the values that it quotes; names in `known` stay."""
        plain = _DETAIL.sub(lambda match: f"DETAIL: {self.tag(match[0])}", self.text(text))
        return _QUOTED.sub(lambda match: match[0] if _is_known(match[0], known) else self.tag(match[0][1:-1]), plain)

    def tag(self, value: str) -> str:
        """What stands in place of `value`."""
        return f"[redacted {self._mark(value.encode())}]"

    def _left_out(self, raw: bytes) -> str:
        return f"[left out {len(raw)} bytes {self._mark(raw)}]" if raw else "[left out: nested too deeply]"

    def _mark(self, raw: bytes) -> str:
        return f"hmac-sha256:{hmac.new(self.key(), raw, hashlib.sha256).hexdigest()[:32]}"

    def _too_much(self, value: Any) -> bool:
        """Whether it is more than is recorded, long texts aside: who calls chooses how much would be looked through."""
        room, left = self.most, [value]
        while left and room >= 0:
            each = left.pop()
            room -= len(each) if isinstance(each, str) and len(each) <= self.longest else 1
            if isinstance(each, Mapping):
                left += [*each, *each.values()]
            elif isinstance(each, list | tuple):
                left += each
        return room < 0

    def _rules_of(self, tool: str) -> Sequence[Redact]:
        names = (tool, self.scope_of(tool))
        return [rule for rule in self.rules if any_matches(names, rule.tools)]

    def _walk(self, rules: Sequence[Redact], place: str, value: Any, *, secret: bool = False) -> Any:
        """One value of the arguments; `secret` where its name, or one above it, says that it is one."""
        here = [rule for rule in rules if matches(place, rule.arguments)]
        if any(rule.pattern is None for rule in here):
            return self.tag(value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True))
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self._walk(rules, f"{place}/{key}", each, secret=secret or names_one(str(key)))
                for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._walk(rules, f"{place}/{n}", each, secret=secret) for n, each in enumerate(value)]
        if secret and value not in (None, "", True, False):
            return self.tag(str(value))
        if isinstance(value, str):
            return self.text(value, patterns=[rule.pattern for rule in here if rule.pattern])
        return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """The spans in order; what overlaps or touches is one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif end > start:
            merged.append((start, end))
    return merged


def _is_known(quoted: str, known: str) -> bool:
    return all(part in known for part in quoted.strip("\"'").split("."))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep(value: Any) -> bool:
    """Whether it has more levels than are recorded, found without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, Mapping) else parent)
            if isinstance(child, Mapping | list | tuple)
        ]
    return bool(level)
