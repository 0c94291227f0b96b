"""Does nothing harmful pass as safe, and is ordinary work understood?"""

from __future__ import annotations

import pytest

from tests.rules.labelled import ALL, SCHEMAS
from tests.rules.report import Confusion, confusions


@pytest.fixture(scope="module")
def judged_corpus() -> dict[str, Confusion]:
    return confusions()


def test_the_corpus_holds_at_least_600_statements_over_three_databases() -> None:
    assert len(ALL) >= 600
    assert SCHEMAS.keys() >= {"postgresql", "sqlite", "mysql"}


@pytest.mark.proves("effects-no-harm-passes")
@pytest.mark.parametrize("dialect", sorted(SCHEMAS))
def test_no_destructive_or_privileged_statement_passes_without_an_approval(
    judged_corpus: dict[str, Confusion], dialect: str
) -> None:
    assert judged_corpus[dialect].missed == []


@pytest.mark.proves("effects-additive-is-known")
@pytest.mark.parametrize("dialect", sorted(SCHEMAS))
def test_at_most_two_percent_of_additive_statements_are_unknown(
    judged_corpus: dict[str, Confusion], dialect: str
) -> None:
    confusion = judged_corpus[dialect]
    assert confusion.additive >= 20
    assert len(confusion.additive_unknown) <= 0.02 * confusion.additive


def test_the_report_tells_each_database(judged_corpus: dict[str, Confusion]) -> None:
    text = "\n".join(line for confusion in judged_corpus.values() for line in confusion.lines())
    assert all(f"{dialect}: " in text for dialect in SCHEMAS)
    assert "harmful without an approval: 0" in text
