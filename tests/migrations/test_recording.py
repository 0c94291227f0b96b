from __future__ import annotations

import pytest

from mcp_migrate.errors import RenderFailedError
from mcp_migrate.model import Statement
from tests.migrations.sample import ENV, Shop, texts


def test_rows_are_frozen_as_parameters(shop: Shop) -> None:
    shop.revise(
        "d4",
        "c3",
        """
        customers = sa.table("customers", sa.column("id", sa.Integer), sa.column("name", sa.String))
        op.bulk_insert(customers, [{"id": 1, "name": "O'Hara 100%"}, {"id": 2, "name": "a :b \\\\ c"}])
        op.execute(customers.update().where(customers.c.id == 2).values(name="Ada"))
        """,
        "op.execute('DELETE FROM customers')",
    )

    plan = shop.run_and_compare("head")

    changes = [s for s in plan.statements if s.revision == "d4" and s.kind == "change"]
    assert changes[0].sql.startswith("INSERT INTO customers")
    assert "O'Hara 100%" in str(changes[0].parameters)
    assert "Ada" in str(changes[-1].parameters)
    assert plan.doubts == ()
    with shop.dialect.open_reader(shop.url) as reader:
        table = {"postgresql": "public.customers", "sqlite": "main.customers"}.get(shop.dialect.name, "customers")
        assert {*reader.count_rows([table]).values()} == {2}


def test_colons_and_percent_signs_arrive_as_they_were_written(shop: Shop) -> None:
    sql = r"UPDATE customers SET name = '100% \\:sure' WHERE name = '%s' AND email LIKE 'a%%'"
    sent = sql.replace(r"\\:", ":")
    shop.revise("d4", "c3", f"op.execute({sql.replace(chr(92) * 2, chr(92))!r})")

    plan = shop.plan()

    assert texts(plan, "d4") == [sent]
    assert plan.doubts == ()


def test_batch_mode_is_recorded_whole(lite_shop: Shop) -> None:
    lite_shop.revise(
        "d4",
        "c3",
        'with op.batch_alter_table("customers") as batch:\n    batch.alter_column("name", nullable=True)',
        'with op.batch_alter_table("customers") as batch:\n    batch.alter_column("name", nullable=False)',
    )

    plan = lite_shop.run_and_compare("head")

    assert [text.split()[0] for text in texts(plan, "d4")] == ["CREATE", "INSERT", "DROP", "ALTER"]
    assert plan.reverse.restores_schema


