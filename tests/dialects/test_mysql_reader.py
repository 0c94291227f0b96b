from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.mysql.objects import without_database
from mcp_migrate.dialects.mysql.reader import MysqlReader
from mcp_migrate.drivers.mysql import connect, quote
from mcp_migrate.errors import ConfigInvalidError, TargetUnreachableError
from mcp_migrate.schema import fingerprint
from mcp_migrate.schema.model import Column, Constraint, Index, Schema
from tests.mariadb import ask

SHOP = [
    (
        "CREATE TABLE customers (id int AUTO_INCREMENT PRIMARY KEY, name varchar(80) NOT NULL COMMENT 'of "
        "birth', email varchar(200) COLLATE utf8mb4_bin UNIQUE, age int CHECK (age > 0), twice int AS (age * "
        "2) STORED, seen timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), h int "
        "INVISIBLE DEFAULT 3) ENGINE=InnoDB COMMENT='who buys' ROW_FORMAT=COMPRESSED"
    ),
    (
        "CREATE TABLE orders (id int, customer int, total decimal(10,2) DEFAULT 0, note text, `order` json, "
        "PRIMARY KEY (id DESC), CONSTRAINT of_whom FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE"
        " CASCADE, FULLTEXT KEY words (note), KEY beginning (note(20)), CONSTRAINT positive CHECK (total >= "
        "0))"
    ),
    "CREATE TABLE parts (n int) PARTITION BY RANGE (n) (PARTITION p0 VALUES LESS THAN (10))",
    "CREATE VIEW rich AS SELECT customers.id, 'a.b' AS x FROM customers WHERE twice > 10",
    "CREATE TRIGGER watch BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = 1",
    "CREATE FUNCTION double_it(n int) RETURNS int DETERMINISTIC RETURN n * 2",
    "CREATE SEQUENCE numbers START WITH 7",
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders",
]
CHANGES = [
    "ALTER TABLE customers MODIFY name varchar(81) NOT NULL COMMENT 'of birth'",
    "ALTER TABLE customers MODIFY name varchar(80) COMMENT 'of birth'",
    "ALTER TABLE customers COMMENT = 'others'",
    "ALTER TABLE customers ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER TABLE customers DROP INDEX email",
    "ALTER TABLE customers ALTER INDEX email IGNORED",
    "ALTER TABLE orders DROP FOREIGN KEY of_whom",
    "ALTER TABLE orders DROP CONSTRAINT positive",
    "ALTER TABLE parts ENGINE = Aria",
    "ALTER TABLE orders CONVERT TO CHARACTER SET latin1",
    "ALTER TABLE parts ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))",
    "ALTER TABLE orders DROP INDEX beginning, ADD INDEX beginning (note(21))",
    "CREATE OR REPLACE VIEW rich AS SELECT id, 'a.c' AS x FROM customers WHERE twice > 10",
    "DROP TRIGGER watch",
    "DROP FUNCTION double_it",
    "ALTER SEQUENCE numbers INCREMENT BY 2",
    "ALTER EVENT nightly DISABLE",
    "ALTER DATABASE CHARACTER SET latin1",
]


def read(url: str) -> Schema:
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


@pytest.fixture
def shop(mariadb_url: str) -> str:
    for sql in SHOP:
        ask(mariadb_url, sql)
    return mariadb_url


