"""Does the address that an agent is given lead a person to the question, and does their answer reach the agent?"""

from __future__ import annotations

import shlex
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from playwright.async_api import Page, async_playwright

from mcp_migrate.signers.enrolment import NAMESPACE
from mcp_migrate.signers.sign import generate_key, sign
from tests.command import COMMAND
from tests.world import Agent, World

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """A page of the system's Chromium with a security key that knows its person."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await chromium.new_page()
        page.set_default_timeout(15_000)
        devices = await page.context.new_cdp_session(page)
        await devices.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True}
        options = {**key, "isUserVerified": True, "automaticPresenceSimulation": True}
        await devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield page
        await chromium.close()


async def enrol(page: Page, world: World) -> None:
    """Make a passkey on the page, and let it in with an admin's signature."""
    admin = world.folder / "admin_key"
    pinned = generate_key(admin).line
    world.configure(lambda value: value.update(admins=[pinned]))
    command = [*COMMAND, "reviewers", "enroll", "grace", "--config", str(world.config)]
    process = await anyio.open_process(command, cwd=world.folder, stderr=None)
    async with process:
        assert process.stdout
        told = (await process.stdout.receive()).decode()
        await page.goto(told.split()[-1])
        await page.get_by_role("button", name="Make a passkey").click()
        await page.get_by_role("button", name="Let it in").click()
        shown = await page.locator("pre.command").text_content()
        statement = shlex.split(shown or "")[2].encode()
        await page.get_by_label("Signature").fill(sign(statement, admin, passphrase=str, namespace=NAMESPACE))
        await page.get_by_role("button", name="Send: enrol").click()
        await page.wait_for_url("**/reviewers")
        process.send_signal(signal.SIGINT)


@pytest.fixture
def world(at_b2: World) -> World:
    return at_b2


async def ask(agent: Agent) -> tuple[str, str, str]:
    """Apply a plan that drops a column: the plan, its request and where a person reviews it."""
    waiting = await agent.call("migration_apply", plan_id=agent.planned)
    assert waiting["status"] == "approval_required", waiting
    return agent.planned, waiting["request_id"], waiting["review_url"]


@pytest.mark.proves("review-pages-sign")
async def test_a_person_enrols_reviews_and_approves_a_drop_and_the_waiting_call_finishes(world: World) -> None:
    waited: dict[str, Any] = {}
    async with browser() as page:
        await enrol(page, world)
        async with world.stdio_agent("--as", "agent:demo") as agent:
            plan_id, request_id, url = await ask(agent)

            async def wait() -> None:
                waited.update(await agent.call("approval_status", request_id=request_id, wait_seconds=30))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await page.goto(url)
                assert "Drops main.customers.fax" in await page.locator(".lost").inner_text()
                now, after = [await each.inner_text() for each in await page.locator(".pair > div").all()]
                assert ("fax" in now, "fax" in after, "email" in after) == (True, False, True)
                await page.get_by_label("How many rows does main.customers hold").fill("40")
                await page.get_by_role("button", name="Approve").click()
                await page.get_by_role("button", name="Sign: approve").click()
                await page.wait_for_url(f"{url}#decisions")
            done = await agent.call("migration_apply", plan_id=plan_id)
    assert (waited["status"], waited["review_url"]) == ("approved", url)
    assert waited["decisions"][0]["assurance"] == "verified"
    assert done["status"] == "applied"
    assert "fax" not in world.columns("customers")
