"""What does docs/rules.md say? It is made from the rules: ``python -m mcp_migrate.rules.docs`` prints it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from mcp_migrate.rules.catalogue import catalogue
from mcp_migrate.rules.coverage import LEFT, PENDING, rows
from mcp_migrate.rules.interface import DANGER, Rule
from mcp_migrate.rules.locks import BLOCKS

_HEAD = """# Rules

What a statement does is found by rules, never by its name or by what its author says. This page is made from the
rules themselves (`python -m mcp_migrate.rules.docs`); a test holds it equal to them. What the effects mean, and what
each asks for, is told in [effects](effects.md). How an admin raises a rule or accepts one for a target is told in
[configuration](configuration.md#rules). `mcp-migrate classify` applies them to a file.

What no rule knows is `unknown`, and that waits for a person.
"""
_WAIT = {"reads": "reads", "writes": "writes", "ddl": "schema changes"}


def facts(rule: Rule) -> dict[str, Any]:
    """One rule as JSON values."""
    return {
        "title": rule.title,
        "effects": [effect.value for effect in DANGER if effect in rule.effects],
        "why": readable(rule.why),
        "of": rule.of,
        "lock": rule.lock,
        "blocks": list(BLOCKS[rule.lock]) if rule.lock else [],
        "scans": rule.scans,
        "rewrites": rule.rewrites,
        "transactional": rule.transactional,
        "reversible": rule.reversible,
        "rationale": rule.rationale,
        "source": rule.source,
        "safer": readable(rule.safer) if rule.safer else None,
        "flags": list(rule.flags),
        "passes": list(rule.passes),
    }


def readable(template: str) -> str:
    """A template with its gaps named, as ``[object]``; gaps that only add words are left out."""
    return re.sub(r"\{(\w+)\}", lambda gap: "" if gap[1] in {"cascade", "all"} else f"[{gap[1]}]", template)


def page() -> str:
    """The whole page."""
    names = list(catalogue())
    listed = [f"| [`{name}`](#{name}) | {_title(name)} | {_effects(name)} |" for name in names]
    index = ["## All rules", "", "| rule | finds | effects |", "|---|---|---|", *listed, ""]
    entries = [line for name in names for line in (entry(name), "")]
    return "\n".join([_HEAD, *index, *entries, *_coverage()]).rstrip() + "\n"


def entry(name: str) -> str:
    """One rule, with its facts for each database."""
    by_dialect = catalogue()[name]
    lines = [f"### {name}", "", f"{_title(name)}.", ""]
    for rationale in dict.fromkeys(rule.rationale for rule in by_dialect.values() if rule.rationale):
        lines += [rationale, ""]
    for dialect, rule in by_dialect.items():
        lines += [f"**{dialect}**: {_effect_words(rule)}", "", *(f"- {line}" for line in _lines(rule)), ""]
        lines += _examples(rule)
    return "\n".join(lines).rstrip() + "\n"


def _lines(rule: Rule) -> Iterator[str]:
    yield f"What it says: {readable(rule.why)}"
    if rule.lock:
        waits = ", ".join(_WAIT[word] for word in BLOCKS[rule.lock]) or "nobody"
        yield f"Lock: {rule.lock}; meanwhile {waits} {'waits' if waits == 'nobody' else 'wait'}."
    told = {"Every row is written anew": rule.rewrites, "Every row is read": rule.scans}
    yield from (f"{words} under that lock." for words, holds in told.items() if holds)
    if not rule.transactional:
        yield "It cannot run inside a transaction."
    yield f"Can be taken back: {_BACK[rule.reversible]}."
    if rule.safer:
        yield f"Safer: `{readable(rule.safer)}`"
    if rule.source:
        yield f"Source: <{rule.source}>"


_BACK = {"yes": "yes", "schema": "the schema, not the data", "no": "no", "unknown": "not known"}


def _examples(rule: Rule) -> list[str]:
    found = [f"-- found\n{example};" for example in rule.flags]
    passed = [f"-- not found\n{example};" for example in rule.passes]
    return ["```sql", *found, *passed, "```", ""] if found or passed else []


def _title(name: str) -> str:
    return next(iter(catalogue()[name].values())).title


def _effects(name: str) -> str:
    words = {dialect: _effect_words(rule) for dialect, rule in catalogue()[name].items()}
    if len(set(words.values())) == 1:
        return f"{next(iter(words.values()))} ({', '.join(words)})"
    return "; ".join(f"{said} ({dialect})" for dialect, said in words.items())


def _effect_words(rule: Rule) -> str:
    return ", ".join(effect.value for effect in DANGER if effect in rule.effects) or "none of its own"


def _coverage() -> Iterator[str]:
    yield "## What others check"
    yield ""
    yield "Each check of other tools for these databases, with our rule that answers it, or why it is left."
    yield ""
    yield "| tool | its check | our answer |"
    yield "|---|---|---|"
    for row in rows():
        yield f"| {row.tool} | {row.check} | {_answer(row.answer)} |"


def _answer(answer: str) -> str:
    if answer in LEFT:
        return f"left: {LEFT[answer]}"
    known = catalogue()
    return ", ".join(
        f"[`{name}`](#{name})" if name in known else f"`{name}` (to come)" if name in PENDING else f"`{name}`"
        for name in answer.split()
    )


if __name__ == "__main__":
    sys.stdout.write(page())