def test_a_table_is_read_whole(shop: str) -> None:
    name = shop.rpartition("/")[2]
    schema = read(shop)

    customers, orders, parts = schema.tables
    assert customers.columns == (
        Column("id", "int(11)", nullable=False, identity="auto_increment"),
        Column("name", "varchar(80)", nullable=False, comment="of birth"),
        Column("email", "varchar(200)", nullable=True, collation="utf8mb4_bin"),
        Column("age", "int(11)", nullable=True),
        Column("twice", "int(11)", nullable=True, generated="STORED (`age` * 2)"),
        Column(
            "seen",
            "timestamp",
            nullable=False,
            default="current_timestamp()",
            options=("on update current_timestamp()",),
        ),
        Column("h", "int(11)", nullable=True, default="3", options=("invisible",)),
    )
    assert customers.indexes == (Index("email", "email (email)", unique=True),)
    assert (customers.comment, customers.options) == ("who buys", ("row_format=COMPRESSED",))
    assert Constraint("check", "age", (), "CHECK (`age` > 0)") in customers.constraints
    assert orders.constraints == (
        Constraint("primary_key", None, ("id",), orders.constraints[0].definition),
        Constraint(
            "foreign_key",
            "of_whom",
            ("customer",),
            f"FOREIGN KEY (customer) REFERENCES {name}.customers (id) ON DELETE CASCADE",
            refers_to=f"{name}.customers(id)",
        ),
        Constraint("check", "order", (), "CHECK (json_valid(`order`))"),
        Constraint("check", "positive", (), "CHECK (`total` >= 0)"),
    )
    assert {index.name: index.definition for index in orders.indexes} == {
        "beginning": "beginning (note(20))",
        "of_whom": "of_whom (customer)",
        "words": "words (note) USING FULLTEXT",
    }
    assert parts.options == ("partition by RANGE (`n`)", "partition p0 10")


def test_what_is_no_table_is_read_too(shop: str) -> None:
    schema = read(shop)

    assert [other.kind for other in schema.others] == ["database", "view", "trigger", "function", "event", "sequence"]
    view = schema.others[1]
    assert shop.rpartition("/")[2] not in view.definition
    assert [column.name for column in view.columns] == ["id", "x"]
    assert schema.unseen == ()
    assert schema.dialect == "mariadb"


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_another_schema(shop: str, change: str) -> None:
    before = read(shop)
    ask(shop, change)

    assert read(shop) != before


def test_the_same_statements_give_the_same_fingerprint_on_a_scratch_database(shop: str) -> None:
    dialect = dialect_for(shop)
    with dialect.open_scratch(shop) as scratch:
        for sql in SHOP:
            if "EVENT" not in sql:
                ask(scratch.url, sql)
        assert fingerprint(read(scratch.url)) != fingerprint(read(shop))
        ask(scratch.url, SHOP[-1])

        assert read(scratch.url) == read(shop)


def test_rows_and_numbers_of_rows_are_no_part_of_the_schema(shop: str) -> None:
    before = read(shop)
    ask(shop, "INSERT INTO customers (name) VALUES ('Ada'), ('Bob')")

    assert read(shop) == before
    with dialect_for(shop).open_reader(shop) as reader:
        database = shop.rpartition("/")[2]
        counted = reader.count_rows([f"{database}.customers", "orders", "nowhere.t", f"{database}.rich"])
        assert counted == {f"{database}.customers": 2, "orders": 0}
        estimate: Any = reader  # the interface has it where sizes are shown
        assert f"{database}.orders" in estimate.estimate_rows()


def test_the_version_table_and_what_is_ours_are_hidden(mariadb_url: str) -> None:
    ask(mariadb_url, "CREATE TABLE alembic_version (version_num varchar(32))")
    ask(mariadb_url, "INSERT INTO alembic_version VALUES ('b'), ('a')")
    ask(mariadb_url, "CREATE TABLE _mcp_migrate_applies (apply_id varchar(64), plan text, done int)")

    assert read(mariadb_url).tables == ()
    with dialect_for(mariadb_url).open_reader(mariadb_url) as reader:
        assert reader.revisions("alembic_version") == ("a", "b")
        assert reader.revisions("elsewhere") == ()


def test_an_empty_database_is_an_empty_schema(mariadb_url: str) -> None:
    schema = read(mariadb_url)
    assert schema.tables == ()
    assert [other.kind for other in schema.others] == ["database"]


def test_a_percent_sign_in_a_name_is_no_place_for_a_value(mariadb_url: str) -> None:
    names = ["%1", "%s", "50%`%d"]
    for start, name in enumerate(names, 7):
        ask(mariadb_url, f"CREATE SEQUENCE {quote(name)} START WITH {start}")
    found = {other.name: other.definition.partition(" min")[0] for other in read(mariadb_url).others}
    assert [found[name] for name in names] == ["start 7", "start 8", "start 9"]


