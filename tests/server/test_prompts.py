"""Do the prompts name what there is, and take a person's words as words?"""

from __future__ import annotations

import re

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from mcp_migrate.tools.registry import load
from tests.world import World

pytestmark = pytest.mark.anyio


async def test_a_client_gets_them_with_the_persons_words_in_them(world: World) -> None:
    async with world.agent() as agent:
        listed = (await agent.client.list_prompts()).prompts
        assert {prompt.name for prompt in listed} == {"plan_a_change", "explain_refusal", "incident_rollback"}
        words = {"target": "shop", "change": "drop $target and ${more}"}
        [message] = (await agent.client.get_prompt("plan_a_change", words)).messages
        assert isinstance(message.content, types.TextContent)
        assert message.content.text.startswith("Change the schema of shop: drop $target and ${more}\n")
        for name, arguments in [("nothing", {}), ("plan_a_change", {}), ("plan_a_change", {**words, "more": "x"})]:
            with pytest.raises(MCPError, match=r"unknown_prompt|invalid_arguments"):
                await agent.client.get_prompt(name, arguments)


async def test_each_tool_that_a_prompt_names_is_there(world: World) -> None:
    tools = {tool.spec.name for tool in load({})}
    async with world.agent() as agent:
        for prompt in (await agent.client.list_prompts()).prompts:
            given = {argument.name: "x" for argument in prompt.arguments or ()}
            [message] = (await agent.client.get_prompt(prompt.name, given)).messages
            assert isinstance(message.content, types.TextContent)
            named = set(re.findall(r"\b(?:schema|migration|revision|audit|access|approval)_\w+", message.content.text))
            assert named - {"approval_required"} <= tools
