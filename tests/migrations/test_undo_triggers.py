"""Do triggers, rules or row security spoil what a rollback puts back? They are silent, or the plan says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.model import Effect, Plan
from mcp_migrate.rules import judge
from mcp_migrate.schema import shape
from tests import mariadb
from tests.migrations.undoing import asking, plan_for, run, schema_of

CODE = "BEGIN INSERT INTO log (what) VALUES (TG_NAME); NEW.b = 99; RETURN NEW; END"
SPOIL = (
    "CREATE TABLE log (n serial, what text)",
    f"CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS '{CODE}'",
)
WATCH = (
    'CREATE TRIGGER "An ""odd"" name" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION spoil()',
    "CREATE TRIGGER always AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION spoil()",
    "CREATE TRIGGER replica BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION spoil()",
    "CREATE TRIGGER quiet BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION spoil()",
    "ALTER TABLE t ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica, DISABLE TRIGGER quiet",
)
KEYED = "CREATE TABLE t (id integer PRIMARY KEY, b integer, a text)"
ROWS = "INSERT INTO t VALUES (1, 5, 'x'), (2, 6, 'y')"
DROP, ADD = "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ADD COLUMN a text"


def asked(url: str, *texts: str) -> list[Any]:
    """What the last of them gives."""
    with asking(url) as ask:
        return [ask(sql) for sql in texts][-1]


def look(url: str) -> tuple[str, list[Any], list[Any], list[Any]]:
    states = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    rest = (asked(url, sql) for sql in ("SELECT id, b, a FROM t ORDER BY 1, 2", "SELECT what FROM log", states))
    first, second, third = rest
    return shape(schema_of(url)), first, second, third


def told(plan: Plan) -> str:
    assert plan.undo is not None
    return " ".join(plan.undo.why_not)


@pytest.mark.parametrize("table", [KEYED, KEYED.replace(" PRIMARY KEY", "")])
@pytest.mark.parametrize(
    ("up", "down"),
    [((), ()), (("DROP TRIGGER replica ON t",), (WATCH[2], "ALTER TABLE t ENABLE REPLICA TRIGGER replica"))],
)
@pytest.mark.proves("design-5")
def test_triggers_do_not_act_on_what_is_put_back_and_are_then_what_they_were(
    postgres_url: str, table: str, up: Sequence[str], down: Sequence[str]
) -> None:
    asked(postgres_url, *SPOIL, table, ROWS, *WATCH)
    before = look(postgres_url)
    plan = plan_for(postgres_url, [*up, DROP], [ADD, *down])
    assert told(plan) == ""
    run(postgres_url, plan.statements)
    judged = judge(plan.reverse.statements, dialect="postgresql", schema=schema_of(postgres_url))
    silent = [each for each in judged if " TRIGGER " in plan.reverse.statements[each.n - 1].sql]
    assert {Effect.DATA} in [each.effects for each in silent]
    run(postgres_url, plan.reverse.statements)
    assert look(postgres_url) == before


REFUSED = {
    "a rule": ("", "CREATE RULE r AS ON UPDATE TO t DO ALSO INSERT INTO log (what) VALUES ('rule')", "a rule of"),
    "a partition": (
        (
            f"{KEYED} PARTITION BY RANGE (id);"
            "CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (id);"
            "CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (9)"
        ),
        "CREATE TRIGGER w BEFORE UPDATE ON q FOR EACH ROW EXECUTE FUNCTION spoil()",
        "partitions or children",
    ),
    "a constraint that waits": (
        "CREATE TABLE t (id integer PRIMARY KEY, b integer, a text UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        WATCH[0],
        "deferred constraint",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_silenced_is_told_as_not_kept(postgres_url: str, case: str) -> None:
    made, acting, why = REFUSED[case]
    asked(postgres_url, *SPOIL, made or KEYED, ROWS, acting)
    plan = plan_for(postgres_url, [DROP], [ADD])
    assert why in told(plan)
    assert plan.undo is not None
    assert plan.undo.kept == ()


def test_a_trigger_that_comes_back_before_the_values_of_its_column_is_told(postgres_url: str) -> None:
    asked(postgres_url, *SPOIL, KEYED, "ALTER TABLE t ALTER a SET NOT NULL", ROWS, WATCH[0])
    again = ['DROP TRIGGER "An ""odd"" name" ON t', DROP], [f"{ADD} NOT NULL", WATCH[0]]
    assert "triggers of public.t change while its values come back" in told(plan_for(postgres_url, *again))


def test_rows_that_row_security_hides_from_the_role_are_told_as_not_kept(postgres_url: str) -> None:
    asked(
        postgres_url,
        "CREATE ROLE bound_by_policy LOGIN",
        "GRANT CREATE ON SCHEMA public TO bound_by_policy",
        "SET ROLE bound_by_policy",
        *(KEYED, ROWS, "CREATE POLICY p ON t USING (id = 1)"),
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    )
    own = postgres_url.replace("postgres:@", "bound_by_policy:@")
    try:
        assert told(plan_for(own, [DROP], [ADD])) == ""  # its owner passes by
        asked(postgres_url, "ALTER TABLE t FORCE ROW LEVEL SECURITY")
        assert "not all rows of public.t can be seen" in told(plan_for(own, [DROP], [ADD]))
    finally:
        asked(postgres_url, "DROP OWNED BY bound_by_policy CASCADE", "DROP ROLE bound_by_policy")


LATER = "CREATE TRIGGER on_{0} AFTER {0} ON {1} FOR EACH ROW INSERT INTO log VALUES ('{0}')"


@pytest.mark.parametrize("event", ["update", "insert"])
def test_where_no_trigger_can_be_silenced_a_column_comes_back_only_if_none_hears_of_it(
    mariadb_url: str, tmp_path: Path, event: str
) -> None:
    lite = f"sqlite:///{tmp_path / 'a.db'}"
    for sql in ("CREATE TABLE log (what text)", KEYED, ROWS):
        asked(lite, sql)
        mariadb.ask(mariadb_url, sql)
    in_other_letters = LATER.format(event, "T").replace("ROW INSERT", "ROW BEGIN INSERT")
    asked(lite, f"{in_other_letters}; END")
    mariadb.ask(mariadb_url, LATER.format(event, "t"))
    for url in (lite, mariadb_url):
        plan = plan_for(url, [DROP], [ADD])
        assert ("would act when its values are put back" in told(plan)) == (event == "update")
        run(url, plan.statements)
        run(url, plan.reverse.statements)
    read = "SELECT id, b, a FROM t ORDER BY id", "SELECT count(*) FROM log"
    kept = [(1, 5, "x"), (2, 6, "y")] if event == "insert" else [(1, 5, None), (2, 6, None)]
    assert [asked(lite, sql) for sql in read] == [kept, [(0,)]]
    assert [list(mariadb.ask(mariadb_url, sql)) for sql in read] == [kept, [(0,)]]
