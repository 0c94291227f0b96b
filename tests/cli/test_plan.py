"""What does a person read who asks what a migration would do, and is it on the record like an agent's call?"""

from __future__ import annotations

import json

from mcp_migrate.ledger import Kind
from tests.world import World


def test_a_plan_says_what_is_lost_what_it_needs_and_each_statement(world: World) -> None:
    text = world.command("plan", "shop").stdout
    assert text.startswith("2 statements, a1 to c3; destroys main.customers.fax (40 rows concerned);")
    assert "Effects   destructive, breaking, additive\n" in text
    assert "Way back  restores schema and data, for 14 days\n" in text
    assert "Approval  1 signature(s) of dba (approvals[0])\n" in text
    assert "ALTER TABLE customers DROP COLUMN fax" in text


def test_a_plan_made_by_a_person_is_the_one_an_agent_applies(world: World) -> None:
    made = json.loads(world.command("plan", "shop", "--to", "b2", "--intent", "before the release", "--json").stdout)
    [frozen] = world.events(Kind.PLAN_FROZEN)
    [received] = world.events(Kind.CALL_RECEIVED)
    assert frozen.subject == made["plan_id"]
    assert (received.body["intent"], received.body["principal"]) == ("before the release", "agent:demo")
    assert received.body["client"].startswith("mcp-migrate plan ")


def test_a_person_plans_with_the_leave_of_a_principal_and_no_more(world: World) -> None:
    refused = world.command("plan", "shop", "--as", "agent:nobody")
    assert refused.returncode == 1
    assert "not_permitted" in refused.stderr
    assert not world.events(Kind.PLAN_FROZEN)


def test_neither_a_plan_nor_a_refusal_gives_the_terminal_anything_to_obey(world: World) -> None:
    world.write_revision("d4", "c3", r"""op.execute("UPDATE customers SET email = 'x\u202e'")""")
    assert "UPDATE customers SET email = 'x\\u202e'" in world.command("plan", "shop").stdout
    world.write_revision("e5", "d4", r"""op.execute("UPDATE customers SET \x1b[2J\u202e = 1")""")
    refused = world.command("plan", "shop").stderr
    assert "render_failed" in refused
    assert not {"\x1b", "\u202e"} & set(refused)
