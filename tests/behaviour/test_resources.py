"""Can a client read schemas as resources, under the same rules as the tool?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from mcp_migrate.ledger import Kind
from tests.world import World

pytestmark = pytest.mark.anyio
_TABLE = types.ResourceTemplateReference(uri="schema://{target}/{table}")


async def test_a_table_is_read_as_a_resource_and_stands_on_the_record(world: World) -> None:
    with closing(sqlite3.connect(world.database)) as database:
        database.executescript(
            "PRAGMA writable_schema = ON;"
            "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'CREATE VIRTUAL TABLE x USING nowhere(y)')"
        )
    async with world.stdio_agent() as agent:
        templates = await agent.client.list_resource_templates()
        listed = await agent.client.list_resources()
        whole = await agent.client.read_resource("schema://shop")
        table = await agent.client.read_resource("schema://shop/main.customers")
    found = [template.uri_template for template in templates.resource_templates]
    assert found == [_TABLE.uri, "approval://{request_id}"]
    assert [str(resource.uri) for resource in listed.resources] == ["schema://shop"]
    assert "customers" in getattr(whole.contents[0], "text", "")
    lines = getattr(table.contents[0], "text", "").split("\n")
    assert lines[1].startswith("main.customers")
    assert lines[-1] == "not seen: columns of main.x: no such module: nowhere"
    received = [event.body for event in world.events(Kind.CALL_RECEIVED)]
    assert [body["tool"] for body in received] == ["schema_read", "schema_read"]
    assert "schema://shop/main.customers" in received[1]["intent"]


async def test_names_are_completed(world: World) -> None:
    async with world.stdio_agent() as agent:
        targets = await agent.client.complete(_TABLE, {"name": "target", "value": "sh"})
        tables = await agent.client.complete(
            _TABLE, {"name": "table", "value": "cust"}, context_arguments={"target": "shop"}
        )
        nothing = await agent.client.complete(_TABLE, {"name": "table", "value": "cust"})
    assert targets.completion.values == ["shop"]
    assert tables.completion.values == ["main.customers"]
    assert nothing.completion.values == []


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("schema://nowhere", "unknown_target"),
        ("schema://shop/no_such_table", "unknown_resource"),
        ("schema://shop/*", "unknown_resource"),
        ("file:///etc/passwd", "unknown_resource"),
    ],
)
async def test_what_is_no_resource_is_refused_with_a_code(world: World, uri: str, code: str) -> None:
    async with world.stdio_agent() as agent:
        with pytest.raises(MCPError) as refused:
            await agent.client.read_resource(uri)
    assert refused.value.error.data["code"] == code


async def test_a_principal_without_the_scope_reads_no_resource(world: World) -> None:
    def only_status(config: dict[str, Any]) -> None:
        for workflow in config["workflows"].values():
            workflow["scopes"] = [{"tools": ["migration_status"], "targets": ["*"]}]

    world.configure(only_status)
    async with world.stdio_agent() as agent:
        listed = await agent.client.list_resources()
        with pytest.raises(MCPError) as refused:
            await agent.client.read_resource("schema://shop")
        with pytest.raises(MCPError):
            await agent.client.complete(_TABLE, {"name": "table", "value": ""}, context_arguments={"target": "shop"})
    assert listed.resources == []
    assert refused.value.error.data["code"] == "not_permitted"


def test_people_read_the_same_text(world: World) -> None:
    shown = world.command("schema", "shop", "--detail", "full", "--tables", "customers")
    assert shown.returncode == 0
    assert shown.stdout.split("\n")[1].startswith("main.customers")
    hashed = world.command("schema", "shop", "--fingerprint")
    assert hashed.stdout.startswith("sha256:")
    assert hashed.stdout.strip() in world.command("schema", "shop", "--json").stdout
