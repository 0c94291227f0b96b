"""Is what uses a table or a column found, and nothing else?"""

from __future__ import annotations

from mcp_migrate.schema.dependents import dependents
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table
from mcp_migrate.schema.neighbourhood import neighbourhood

ID, EMAIL = Column("id", "integer", nullable=False), Column("email", "text", nullable=True)
USERS = Table(
    "public",
    "users",
    (ID, EMAIL),
    (Constraint("unique", "users_email_key", ("email",), "UNIQUE (email)"),),
    (Index("by_email", "CREATE INDEX by_email ON users (lower(email))"), Index("by_id", "CREATE INDEX ON users (id)")),
)
KEY = Constraint("foreign_key", "fk", ("user_id",), "FOREIGN KEY (user_id) REFERENCES users(id)", "public.users")
ORDERS = Table("public", "orders", (ID,), (KEY,))
SCHEMA = Schema(
    "postgresql",
    (ORDERS, USERS),
    (
        Other("view", "public", "addresses", "SELECT users.email FROM users"),
        Other("view", "public", "counts", "SELECT count(*) FROM users"),
        Other("view", "public", "apart", "SELECT users_email FROM superusers"),
        Other("trigger", "public", "audit", "EXECUTE FUNCTION f()", table="public.users"),
    ),
)


def found(*objects: str) -> set[tuple[str, str]]:
    return {(each.name, each.how) for each in dependents(SCHEMA, objects)}


def test_a_table_is_used_by_keys_views_and_triggers() -> None:
    assert found("public.users") == {
        ("public.orders (user_id)", "refers to it"),
        ("public.addresses", "a view that names it"),
        ("public.counts", "a view that names it"),
        ("public.audit", "a trigger on it"),
    }


def test_a_column_is_used_by_its_indexes_constraints_and_the_views_that_name_it() -> None:
    assert found("public.users.email") == {
        ("by_email", "an index over it"),
        ("users_email_key", "unique"),
        ("public.addresses", "a view that names it"),
    }


def test_what_is_not_in_the_schema_has_no_dependents() -> None:
    assert found("public.nothing", "public.users.nothing", "?") == set()


def test_the_tables_concerned_are_whole_and_their_neighbours_show_their_keys() -> None:
    users, orders = neighbourhood(SCHEMA, ["public.users.email"])
    assert (users["table"], users["concerned"]) == ("public.users", True)
    assert [column["name"] for column in users["columns"]] == ["id", "email"]
    assert (orders["concerned"], orders["columns"], orders["refers"]) == (False, [], ["user_id → public.users"])


def test_of_a_wide_table_what_is_named_is_shown() -> None:
    wide = Table("public", "wide", tuple(Column(f"c{n}", "text", nullable=True) for n in range(90)))
    [told] = neighbourhood(Schema("postgresql", (wide,)), ["public.wide.c80"])
    assert told["columns"][-1]["name"] == "c80"
    assert len(told["columns"]) + told["more"] == 90
