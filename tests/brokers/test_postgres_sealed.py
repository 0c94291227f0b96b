"""What can somebody do to a target of sealed plans who has stolen all that the server has?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from mcp_migrate.brokers import ending
from mcp_migrate.brokers.interface import Purpose
from mcp_migrate.brokers.placing import open_sealer
from mcp_migrate.brokers.sealing import refuse_unsealable
from mcp_migrate.drivers.postgresql import connect, driver
from mcp_migrate.errors import CredentialFailedError, InvalidArgumentsError, NotSealableError, TargetUnreachableError
from mcp_migrate.model import Plan, Statement
from mcp_migrate.settings import Target
from mcp_migrate.settings.credentials import Credentials
from tests.brokers.conftest import OPENING, hold, opening, step
from tests.brokers.sealed_shop import SealedShop, plan_of, run, sealed_shop
from tests.waiting import until

_VERIFIER = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"
_TWO = plan_of("CREATE TABLE made (id int)", "INSERT INTO made VALUES (1)")


@pytest.fixture(params=["postgres_server", "older_server"])
def shop(request: pytest.FixtureRequest) -> Iterator[SealedShop]:
    with sealed_shop(request.getfixturevalue(request.param)) as here:
        yield here


def _refused(session: object, sql: str) -> None:
    with pytest.raises(driver().Error):
        session.execute(sql.encode())  # type: ignore[attr-defined]


@pytest.mark.proves("sealed")
def test_what_was_sealed_runs_once_in_order_and_whole(shop: SealedShop) -> None:
    refused = driver().errors.RaiseException, driver().Error
    with shop.session() as thief:
        for numbers in ([1], [1, 2]):
            with pytest.raises(refused):  # nobody sealed it
                run(thief, _TWO, numbers)
        shop.seal(_TWO)
        for numbers in ([2], [2, 1], [1], [1, 1], [1, 2, 2], [0], [1, 3]):  # not in order, or not to its end
            with pytest.raises(refused):
                run(thief, _TWO, numbers)
        thief.execute(b"BEGIN")
        thief.execute(f"SELECT mcp_migrate_sealed.run('{_TWO.digest}', 1)".encode())
        thief.execute(b"ROLLBACK")
        assert shop.ask("SELECT to_regclass('made')") == [(None,)]
        first = f"SELECT mcp_migrate_sealed.run('{_TWO.digest}', 1)"
        with pytest.raises(driver().Error, match="to its end"):  # nor is half of it kept by asking for the check early
            thief.execute(f"BEGIN; {first}; SET CONSTRAINTS ALL IMMEDIATE; COMMIT".encode())
        thief.execute(b"ROLLBACK")
        run(thief, _TWO, [1, 2])  # what was rolled back did not use it up
        assert shop.ask("SELECT id, tableowner FROM made, pg_tables WHERE tablename = 'made'") == [
            (1, f"{shop.stem}_owner")
        ]
        with pytest.raises(refused):
            run(thief, _TWO, [1, 2])
        with pytest.raises(InvalidArgumentsError, match="sealed before"):
            shop.seal(_TWO)
        with open_sealer(shop.url("sealer")) as sealer, pytest.raises(InvalidArgumentsError, match="was used"):
            sealer.withdraw(_TWO)
        shop.ask("DROP TABLE made")
        shop.seal(_TWO, again=True)
        run(thief, _TWO, [1, 2])


@pytest.mark.proves("sealed")
def test_a_seal_does_not_run_before_its_time_after_it_or_when_it_was_withdrawn(shop: SealedShop) -> None:
    with shop.session() as thief:
        for begins, lasts in ((600, 60), (-60, 30)):
            shop.seal(_TWO, begins=begins, lasts=lasts, again=True)
            with pytest.raises(driver().Error, match="sealed now"):
                run(thief, _TWO, [1, 2])
        shop.seal(_TWO, again=True)
        with open_sealer(shop.url("sealer")) as sealer:
            sealer.withdraw(_TWO)
            with pytest.raises(InvalidArgumentsError, match="No seal"):
                sealer.withdraw(plan_of("SELECT 1"))
        with pytest.raises(driver().Error, match="sealed now"):
            run(thief, _TWO, [1, 2])
        shop.seal(_TWO, again=True)
        run(thief, _TWO, [1, 2])


@pytest.mark.proves("sealed")
@pytest.mark.parametrize("purpose", [Purpose.APPLY, Purpose.READ])
def test_a_stolen_credential_of_a_step_writes_nothing_by_itself(shop: SealedShop, purpose: Purpose) -> None:
    shop.seal(_TWO)
    with shop.session(purpose) as thief:
        reads_only = thief.execute(b"SHOW default_transaction_read_only").fetchall()
        assert reads_only == [("on" if purpose is Purpose.READ else "off",)]
        thief.execute(b"SET default_transaction_read_only = off")
        assert thief.execute(b"SELECT * FROM kept").fetchall() == []
        for sql in (
            "INSERT INTO kept VALUES (1)",
            "DROP TABLE kept",
            "CREATE TABLE public.mine (id int)",
            "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            f"SET ROLE {shop.stem}_owner",
            f"SET ROLE {shop.stem}_keeper",
            f"SET SESSION AUTHORIZATION {shop.stem}_owner",
            f"GRANT {shop.stem}_owner TO CURRENT_USER",
            "CREATE ROLE mcp_migrate_step_ffffffffff_00000000 LOGIN",
            "ALTER ROLE CURRENT_USER CREATEROLE",
            "SELECT mcp_migrate_sealed.as_owner('DROP TABLE kept')",
            "SELECT mcp_migrate_sealed.prune_as_owner(ARRAY['a'])",
            "SELECT mcp_migrate_sealed.seal('{}', now(), now(), true)",
            f"SELECT mcp_migrate_sealed.withdraw('{_TWO.digest}')",
            "SELECT mcp_migrate_sealed.issue('x', 60, true)",
            "SELECT mcp_migrate_sealed.finish('x')",
            "SELECT * FROM mcp_migrate_sealed.seals",
            "UPDATE mcp_migrate_sealed.seals SET body = ''",
            "INSERT INTO mcp_migrate_sealed.steps VALUES (session_user, now(), true)",
            "ALTER FUNCTION mcp_migrate_sealed.run(text, integer) RESET ALL",
            "CREATE FUNCTION mcp_migrate_sealed.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "INSERT INTO mcp_migrate.applies VALUES ('a', 'b', 1)",
            "DELETE FROM mcp_migrate.heads",
        ):
            _refused(thief, sql)
        if purpose is Purpose.READ:
            with pytest.raises(driver().Error, match="that may run sealed plans"):
                run(thief, _TWO, [1, 2])
    assert shop.ask("SELECT count(*) FROM pg_class WHERE relname IN ('mine', 'made')") == [(0,)]


@pytest.mark.proves("sealed", "step-credentials-end-sessions")
def test_a_session_that_is_still_being_opened_reads_nothing_once_its_step_is_over(older_server: str) -> None:
    """From 16 on it could not act as the reader, and has nothing left when its role is gone."""
    with sealed_shop(older_server) as shop:
        issued = shop.broker.issue(step())
        with opening(issued, seconds=4, acting_as=f"{shop.stem}_reader") as thief:
            until(lambda: shop.ask(OPENING))
            shop.broker.revoke(issued)
            with pytest.raises((TargetUnreachableError, driver().Error)):
                thief.result()


@pytest.mark.proves("sealed")
def test_the_stolen_url_of_the_runner_makes_roles_of_steps_and_nothing_else(shop: SealedShop) -> None:
    shop.seal(_TWO)
    with shop.session() as other, connect(shop.url("runner")) as thief:
        [(theirs,)] = other.execute(b"SELECT session_user").fetchall()
        for sql in (
            "SELECT * FROM kept",
            "CREATE TABLE public.mine (id int)",
            f"SET ROLE {shop.stem}_owner",
            f"SET ROLE {theirs}",
            f"SELECT mcp_migrate_sealed.run('{_TWO.digest}', 1)",
            "SELECT mcp_migrate_sealed.as_owner('DROP TABLE kept')",
            "SELECT mcp_migrate_sealed.seal('{}', now(), now(), true)",
            "SELECT mcp_migrate_sealed.issue('md5x', 60, true)",
            "SELECT mcp_migrate_sealed.issue('x'' SUPERUSER', 60, true)",
            f"SELECT mcp_migrate_sealed.issue('{_VERIFIER}', 86401, true)",
            f"SELECT mcp_migrate_sealed.issue('{_VERIFIER}', 0, true)",
            f"SELECT mcp_migrate_sealed.issue('{_VERIFIER}', NULL, true)",
            f"SELECT mcp_migrate_sealed.issue('{_VERIFIER}', 60, NULL)",
            "SELECT mcp_migrate_sealed.issue(NULL, 60, true)",
        ):
            _refused(thief, sql)
        assert thief.execute(f"SELECT mcp_migrate_sealed.finish('{shop.stem}_owner')".encode()).fetchall() == [(0,)]
        thief.execute(b"SELECT mcp_migrate_sealed.close('postgres')")
        [(mine,)] = thief.execute(f"SELECT (mcp_migrate_sealed.issue('{_VERIFIER}', 60, true)).name".encode())
        finish = f"SELECT mcp_migrate_sealed.finish('{mine}'), to_regrole('{mine}') IS NULL"
        assert thief.execute(finish.encode()).fetchall() == [(0, False)]  # it may still log in
        thief.execute(f"SELECT mcp_migrate_sealed.close('{mine}')".encode())
        assert thief.execute(finish.encode()).fetchall() == [(0, True)]
    assert shop.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'postgres'") == [(True,)]


@pytest.mark.proves("sealed")
def test_what_stands_in_the_session_of_a_thief_changes_nothing_of_what_was_sealed(shop: SealedShop) -> None:
    shop.ask(f"SET ROLE {shop.stem}_owner; CREATE TABLE texts (t text); RESET ROLE")
    plan = plan_of("INSERT INTO texts SELECT 'a\\b' WHERE NULL = NULL OR true")
    shop.seal(plan)
    with shop.session() as thief:
        thief.execute(b"SET standard_conforming_strings = off")
        thief.execute(b"SET search_path = pg_temp, public")
        thief.execute(b"SET transform_null_equals = on")
        thief.execute(b"BEGIN")
        thief.execute(b"CREATE TEMP TABLE texts (t text)")
        with pytest.raises(driver().Error, match="temporary objects"):
            thief.execute(f"SELECT mcp_migrate_sealed.run('{plan.digest}', 1)".encode())
        thief.execute(b"ROLLBACK")
    with shop.session() as thief:
        thief.execute(b"SET standard_conforming_strings = off")
        run(thief, plan, [1])
    assert shop.ask("SELECT t FROM texts") == [("a\\b",)]


@pytest.mark.proves("sealed")
@pytest.mark.parametrize(
    ("setting", "text", "made"),
    [
        ("plpgsql.check_asserts = off", "DO $$ BEGIN ASSERT false; CREATE TABLE made (t text); END $$", None),
        ("timezone_abbreviations = 'Australia'", "CREATE TABLE made AS SELECT '1-1-1 12:00 EST'::timestamptz t", 17),
        ("timezone = 'Asia/Tokyo'", "CREATE TABLE made AS SELECT '1-1-1 12:00'::timestamptz t", 12),
    ],
)
def test_no_setting_of_a_thief_gives_a_sealed_text_another_meaning(
    postgres_server: str, setting: str, text: str, made: int | None
) -> None:
    with sealed_shop(postgres_server) as shop, shop.session() as thief:
        shop.seal(plan_of(text))
        thief.execute(f"SET {setting}".encode())
        if made is None:
            with pytest.raises(driver().errors.AssertFailure):
                run(thief, plan_of(text), [1])
            return
        run(thief, plan_of(text), [1])
        assert shop.ask("SELECT extract(hour FROM t AT TIME ZONE 'UTC') FROM made") == [(made,)]


@pytest.mark.proves("sealed")
def test_a_guard_sees_the_rows_that_are_there_and_not_those_of_when_a_thief_began(shop: SealedShop) -> None:
    plan = plan_of(Statement(1, "p1", "SELECT 1 FROM kept", guard="rows are there"), "DROP TABLE kept")
    shop.seal(plan)
    with shop.session() as thief:
        thief.execute(b"BEGIN ISOLATION LEVEL REPEATABLE READ")
        thief.execute(b"SELECT * FROM kept")
        shop.ask("INSERT INTO kept VALUES (1)")
        with pytest.raises(driver().Error, match="does not see what others commit"):
            thief.execute(f"SELECT mcp_migrate_sealed.run('{plan.digest}', 1)".encode())


@pytest.mark.proves("sealed")
def test_what_a_thief_leaves_behind_keeps_no_other_step_from_its_credential(shop: SealedShop) -> None:
    stolen = shop.broker.issue(step(Purpose.READ))
    with connect(stolen.url) as thief:
        thief.execute(b"SET default_transaction_read_only = off")
        thief.execute(b"SELECT lo_from_bytea(0, 'left')")
    shop.ask("UPDATE mcp_migrate_sealed.steps SET ends = now() - interval '1 second'")
    issued = shop.broker.issue(step())
    assert issued.swept == ()
    with pytest.raises(TargetUnreachableError, match="not permitted to log in"):
        connect(stolen.url).__enter__()
    shop.ask("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    assert shop.broker.sweep() == (stolen.role,)
    shop.broker.revoke(issued)


@pytest.mark.proves("sealed")
@pytest.mark.parametrize(
    "text",
    [
        "RESET ROLE",
        "SET ROLE postgres",
        "RESET SESSION AUTHORIZATION",
        "COMMIT",
        "ROLLBACK",
        "SELECT mcp_migrate_sealed.as_owner('SELECT 1')",
        "GRANT EXECUTE ON FUNCTION mcp_migrate_sealed.as_owner(text) TO PUBLIC",
        "DROP FUNCTION mcp_migrate_sealed.as_owner(text)",
        "UPDATE mcp_migrate_sealed.seals SET done = 0",
        "DELETE FROM mcp_migrate_sealed.steps",
        "DELETE FROM mcp_migrate.applies",
        "GRANT USAGE ON SCHEMA mcp_migrate_sealed TO PUBLIC",
        "CREATE OR REPLACE FUNCTION mcp_migrate_sealed.why_not(text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
    ],
)
def test_even_sealed_text_does_not_leave_the_owner_or_reach_the_store(postgres_server: str, text: str) -> None:
    with sealed_shop(postgres_server) as shop, shop.session() as step_of:
        plan = plan_of(text)
        shop.seal(plan)
        with pytest.raises(driver().Error):
            run(step_of, plan, [1])
        assert shop.broker.alterations() == ()
        assert shop.ask("SELECT done FROM mcp_migrate_sealed.seals") == [(0,)]


@pytest.mark.proves("sealed")
def test_a_guard_that_finds_rows_ends_the_plan_whoever_runs_it(shop: SealedShop) -> None:
    shop.ask("INSERT INTO kept VALUES (1)")
    plan = plan_of(Statement(1, "p1", "SELECT 1 FROM kept", guard="rows are there"), "DROP TABLE kept")
    shop.seal(plan)
    with shop.session() as thief, pytest.raises(driver().Error, match="touched 1 rows"):
        run(thief, plan, [1, 2])
    assert shop.ask("SELECT id FROM kept") == [(1,)]


@pytest.mark.proves("sealed")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=some.lists(some.integers(-1, 4), max_size=6), other=some.booleans())
def test_no_other_way_of_running_it_leaves_anything(numbers: list[int], *, other: bool, postgres_server: str) -> None:
    with sealed_shop(postgres_server) as shop, shop.session() as thief:
        plan = plan_of("CREATE TABLE made (id int)", "DROP TABLE made", "CREATE TABLE made (id bigint)")
        shop.seal(plan)
        asked = plan_of("CREATE TABLE made (id int)").digest if other else plan.digest
        try:
            run(thief, asked, numbers)
        except driver().Error:
            assert shop.ask("SELECT to_regclass('made')") == [(None,)]
        else:
            assert numbers in ([], [1, 2, 3])
            assert (numbers == []) or not other


@pytest.mark.proves("sealed-plans")
@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (Statement(1, "p1", "CREATE INDEX CONCURRENTLY i ON kept (id)", transactional=False), "in a transaction"),
        (Statement(1, "p1", "UPDATE kept SET id = 1", transactional=False, batches=True), "batches"),
        (Statement(1, "p1", "INSERT INTO kept VALUES ($1)", ((1,),)), "beside its text"),
        (Statement(1, "p1", "SET search_path = shop"), "setting of the session"),
        (Statement(1, "p1", "DISCARD ALL"), "setting of the session"),
        (Statement(1, "p1", "CREATE TEMP TABLE t (id int)"), "temporary"),
        (Statement(1, "p1", "CREATE TEMP TABLE t AS SELECT 1"), "temporary"),
    ],
)
def test_what_cannot_be_sealed_is_refused(statement: Statement, why: str) -> None:
    given_ = {"broker": "postgres-sealed", "owner_role": "o", "reader_role": "r"}
    target = Target.model_validate(
        {"tier": "production", "alembic": "a", "url": "postgresql://h/d"} | {"credentials": given_}
    )
    with pytest.raises(NotSealableError, match=why):
        refuse_unsealable(plan_of(statement), target)
    refuse_unsealable(_TWO, target)
    refuse_unsealable(plan_of(statement), target.model_copy(update={"credentials": Credentials()}))


@pytest.mark.proves("sealed")
def test_a_version_that_does_not_move_as_one_row_ends_the_plan_whoever_runs_it(shop: SealedShop) -> None:
    plan = plan_of(Statement(1, "p1", "UPDATE kept SET id = 2 WHERE id = 1", kind="version"), "DROP TABLE kept")
    shop.seal(plan)
    with shop.session() as thief, pytest.raises(driver().Error, match="touched 0 rows"):
        run(thief, plan, [1, 2])


@pytest.mark.proves("sealed")
def test_what_is_stored_runs_only_as_it_was_sealed(shop: SealedShop) -> None:
    shop.seal(_TWO)
    shop.ask("UPDATE mcp_migrate_sealed.seals SET body = replace(body, 'made', 'other')")
    with shop.session() as step_of, pytest.raises(driver().Error, match="not what was sealed"):
        run(step_of, _TWO, [1, 2])


@pytest.mark.proves("sealed", "step-credentials-expire")
def test_a_session_that_outlives_its_step_runs_nothing(shop: SealedShop) -> None:
    shop.seal(_TWO)
    with shop.session() as thief:
        shop.ask("UPDATE mcp_migrate_sealed.steps SET ends = now() - interval '1 second'")
        with pytest.raises(driver().Error, match="not that of a step"):
            run(thief, _TWO, [1, 2])


@pytest.mark.proves("sealed")
def test_a_mark_is_of_what_ran_in_its_own_transaction(shop: SealedShop) -> None:
    shop.seal(_TWO)
    with shop.session() as thief:
        run(thief, _TWO, [1, 2])
        thief.execute(f"SELECT mcp_migrate_sealed.leave_mark('later', '{_TWO.digest}')".encode())
        thief.execute(b"SELECT mcp_migrate_sealed.mark_done('later')")
    assert shop.ask("SELECT apply_id, done FROM mcp_migrate.applies") == [("later", 0)]


@pytest.mark.proves("sealed")
def test_undo_data_whose_time_is_not_over_stays_whoever_asks(shop: SealedShop) -> None:
    for sql in (
        "CREATE TABLE mcp_migrate_undo.manifest (key text, place text, until timestamptz)",
        "CREATE TABLE mcp_migrate_undo.u_over_1 (id int)",
        "CREATE TABLE mcp_migrate_undo.u_kept_1 (id int)",
    ):
        shop.ask(f"SET ROLE {shop.stem}_owner; {sql}")
    shop.ask(
        "INSERT INTO mcp_migrate_undo.manifest VALUES ('over', 'mcp_migrate_undo.u_over_1', now()), "
        "('kept', 'mcp_migrate_undo.u_kept_1', now()), ('kept', 'mcp_migrate_undo.u_kept_2', now() + interval '1d'), "
        "('over', 'public.kept', now()), ('.*', 'mcp_migrate_undo.u_kept_1', now())"
    )
    with shop.session(Purpose.PRUNE) as thief:
        pruned = thief.execute(b"SELECT mcp_migrate_sealed.prune(ARRAY['over', 'kept', '.*'])").fetchall()
    assert pruned == [("over",)]
    left = "SELECT relname FROM pg_class WHERE relname IN ('u_over_1', 'u_kept_1', 'kept') ORDER BY 1"
    assert shop.ask(left) == [("kept",), ("u_kept_1",)]


@pytest.mark.proves("sealed-plans")
@pytest.mark.parametrize(
    "plan",
    [
        plan_of(),
        plan_of(Statement(1, "p1", "INSERT INTO kept VALUES ($1)", ((1,),))),
        plan_of(Statement(1, "p1", "CREATE INDEX CONCURRENTLY i ON kept (id)", transactional=False)),
        plan_of("SELECT 1", Statement(2, "p1", "UPDATE kept SET id = 1", batches=True)),
    ],
)
def test_nor_does_the_target_take_a_seal_of_it_whoever_asks(postgres_server: str, plan: Plan) -> None:
    with sealed_shop(postgres_server) as shop:
        with pytest.raises(InvalidArgumentsError, match="cannot be sealed"):
            shop.seal(plan)
        with connect(shop.url("sealer")) as sealer, pytest.raises(driver().Error, match="cannot be sealed"):
            sealer.execute(b"""SELECT mcp_migrate_sealed.seal('{"statements": [{}]}', now(), 'infinity', false)""")
        assert shop.ask("SELECT * FROM mcp_migrate_sealed.seals") == []


def test_a_target_that_seals_something_else_is_not_believed(postgres_server: str) -> None:
    with sealed_shop(postgres_server) as shop:
        taken = "body text, begins timestamptz, ends timestamptz, again boolean"
        function = f"mcp_migrate_sealed.seal({taken}) RETURNS text LANGUAGE sql SECURITY DEFINER"
        shop.ask(f"CREATE OR REPLACE FUNCTION {function} AS $$SELECT 'sha256:other'$$")
        with pytest.raises(TargetUnreachableError, match="sealed another plan"):
            shop.seal(_TWO)


@pytest.mark.proves("step-credentials-end-sessions")
def test_a_session_that_holds_its_own_role_ends_with_it(shop: SealedShop) -> None:
    stolen = shop.broker.issue(step(Purpose.READ))
    with connect(stolen.url) as thief:
        hold(thief)
        shop.broker.revoke(stolen)
        with pytest.raises(driver().Error):
            thief.execute(b"SELECT 1")
    assert shop.ask(f"SELECT to_regrole('{stolen.role}')") == [(None,)]


@pytest.mark.proves("step-credentials-end-sessions")
def test_sessions_that_do_not_end_are_told_and_the_role_stays(
    shop: SealedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = shop.broker.issue(step())
    with connect(issued.url):
        monkeypatch.setattr(ending, "_END_SECONDS", -1)
        with pytest.raises(CredentialFailedError, match="Sessions of"):
            shop.broker.revoke(issued)
        with pytest.raises(TargetUnreachableError, match="not permitted to log in"):
            connect(issued.url).__enter__()
        member = f"SELECT pg_has_role('{issued.role}', '{shop.stem}_reader', 'MEMBER')"
        assert shop.ask(member) == [(False,)]  # what is opened from here on reads nothing
    monkeypatch.undo()
    shop.broker.revoke(issued)


_WAVED_THROUGH = (
    "CREATE OR REPLACE FUNCTION mcp_migrate_sealed.why_not(asked text) RETURNS text LANGUAGE sql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT NULL::text'"
)


_REPLACED = (
    "DROP TRIGGER whole ON mcp_migrate_sealed.seals; CREATE CONSTRAINT TRIGGER whole AFTER UPDATE "
    "ON mcp_migrate_sealed.seals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW{when} EXECUTE FUNCTION {does}()"
)


@pytest.mark.proves("sealed-doctor")
@pytest.mark.parametrize(
    ("altered", "said"),
    [
        (
            _WAVED_THROUGH,
            "text of mcp_migrate_sealed.why_not",
        ),
        ("GRANT EXECUTE ON FUNCTION mcp_migrate_sealed.as_owner TO PUBLIC", "may be called by"),
        ("GRANT EXECUTE ON FUNCTION mcp_migrate_sealed.seal TO {stem}_runner", "seal may be called by"),
        ("ALTER FUNCTION mcp_migrate_sealed.run SECURITY INVOKER", "run does not run as it was made to"),
        ("ALTER FUNCTION mcp_migrate_sealed.run SET search_path = public", "run does not run as it was made to"),
        (
            "ALTER FUNCTION mcp_migrate_sealed.as_owner SET standard_conforming_strings = off",
            "as_owner does not run as",
        ),
        ("ALTER FUNCTION mcp_migrate_sealed.as_owner RESET row_security", "as_owner does not run"),
        ("ALTER FUNCTION mcp_migrate_sealed.run SET work_mem = '1GB'", "run does not run"),
        ("ALTER FUNCTION mcp_migrate_sealed.as_owner OWNER TO postgres", "as_owner is owned by postgres"),
        ("CREATE FUNCTION mcp_migrate_sealed.more() RETURNS int LANGUAGE sql AS 'SELECT 1'", "more is none of ours"),
        ("ALTER TABLE mcp_migrate_sealed.seals DISABLE TRIGGER whole", "half a plan"),
        ("GRANT UPDATE ON mcp_migrate_sealed.seals TO {stem}_reader", "has UPDATE on"),
        ("GRANT {stem}_owner TO {stem}_runner", "the runner is a member of"),
        ("ALTER ROLE {stem}_runner CREATEROLE", "the runner may make roles"),
        ("CREATE TABLE mine (id int)", "does not own public.mine"),
        (_REPLACED.format(when=" WHEN (false)", does="mcp_migrate_sealed.whole"), "half a plan"),
        (_REPLACED.format(when="", does="suppress_redundant_updates_trigger"), "half a plan"),
        ("DROP FUNCTION mcp_migrate_sealed.over", "over is missing"),
        ("ALTER ROLE {stem}_runner SUPERUSER", "the runner is a superuser"),
        ("ALTER ROLE {stem}_runner CREATEDB", "the runner may make databases"),
        ("ALTER ROLE {stem}_runner BYPASSRLS", "the runner goes past row security"),
        ("GRANT CREATE ON SCHEMA public TO {stem}_runner", "the runner may make things in public"),
        ("GRANT INSERT ON mcp_migrate.heads TO {stem}_reader", "_reader has INSERT on mcp_migrate.heads"),
        ("ALTER FUNCTION mcp_migrate_sealed.close OWNER TO {stem}_owner", "close is owned by"),
        ("GRANT UPDATE (body) ON mcp_migrate_sealed.seals TO {stem}_reader", "_reader has UPDATE on"),
        ("ALTER TABLE mcp_migrate_sealed.seals OWNER TO {stem}_reader", "seals is owned by"),
        ("REASSIGN OWNED BY {stem}_keeper TO {stem}_runner", "_runner keeps the store"),
        ("GRANT CREATE ON SCHEMA mcp_migrate_sealed TO {stem}_reader", "_reader has CREATE on"),
        ("GRANT USAGE ON SCHEMA mcp_migrate_sealed TO {stem}_owner", "_owner has USAGE on"),
        ("GRANT USAGE ON SCHEMA mcp_migrate_sealed TO PUBLIC", "PUBLIC has USAGE on"),
        ("GRANT {stem}_sealer TO {stem}_reader", "_reader is a member of"),
        ("GRANT {stem}_keeper TO {stem}_owner", "_owner is a member of"),
        ("ALTER ROLE {stem}_owner LOGIN", "_owner may log in"),
        ("CREATE RULE r AS ON INSERT TO mcp_migrate.applies DO ALSO SELECT 1", "a trigger or a rule"),
        (
            "CREATE TRIGGER more AFTER UPDATE ON mcp_migrate_sealed.seals EXECUTE FUNCTION mcp_migrate_sealed.whole()",
            "a trigger or a rule",
        ),
        ("GRANT INSERT ON kept TO {stem}_runner", "the runner may write to public.kept"),
    ],
)
def test_an_altered_store_is_found(postgres_server: str, altered: str, said: str) -> None:
    with sealed_shop(postgres_server) as shop:
        assert shop.broker.alterations() == ()
        shop.ask(altered.format(stem=shop.stem))
        assert any(said in found for found in shop.broker.alterations()), shop.broker.alterations()


def test_a_role_of_a_step_ends_with_it_and_what_is_over_is_swept(shop: SealedShop) -> None:
    broker = shop.broker
    left = broker.issue(step())
    limits = "SELECT rolvaliduntil, rolconnlimit FROM pg_roles WHERE oid = "
    assert shop.ask(f"{limits}'{left.role}'::regrole") == [(left.expires, 4)]
    shop.ask("UPDATE mcp_migrate_sealed.steps SET ends = now() - interval '1 second'")
    with shop.session():
        assert shop.ask(f"SELECT to_regrole('{left.role}')") == [(None,)]
    assert shop.ask("SELECT count(*) FROM mcp_migrate_sealed.steps") == [(0,)]
    shop.ask("DROP SCHEMA mcp_migrate_sealed CASCADE")
    with pytest.raises(CredentialFailedError, match="does not answer"):
        broker.issue(step())
