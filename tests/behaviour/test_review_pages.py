"""Does the address that an agent is given lead a person to the question, and does their answer reach the agent?"""

from __future__ import annotations

import shlex
import shutil
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from playwright.async_api import Page, async_playwright

from mcp_migrate.__main__ import load_settings
from mcp_migrate.ledger import Kind
from mcp_migrate.signers.enrolment import NAMESPACE
from mcp_migrate.signers.sign import generate_key, sign
from mcp_migrate.wiring import Wiring
from tests.command import COMMAND
from tests.server.authority import Authority
from tests.server.issuer import NAME
from tests.world import Agent, World

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def browser(*words: str) -> AsyncIterator[Page]:
    """A page of the system's Chromium with a security key that knows its person."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *words])
        page = await chromium.new_page()
        page.set_default_timeout(60_000)
        devices = await page.context.new_cdp_session(page)
        await devices.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True}
        options = {**key, "isUserVerified": True, "automaticPresenceSimulation": True}
        await devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield page
        await chromium.close()


async def enrol(page: Page, world: World) -> None:
    """Make a passkey on the page, and let it in with an admin's signature."""
    make_admin(world)
    command = [*COMMAND, "reviewers", "enroll", "grace", "--config", str(world.config)]
    process = await anyio.open_process(command, cwd=world.folder, stderr=None)
    async with process:
        assert process.stdout
        told = (await process.stdout.receive()).decode()
        await page.goto(told.split()[-1])
        await make_passkey(page, world)
        process.send_signal(signal.SIGINT)


def make_admin(world: World) -> None:
    pinned = generate_key(world.folder / "admin_key").line
    world.configure(lambda value: value.update(admins=[pinned]))


async def make_passkey(page: Page, world: World, groups: str = "", email: str = "") -> None:
    """On the page that is open, with the admin's signature pasted."""
    await page.get_by_role("button", name="Make a passkey").click()
    await page.get_by_label("Groups").fill(groups)
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_role("button", name="Let it in").click()
    shown = await page.locator("pre.command").text_content()
    statement = shlex.split(shown or "")[2].encode()
    signature = sign(statement, world.folder / "admin_key", passphrase=str, namespace=NAMESPACE)
    await page.get_by_label("Signature").fill(signature)
    await page.get_by_role("button", name="Send: enrol").click()
    await page.wait_for_url("**/reviewers")


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
                waited.update(await agent.call("approval_status", request_id=request_id, wait_seconds=55))

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


@contextmanager
def on_a_name(world: World, name: str) -> Iterator[str]:
    """The pages of a team's server at a name of its own, with TLS; their address."""
    holder = Authority().holder("server", host=name).write(world.folder / "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
        url = f"https://{name}:{port}"
        http = {"url": url, "state_keys": ["${env:K}"], "oauth": {"issuer": NAME, "jwks": NAME}}
        world.configure(lambda value: value.update(http=http, review={"url": url}))
        wiring = Wiring(load_settings(world.config))
        pages = wiring.pages.of_team(port, b"k" * 40)
        assert pages is not None
        server = uvicorn.Server(uvicorn.Config(pages, lifespan="off", log_level="warning", ssl_certfile=holder))
        serving = threading.Thread(target=server.run, args=([opened],), daemon=True)
        serving.start()
        yield url
        server.should_exit = True
        serving.join(10)
        wiring.ledger.close()


@pytest.mark.proves("passkey-elsewhere")
async def test_a_passkey_of_a_team_servers_own_name_decides_there(world: World) -> None:
    name = "migrate.example.com"
    make_admin(world)
    with on_a_name(world, name) as url:
        async with browser(f"--host-resolver-rules=MAP {name} 127.0.0.1", "--ignore-certificate-errors") as page:
            await page.goto(f"{url}/enrol/heidi")
            await make_passkey(page, world, "dba", "heidi@example.com")
            async with world.agent() as agent:
                _, _, where = await ask(agent)
            assert where.startswith(f"{url}/requests/")
            await page.goto(where)
            await page.get_by_label("How many rows does main.customers hold").fill("40")
            heidi = page.locator("option", has_text="passkey at migrate.example.com").first
            await page.get_by_label("Who signs").first.select_option(await heidi.get_attribute("value"))
            await page.get_by_role("button", name="Approve").click()
            await page.get_by_role("button", name="Sign: approve").click()
            await page.wait_for_url("**#decisions")
    [enrolled], [decided] = world.events(Kind.REVIEWER_ENROLLED), world.events(Kind.APPROVAL_DECIDED)
    assert enrolled.body["statement"]["key"].startswith(f"passkey/2 {url} ")
    assert decided.body["statement"]["reviewer"] == "heidi"
    async with world.agent() as agent:
        assert (await agent.call("migration_apply", plan_id=agent.planned))["status"] == "applied"
