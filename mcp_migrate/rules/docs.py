"""What does docs/rules.md say? It is made from the rules: ``python -m mcp_migrate.rules.docs`` prints it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from mcp_migrate.model import Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.catalogue import catalogue
from mcp_migrate.rules.coverage import SOURCES, rows
from mcp_migrate.rules.interface import DANGER, Rule
from mcp_migrate.rules.locks import BLOCKS

_HEAD = """# Rules

What a statement does is found by rules, never by its name or by what its author says. This page is made from the
rules themselves (`python -m mcp_migrate.rules.docs`); a test holds it equal to them. What the effects mean, and what
each asks for, is told in [effects](effects.md). How an admin raises a rule or accepts one for a target is told in
[configuration](configuration.md#rules). `mcp-migrate classify` applies them to a file.

What no rule knows is `unknown`, and that waits for a person.

The examples are on a small schema with tables such as `users` and `orders`; of several statements the last one is
meant, and of a table that SQLite makes again all of them. Where the safer way depends on the statement, the one for
the first example is shown.
"""
_PRODUCTS = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mysql": "MySQL and MariaDB"}
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
    entries = [line for name in catalogue() for line in (entry(name), "")]
    return "\n".join([_HEAD, *_index(), "## Each rule", "", *entries, *_coverage()]).rstrip() + "\n"


def _index() -> Iterator[str]:
    for dialect, product in _PRODUCTS.items():
        yield f"## Rules for {product}"
        yield ""
        yield "| rule | finds | effects | lock |"
        yield "|---|---|---|---|"
        for name, by_dialect in catalogue().items():
            if rule := by_dialect.get(dialect):
                yield f"| [`{name}`](#{name}) | {rule.title} | {_effect_words(rule)} | {rule.lock or ''} |"
        yield ""


def entry(name: str) -> str:
    """One rule, with its facts for each database."""
    by_dialect = catalogue()[name]
    lines = [f"### {name}", "", f"{next(iter(by_dialect.values())).title}.", ""]
    for dialect, rule in sorted(by_dialect.items(), key=lambda item: list(_PRODUCTS).index(item[0])):
        said = f"**{_PRODUCTS.get(dialect, dialect)}**: {_effect_words(rule)}. {rule.rationale}".rstrip()
        lines += [said, "", *(f"- {line}" for line in _lines(rule)), ""]
        lines += _examples(rule, _safer(rule, dialect))
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


def _safer(rule: Rule, dialect: str) -> str | None:
    """The safer way for the first example."""
    if rule.safer or not rule.flags:
        return None
    texts = rule.flags[0].split(";\n")
    judged = judge([Statement(n, "", sql) for n, sql in enumerate(texts, 1)], dialect=dialect, schema=None)
    return judged[-1].safer if judged[-1].rule == rule.id else None


_BACK = {"yes": "yes", "schema": "the schema, not the data", "no": "no", "unknown": "not known"}


def _examples(rule: Rule, safer: str | None) -> list[str]:
    found = [f"-- found\n{example};" for example in rule.flags]
    found += [f"-- safer\n{safer}"] if safer else []
    passed = [f"-- not found\n{example};" for example in rule.passes]
    return ["```sql", *found, *passed, "```", ""] if found or passed else []


def _effect_words(rule: Rule) -> str:
    return ", ".join(effect.value for effect in DANGER if effect in rule.effects) or "none of its own"


def _coverage() -> Iterator[str]:
    tools = ", ".join(f"[{tool}]({source})" for tool, source in SOURCES.items())
    yield "## What others check"
    yield ""
    yield f"Each check of {tools} for these databases, with our rule that answers it, or why it is left."
    yield ""
    yield "| tool | its check | our answer |"
    yield "|---|---|---|"
    for row in rows():
        answer = ", ".join(f"[`{name}`](#{name})" for name in row.rules) or f"left: {row.left}"
        yield f"| {row.tool} | {row.check} | {answer} |"


if __name__ == "__main__":
    sys.stdout.write(page())
