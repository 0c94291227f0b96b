"""What must hold for every text, also for those nobody thought of?"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_migrate.model import Effect, Statement
from mcp_migrate.rules import judge
from tests.rules.labelled import ALL, SCHEMAS, judged

_UNKNOWN = frozenset({Effect.UNKNOWN})
_FEW = settings(max_examples=150)
_CASES = st.sampled_from([(dialect, sql) for dialect, sql, _ in ALL])
_DIALECTS = st.sampled_from(sorted(SCHEMAS))
_FILLER = st.sampled_from([" ", "\n", "\t\n", " /* x */ ", "/**/", " -- ; DROP\n", " /* ' */ ", "/*/*nested*/*/"])


def _plain(sql: str) -> bool:
    """Nothing in it is quoted or a comment, so that its blanks and letters may change."""
    return not set("'\"`[$\\\0\u00a0") & set(sql) and "--" not in sql and "/*" not in sql


def _lowered(before: frozenset[Effect], after: frozenset[Effect]) -> bool:
    """Whether a danger is no longer told; another spelling may be the name of another table, made or not."""
    return Effect.UNKNOWN not in after and bool(before - after - {Effect.ADDITIVE, Effect.READ})


@given(st.sampled_from([(d, s) for d, s, _ in ALL if _plain(s)]), st.data())
@_FEW
def test_comments_and_blanks_never_lower_the_effects(case: tuple[str, str], data: st.DataObject) -> None:
    dialect, sql = case
    spaced = "".join(data.draw(_FILLER) if c == " " else c for c in sql)
    before, after = judged(sql, dialect).effects, judged(data.draw(_FILLER) + spaced, dialect).effects
    assert not _lowered(before, after)


@given(st.sampled_from([(d, s) for d, s, _ in ALL if _plain(s)]), st.data())
@_FEW
def test_case_never_lowers_the_effects(case: tuple[str, str], data: st.DataObject) -> None:
    dialect, sql = case
    mixed = "".join(c.upper() if data.draw(st.booleans()) else c.lower() for c in sql)
    before, after = judged(sql, dialect).effects, judged(mixed, dialect).effects
    assert not _lowered(before, after)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda b: b.decode("latin-1")), _DIALECTS)
@_FEW
def test_random_text_is_unknown_or_only_reads(text: str, dialect: str) -> None:
    found = judged(text, dialect).effects
    assert found >= _UNKNOWN or found == {Effect.READ}  # PostgreSQL takes a bare SELECT


@given(st.text(alphabet=st.characters(categories=["Cs", "Ll", "Po"]), max_size=20), _CASES)
@_FEW
def test_text_in_the_middle_never_crashes(text: str, case: tuple[str, str]) -> None:
    dialect, sql = case
    middle = len(sql) // 2
    assert judged(sql[:middle] + text + sql[middle:], dialect).effects


def _ends(sql: str) -> bool:
    """Whether it is a statement that comes to an end: an open quote or comment would swallow the next one."""
    return sql.strip(" ;\n")[:2] not in {"", "--"} and not sql.endswith("open")


_SOME = {d: st.sampled_from([s for x, s, _ in ALL if x == d and _ends(s)]) for d in SCHEMAS}


@given(_DIALECTS.flatmap(lambda d: st.tuples(st.just(d), _SOME[d], _SOME[d])))
@_FEW
def test_two_statements_in_one_text_are_unknown(pair: tuple[str, str, str]) -> None:
    dialect, first, second = pair
    assert judged(f"{first}\n;\n{second}", dialect).effects >= _UNKNOWN


@given(st.integers(min_value=50, max_value=20_000), _DIALECTS)
@settings(max_examples=15)
def test_deep_nesting_is_unknown_or_read(depth: int, dialect: str) -> None:
    for sql in (f"SELECT {'(' * depth}1{')' * depth}", f"SELECT {'- ' * depth}1", "SELECT 1" + " + 1" * depth):
        assert judged(sql, dialect).effects <= {Effect.READ, Effect.UNKNOWN}


@given(_CASES)
@_FEW
def test_a_database_without_rules_is_unknown(case: tuple[str, str]) -> None:
    [found] = judge([Statement(7, "r", case[1])], dialect="oracle", schema=None)
    assert (found.n, found.effects) == (7, _UNKNOWN)
