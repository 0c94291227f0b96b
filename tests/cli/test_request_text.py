"""Can a reviewer decide in half a minute, also on a plan of twenty statements?"""

from __future__ import annotations

from typing import Any

from mcp_migrate.approvals.summary import worst_first
from mcp_migrate.cli.request_text import render
from mcp_migrate.model import Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.interface import Policy
from tests.rules.labelled import SCHEMAS

_PLAN = (
    """
CREATE TABLE invoices (id integer PRIMARY KEY)
ALTER TABLE users ADD COLUMN phone text
ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid()
CREATE INDEX by_email2 ON users (email)
ALTER TABLE users ALTER COLUMN email SET NOT NULL
DELETE FROM orders WHERE total = 0
ALTER TABLE orders DROP COLUMN total
ALTER TABLE users RENAME COLUMN name TO full_name
SELECT tidy_up()
GRANT SELECT ON users TO reporting
""".strip().splitlines()
    + [f"CREATE TABLE t{n} (id integer)" for n in range(10)]
)
_WHY = "Both names are read since June"


def _shown(**changed: Any) -> list[str]:
    statements = [Statement(n, "b2", sql) for n, sql in enumerate(_PLAN, 1)]
    policy = Policy(accepted={"rename": _WHY})
    judged = judge(statements, dialect="postgresql", schema=SCHEMAS["postgresql"], policy=policy)
    plan = {
        "statements": [statement.frozen() for statement in statements],
        "reverse": {"available": True},
        "doubts": ["it read rows"],
        "from_revision": "a1",
        "to_revision": "b2",
    }
    body = {
        "request_id": "req_1",
        "plan": plan,
        "quorum": {"groups": ["dba"], "rules": ["destructive"]},
        "judgements": [judgement.told() for judgement in judged],
        "effects": sorted({effect for judgement in judged for effect in judgement.effects}),
        "rows": {"public.orders": 120031},
        **dict.fromkeys("expires_at tool target principal workflow owner intent plan_digest".split(), "x"),
        **changed,
    }
    return render(body, {"status": "pending", "still_needed": 1, "decisions": []}).splitlines()


def test_it_says_whose_signature_is_missing_and_what_their_keys_have_to_prove() -> None:
    assert "Needs     1 more signature(s) of dba" in _shown()
    verified = _shown(quorum={"groups": ["dba"], "rules": [], "assurance": "verified"})
    assert "Needs     1 more signature(s) of dba, by keys that prove `verified`" in verified


def test_the_worst_comes_first_and_each_effect_names_its_statements() -> None:
    lines = _shown()
    told = " ".join(" ".join(lines).split())
    assert "privilege (10), destructive (6, 7), unknown (9), breaking (5, 7), blocking (3-5)" in told
    assert "Look at 8 of 20 statements, the worst first:" in lines
    marks = [line for line in lines if line[:4].strip().isdigit()]
    assert marks[0].startswith("  10  [privilege]")
    assert [line[:4].strip() for line in marks[:4]] == ["10", "6", "7", "9"]
    assert "public.orders: 120,031" in told


def test_what_only_adds_is_shown_after_the_rest_as_its_sql() -> None:
    lines = _shown()
    others = lines[lines.index("The others:") :]
    assert others[1:3] == ["   1  [additive]", "      CREATE TABLE invoices (id integer PRIMARY KEY)"]
    assert sum("CREATE TABLE t" in line for line in others) == 10


def test_every_statement_is_there_to_the_letter() -> None:
    assert all(f"      {sql}" in _shown() for sql in _PLAN)


def test_the_reason_of_an_admin_is_shown_with_what_was_accepted() -> None:
    lines = _shown()
    assert f"Accepted  rename, by the configuration of this target: '{_WHY}' (statement 8)" in lines
    assert lines.index("The others:") > next(n for n, line in enumerate(lines) if "RENAME COLUMN" in line)


def test_who_waits_the_longer_is_told_first() -> None:
    waits = [line for line in _shown() if line.startswith("Waiting")]
    assert "while every row is" in waits[0]
    assert "while every row is" not in waits[-1]


def test_an_effect_of_a_newer_version_is_shown_as_the_worst() -> None:
    assert worst_first(["additive", "haunting", "privilege"]) == ["haunting", "privilege", "additive"]
    judged = [{"n": 1, "effects": ["haunting"], "why": "Boo."}]
    lines = _shown(effects=["haunting"], judgements=judged)
    assert any(line.startswith("   1  [haunting] Boo.") for line in lines)


def test_no_line_of_ours_is_wider_than_a_terminal() -> None:
    assert [line for line in _shown() if len(line) > 110] == []
