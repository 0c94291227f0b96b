"""What does code do that the database already has, and is what is said of PostgreSQL's own functions true?"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.postgresql.writer import _session
from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.postgresql import builtins, settings
from mcp_migrate.schema.model import Column, Other, Schema, Table

_BODY = "CREATE OR REPLACE FUNCTION public.{}\n RETURNS {}\n LANGUAGE {}\nAS $function$ {} $function$\n"


def _function(name: str, body: str, *, returns: str = "trigger", language: str = "plpgsql") -> Other:
    return Other("function", "public", name, _BODY.format(name, returns, language, body))


def _trigger(name: str, table: str, function: str) -> Other:
    text = f"CREATE TRIGGER {name} AFTER INSERT ON public.{table} FOR EACH ROW EXECUTE FUNCTION public.{function}() O"
    return Other("trigger", "public", name, text, f"public.{table}")


def _table(name: str) -> Table:
    return Table("public", name, (Column("id", "integer", nullable=False), Column("at", "timestamptz", nullable=True)))


_OTHERS = (
    _function("touch()", "BEGIN NEW.at = now(); RETURN NEW; END"),
    _function("record()", "BEGIN INSERT INTO log VALUES (1); RETURN NEW; END"),
    _function("purge()", "BEGIN DELETE FROM log; RETURN NEW; END"),
    _function("shape()", "BEGIN DROP TABLE log; RETURN NEW; END"),
    _function("twice(integer)", "SELECT $1 * 2", returns="integer", language="sql"),
    _function("calls()", "SELECT purged()", returns="integer", language="sql"),
    _function("purged()", "DELETE FROM log; SELECT 1", returns="integer", language="sql"),
    _function("first()", "SELECT second()", returns="integer", language="sql"),
    _function("second()", "SELECT first()", returns="integer", language="sql"),
    Other("function", "public", "native()", "CREATE FUNCTION public.native() RETURNS integer LANGUAGE c AS 'x', 'y'"),
    _trigger("t", "touched", "touch"),
    _trigger("r", "recorded", "record"),
    _trigger("p", "purged", "purge"),
    Other("policy", "public", "own", "* permissive public using (id = 1)", "public.guarded"),
    Other("view", "public", "plain", " SELECT id FROM touched;"),
    Other("view", "public", "nested", " SELECT id FROM plain;"),
    Other("view", "public", "acting", " SELECT calls() AS n;"),
    Other("view", "public", "circle", " SELECT id FROM circle;"),
    Other("extension", "public", "pgcrypto", "1.3"),
)
_SCHEMA = Schema("postgresql", tuple(map(_table, ("log", "touched", "recorded", "purged", "guarded"))), _OTHERS)


def _judged(*texts: str, schema: Schema | None = _SCHEMA) -> tuple[Judgement, ...]:
    return judge([Statement(n, "r", text) for n, text in enumerate(texts)], dialect="postgresql", schema=schema)


def _effects(*texts: str, schema: Schema | None = _SCHEMA) -> set[str]:
    return set(_judged(*texts, schema=schema)[-1].effects)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT twice(2)", "read"),
        ("SELECT calls()", "destructive"),
        ("SELECT first()", "read unknown"),
        ("SELECT native()", "privilege unknown"),
        ("CREATE VIEW v AS SELECT twice(id) FROM log", "additive"),
        ("SELECT id FROM plain", "read"),
        ("SELECT id FROM nested", "read"),
        ("SELECT n FROM acting", "destructive"),
        ("SELECT id FROM circle", "read unknown"),
        ("SELECT crypt('x', gen_salt('bf'))", "read"),
    ],
)
def test_what_the_database_has_is_read_before_it_is_judged(sql: str, words: str) -> None:
    assert _effects(sql) == set(words.split())


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("log", "data"),
        ("touched", "data"),
        ("recorded", "data"),
        ("purged", "data destructive"),
        ("guarded", "data unknown"),
    ],
)
def test_a_write_does_what_the_triggers_of_its_table_do(table: str, words: str) -> None:
    assert _effects(f"INSERT INTO {table} (id) VALUES (1)") == set(words.split())  # noqa: S608  a constant


def test_a_trigger_on_a_new_table_with_a_function_of_the_database_is_as_harmless_as_that() -> None:
    make = "CREATE TABLE items (id integer, at timestamptz)"
    trigger = "CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION {}()"
    assert _effects(make, trigger.format("touch")) == {Effect.ADDITIVE}
    assert _effects(make, trigger.format("shape")) == {Effect.ADDITIVE, Effect.DESTRUCTIVE, Effect.BREAKING}


def test_a_function_that_the_plan_altered_is_no_longer_what_the_schema_says() -> None:
    assert _effects("ALTER FUNCTION twice(integer) VOLATILE", "SELECT twice(2)") == {Effect.READ, Effect.UNKNOWN}


def test_a_trigger_of_the_plan_on_alembics_table_is_told_with_each_step() -> None:
    body = "CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; RETURN NEW; END $$"
    make = "CREATE TRIGGER t AFTER UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION boom()"
    step = Statement(9, "r", "UPDATE alembic_version SET version_num = 'b'", kind="version")
    for table, told in (("alembic_version", True), ("log", False)):
        plan = [Statement(1, "r", body), Statement(2, "r", make.format(table)), step]
        found = judge(plan, dialect="postgresql", schema=_SCHEMA)[-1]
        assert (Effect.DESTRUCTIVE in found.effects) is told


def test_a_function_of_an_extension_may_take_a_call_with_arguments() -> None:
    strange = Schema("postgresql", _SCHEMA.tables, (*_OTHERS, Other("extension", "public", "dblink", "1.2")))
    assert _effects("SELECT twice(2)", schema=strange) == {Effect.READ, Effect.UNKNOWN}


def test_code_that_only_is_written_down_takes_no_lock_and_says_when() -> None:
    [found] = _judged("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DROP TABLE log'")
    assert (found.lock, found.objects) == (None, ("public.log", "public.f"))
    assert "When it runs: Drops public.log" in found.why


def test_a_definer_without_a_search_path_is_told() -> None:
    text = "CREATE FUNCTION f() RETURNS integer LANGUAGE sql SECURITY DEFINER {} AS 'SELECT 1'"
    loose, pinned = _judged(text.format(""))[0].why, _judged(text.format("SET search_path = pg_catalog"))[0].why
    assert "without a search_path of its own" in loose
    assert "search_path" not in pinned


def test_a_grant_says_what_is_given_on_what_to_whom() -> None:
    [found] = _judged("GRANT SELECT (id), UPDATE ON log, app.x TO bob, PUBLIC WITH GRANT OPTION")
    assert found.objects == ("public.log", "app.x")
    assert "SELECT (id), UPDATE on public.log, app.x to bob, PUBLIC, with the right to pass it on," in found.why


def test_a_grant_on_a_whole_schema_is_covered_by_no_scope_on_one_table() -> None:
    [found] = _judged("GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob")
    assert found.objects[-1] == "public.?"
    assert "public.log" in found.objects


def test_a_password_is_never_told() -> None:
    [found] = _judged("CREATE ROLE bob LOGIN PASSWORD 'geheim'")
    assert "geheim" not in found.why


def test_whose_sequence_it_is_is_told_where_its_name_is_not() -> None:
    [found] = _judged("SELECT setval(pg_get_serial_sequence('log', 'id'), (SELECT max(id) FROM log))")
    assert found.objects == ("public.log.id", "public.log")


def test_strings_mean_at_the_apply_what_they_meant_to_the_parser() -> None:
    pinned = _session(Limits())
    assert pinned["standard_conforming_strings"] == "on"
    assert pinned["search_path"] == "public"
    told = {name for name in pinned if name not in settings.HARMLESS}
    assert told == {"search_path", "default_transaction_isolation"}


def test_much_that_acts_on_one_table_is_told_in_part_and_says_so() -> None:
    body = "BEGIN DELETE FROM {}; RETURN NEW; END"
    makes = [f"CREATE FUNCTION f{n}() RETURNS trigger LANGUAGE plpgsql AS '{body.format(f't{n}')}'" for n in range(60)]
    joins = [f"CREATE TRIGGER t{n} AFTER INSERT ON log EXECUTE FUNCTION f{n}()" for n in range(60)]
    found = _judged(*makes, *joins, "INSERT INTO log (id) VALUES (1)")[-1]
    assert {Effect.DATA, Effect.DESTRUCTIVE} <= found.effects
    assert "?" in found.objects
    assert len(found.objects) < 60


@pytest.mark.parametrize("depth", [5, 40, 3_000])
def test_code_in_code_is_looked_into_or_unknown(depth: int) -> None:
    text = "DELETE FROM log"
    blocks = f"DO $$ {'BEGIN ' * depth} {text}; {'END; ' * depth} $$"
    assert _effects(blocks) & {Effect.DESTRUCTIVE, Effect.UNKNOWN}
    for n in range(min(depth, 40)):
        text = f"DO $d{n}$ BEGIN {text}; END $d{n}$"
    assert _effects(text) & {Effect.DESTRUCTIVE, Effect.UNKNOWN}


_PROCEDURES = """
SELECT proname, bool_or(provolatile = 'v') FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1
"""


@pytest.fixture(params=["15", "18"])
def volatile(request: pytest.FixtureRequest) -> Iterator[dict[str, bool]]:
    """Whether any function of a name is volatile, on a server of that version."""
    url = request.getfixturevalue({"15": "postgres_15", "18": "postgres_server"}[request.param])
    with psycopg.connect(url) as connection:
        version = connection.info.server_version // 10_000
        assert str(version) == request.param
        yield {str(name): bool(changes) for name, changes in connection.execute(_PROCEDURES).fetchall()}


def test_each_steady_function_is_immutable_or_stable_on_the_server(volatile: dict[str, bool]) -> None:
    claimed = builtins.STEADY_FUNCTIONS - builtins.GRAMMAR
    assert {name for name in claimed if volatile.get(name)} == set()
    assert not builtins.GRAMMAR & volatile.keys()


def test_no_listed_function_is_made_up(volatile: dict[str, bool]) -> None:
    listed = builtins.STEADY_FUNCTIONS | builtins.FRESH_FUNCTIONS | builtins.TELLING | builtins.COUNTERS
    of_other_versions = listed - builtins.GRAMMAR - volatile.keys()
    assert len(of_other_versions) < 40


def test_what_changes_or_reaches_out_on_the_server_is_harmless_for_nobody(volatile: dict[str, bool]) -> None:
    harmless = builtins.STEADY_FUNCTIONS | builtins.FRESH_FUNCTIONS | builtins.TELLING | builtins.COUNTERS
    unlisted = {name for name, changes in volatile.items() if changes and name not in harmless}
    assert {name for name in unlisted if not builtins.may_be_risky(name)} == set()