def test_names_of_every_kind_are_read(mariadb_url: str) -> None:
    names = ["we`ird\n\"x'", "a.b", "Größe " + "x" * 58, "order", "%s $1 :x", "\u202eback", "123"]
    for name in names:
        spelt = quote(name)
        ask(mariadb_url, f"CREATE TABLE {spelt} ({spelt} int CHECK ({spelt} > 0), KEY {spelt} ({spelt}))")
        ask(mariadb_url, f"CREATE VIEW {quote(name[:60] + ' v')} AS SELECT 1 AS {spelt}")
    schema = read(mariadb_url)
    read_of = {(t.name, t.columns[0].name, t.indexes[0].name, len(t.constraints)) for t in schema.tables}
    assert read_of == {(name, name, name, 1) for name in names}
    assert {other.name for other in schema.others if other.kind == "view"} == {f"{name[:60]} v" for name in names}


def test_what_is_dropped_while_it_is_read_is_told(shop: str) -> None:
    class Slow(MysqlReader):
        """Somebody drops a table as soon as this one knows of it."""

        def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
            rows = super().ask(sql, *values)
            if "information_schema.tables t" in sql:
                ask(shop, "DROP TABLE IF EXISTS parts")
            return rows

    with connect(shop) as connection, pytest.raises(TargetUnreachableError, match="changed while it was read"):
        Slow(connection, shop).schema(version_table="alembic_version")


def test_what_a_user_may_not_see_is_said(shop: str, mariadb_server: str) -> None:
    name = shop.rpartition("/")[2]
    ask(mariadb_server, f"CREATE USER blind_{name[:20]}@'%' IDENTIFIED BY 'p'")
    ask(mariadb_server, f"GRANT SELECT, EXECUTE ON {name}.* TO blind_{name[:20]}@'%'")

    schema = read(shop.replace("tests:tests", f"blind_{name[:20]}:p"))

    assert f"definition of view {name}.rich" in schema.unseen
    assert f"definition of function {name}.double_it" in schema.unseen
    ask(mariadb_server, f"DROP USER blind_{name[:20]}@'%'")


def test_a_reading_session_may_not_write(mariadb_url: str) -> None:
    with (
        pytest.raises(TargetUnreachableError, match="READ ONLY"),
        dialect_for(mariadb_url).open_reader(mariadb_url) as reader,
    ):
        reader.ask("CREATE TABLE t (a int)")  # type: ignore[attr-defined]


def test_every_session_means_the_same(mariadb_url: str, mariadb_server: str) -> None:
    ask(mariadb_server, "SET GLOBAL sql_mode = 'ANSI_QUOTES', GLOBAL time_zone = '+05:00'")
    try:
        [found] = ask(mariadb_url, "SELECT @@sql_mode, @@time_zone, @@character_set_client, @@local_infile")
    finally:
        ask(mariadb_server, "SET GLOBAL sql_mode = DEFAULT, GLOBAL time_zone = DEFAULT")

    modes = set(str(found[0]).split(","))
    assert "ANSI_QUOTES" not in modes
    assert "STRICT_TRANS_TABLES" in modes
    assert found[1:3] == ("+00:00", "utf8mb4")


@pytest.mark.parametrize(
    "option", ["init_command=DROP+TABLE+t", "local_infile=1", "read_default_file=x", "charset=gbk"]
)
def test_a_url_cannot_change_the_session(option: str) -> None:
    url = f"mysql+pymysql://root@127.0.0.1/x?{option}"
    with pytest.raises(ConfigInvalidError, match=option.partition("=")[0]):
        read(url)


def test_a_password_is_never_told(mariadb_url: str) -> None:
    with pytest.raises(TargetUnreachableError) as caught:
        read(mariadb_url.replace("tests:tests", "tests:secret"))

    assert "secret" not in str(caught.value)


def test_a_url_without_a_database_is_refused() -> None:
    with pytest.raises(ConfigInvalidError, match="no database"):
        read("mysql+pymysql://root@127.0.0.1:1/")


def test_the_name_of_the_database_goes_only_where_it_is_a_name() -> None:
    text = "select `shop`.`t`.`a` AS `shop`,'`shop`.x' from `shop`.`t`"

    assert without_database(text, frozenset({"shop"})) == "select `t`.`a` AS `shop`,'`shop`.x' from `t`"