def test_an_autocommit_block_is_outside_of_the_transaction(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop = Shop(tmp_path_factory.mktemp("shop"), postgres_url)
    shop.revise(
        "d4",
        "c3",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY by_name ON customers (name)")
        """,
        'op.drop_index("by_name")',
    )

    plan = shop.plan()

    alone = [s.sql for s in plan.statements if not s.transactional]
    assert alone == ["CREATE INDEX CONCURRENTLY by_name ON customers (name)"]


def test_reading_rows_of_the_target_makes_a_plan_doubtful(shop: Shop) -> None:
    shop.apply(shop.plan("c3").statements)
    shop.apply((Statement(1, "c3", "INSERT INTO customers (id, name) VALUES (1, 'Ada')"),))
    shop.revise(
        "d4",
        "c3",
        """
        for row in op.get_bind().execute(sa.text("SELECT id FROM customers")).fetchall():
            op.execute(f"UPDATE customers SET phone = '' WHERE id = {row[0]}")
        """,
    )

    plan = shop.plan()

    assert texts(plan, "d4") == []
    reads = [doubt for doubt in plan.doubts if "read rows of" in doubt]
    assert len(reads) == 1
    assert "revision d4" in reads[0]
    assert "customers" in reads[0]


def test_rows_of_a_table_that_the_plan_itself_makes_leave_no_doubt(lite_shop: Shop) -> None:
    lite_shop.revise("d4", "c3", 'op.get_bind().execute(sa.text("SELECT id FROM customers")).fetchall()')

    plan = lite_shop.plan()

    assert plan.doubts == ()
    assert [read.revision for read in plan.reads] == ["d4"]


def test_a_way_back_that_reads_rows_is_none(shop: Shop) -> None:
    shop.revise("d4", "c3", "pass", 'op.get_bind().execute(sa.text("SELECT id FROM customers")).fetchall()')

    plan = shop.plan()

    assert plan.doubts == ()
    assert not plan.reverse.available
    assert "read rows of" in str(plan.reverse.why_not)


def test_looking_at_the_catalog_is_no_doubt(shop: Shop) -> None:
    shop.revise("d4", "c3", 'assert "customers" in sa.inspect(op.get_bind()).get_table_names()')

    plan = shop.plan()

    assert plan.doubts == ()
    assert texts(plan, "d4") == []


def test_swallowed_errors_show_in_the_offline_rendering(shop: Shop) -> None:
    shop.revise(
        "d4",
        "c3",
        """
        try:
            op.get_bind().execute(sa.text("SELECT 1")).scalar_one()
            op.create_table("d", sa.Column("id", sa.Integer))
        except Exception:
            pass
        """,
        'op.drop_table("d")',
    )

    plan = shop.plan()

    assert any("revision d4 does not render as it runs" in doubt for doubt in plan.doubts)
    assert texts(plan, "d4")


def test_a_branch_for_offline_mode_is_a_doubt(shop: Shop) -> None:
    shop.revise(
        "d4",
        "c3",
        """
        if context.is_offline_mode():
            op.execute("DELETE FROM customers")
        else:
            op.execute("UPDATE customers SET phone = NULL")
        """,
    )

    plan = shop.plan()

    assert len(plan.doubts) == 1
    assert "UPDATE customers" in plan.doubts[0]
    assert "DELETE FROM customers" in plan.doubts[0]


def test_a_failed_statement_that_was_passed_over_is_a_doubt(shop: Shop) -> None:
    shop.revise(
        "d4",
        "c3",
        """
        bind = op.get_bind()
        try:
            with bind.begin_nested():
                bind.execute(sa.text("DROP TABLE nothing"))
        except sa.exc.DBAPIError:
            pass
        op.execute("UPDATE customers SET phone = NULL")
        """,
    )

    plan = shop.plan()

    assert any("sent a statement that failed, and went on" in doubt for doubt in plan.doubts)
    assert not any("DROP TABLE nothing" in s.sql for s in plan.statements)


def test_savepoints_leave_no_trace(shop: Shop) -> None:
    shop.revise(
        "d4",
        "c3",
        """
        with op.get_bind().begin_nested():
            op.execute("UPDATE customers SET phone = NULL")
        """,
    )

    plan = shop.plan()

    assert texts(plan, "d4") == ["UPDATE customers SET phone = NULL"]


def test_work_undone_by_a_savepoint_is_refused(shop: Shop) -> None:
    shop.revise(
        "d4",
        "c3",
        """
        nested = op.get_bind().begin_nested()
        op.execute("UPDATE customers SET phone = NULL")
        nested.rollback()
        """,
    )

    with pytest.raises(RenderFailedError, match=r"Revision d4 .*did something that was rolled back"):
        shop.plan()


def test_work_that_was_rolled_back_is_refused(shop: Shop) -> None:
    shop.revise("d4", "c3", 'op.execute("UPDATE customers SET phone = NULL")\nop.get_bind().rollback()')

    with pytest.raises(RenderFailedError, match=r"Revision [abcd][1-4] could not be turned"):
        shop.plan()


def test_an_env_py_that_never_commits_is_refused(shop: Shop) -> None:
    shop.env(
        ENV.replace(
            "        context.configure(connection",
            "        connection.begin()\n        context.configure(connection",
        )
    )

    with pytest.raises(RenderFailedError, match="did something that was rolled back"):
        shop.plan()


def test_the_drivers_own_cursor_is_refused(shop: Shop) -> None:
    shop.revise("d4", "c3", 'op.get_bind().connection.cursor().execute("UPDATE customers SET phone = NULL")')

    with pytest.raises(RenderFailedError, match="used the driver directly"):
        shop.plan()


def test_pragmas_set_when_connecting_are_nobodys_statement(lite_shop: Shop) -> None:
    lite_shop.env(
        "from sqlalchemy import Engine, event\n"
        "@event.listens_for(Engine, 'connect')\n"
        "def enforce(connection, _record):\n"
        "    connection.execute('PRAGMA foreign_keys=ON')\n" + ENV
    )

    plan = lite_shop.plan()

    assert plan.doubts == ()
    assert not any("PRAGMA" in s.sql for s in plan.statements)


def test_the_recipe_for_sqlite_transactions_is_understood(lite_shop: Shop) -> None:
    lite_shop.env(
        "from sqlalchemy import Engine, event\n"
        "@event.listens_for(Engine, 'connect')\n"
        "def off(connection, _record):\n"
        "    connection.isolation_level = None\n"
        "@event.listens_for(Engine, 'begin')\n"
        "def begin(connection):\n"
        "    connection.exec_driver_sql('BEGIN')\n" + ENV
    )

    plan = lite_shop.run_and_compare("head")

    assert all(s.transactional and s.sql != "BEGIN" for s in plan.statements)


def test_a_forged_move_of_the_version_table_is_an_ordinary_change(shop: Shop) -> None:
    shop.revise("d4", "c3", "op.execute(\"DELETE FROM alembic_version WHERE version_num = 'nothing'\")")

    plan = shop.plan()

    assert [s.kind for s in plan.statements if s.revision == "d4"] == ["change", "version"]


def test_a_revision_that_moves_the_version_table_elsewhere_is_refused(shop: Shop) -> None:
    shop.revise("d4", "c3", "op.execute(\"INSERT INTO alembic_version VALUES ('zz')\")")

    with pytest.raises(RenderFailedError, match="d4, zz"):
        shop.plan()


def test_several_databases_in_one_env_py_are_refused(lite_shop: Shop) -> None:
    lite_shop.env(ENV.replace("            context.run_migrations()\n", "            context.run_migrations()\n" * 2))

    with pytest.raises(RenderFailedError, match="more than once"):
        lite_shop.plan()


def test_statements_of_env_py_itself_belong_to_the_plan(lite_shop: Shop) -> None:
    lite_shop.env(
        ENV.replace(
            "        context.configure(connection",
            "        connection.exec_driver_sql('CREATE TABLE IF NOT EXISTS noted (id int)')\n"
            "        connection.commit()\n        context.configure(connection",
        )
    )

    plan = lite_shop.plan()

    assert (plan.statements[0].revision, plan.statements[0].kind) == ("env.py", "change")
