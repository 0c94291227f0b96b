"""Does a proxy that asks for client certificates name its callers to a team's server, and does nobody else?"""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mcp_migrate.ledger import Kind
from tests.ports import free_port
from tests.server.authority import Authority
from tests.server.issuer import issuing
from tests.team import Team, for_a_team, serving
from tests.world import Agent, World

pytestmark = pytest.mark.anyio
CI = "spiffe://acme.example/ns/ci"
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    map $ssl_client_verify $verified {{ SUCCESS $ssl_client_escaped_cert; default ""; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
        ssl_client_certificate {folder}/root.pem; ssl_verify_client optional;
        location / {{
            proxy_pass http://127.0.0.1:{server}; proxy_bind 127.0.0.2;
            proxy_set_header Host localhost:{server};
            proxy_set_header Client-Cert $verified;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_buffering off;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    made = tmp_path_factory.mktemp("mtls")
    authority.root().write(made / "root.pem")
    authority.holder("server", host="localhost").write(made / "server.pem")
    authority.holder("ci", CI).write(made / "ci.pem")
    authority.holder("other").write(made / "other.pem")
    return made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("shop"))
    scopes = [{"tools": ["schema_*"], "targets": ["*"], "when": {"network": ["127.0.0.0/8"]}}]
    made.configure(lambda c: c["workflows"]["shop-agent"].update(scopes=scopes))
    return made


@pytest.fixture(scope="module")
def team(shop: World) -> Iterator[Team]:
    """It stands behind a proxy at 127.0.0.2, another address of this machine."""
    port = free_port()
    with issuing() as issuer:
        for_a_team(shop, issuer, f"http://localhost:{port}")
        more = {"trusted_proxies": ["127.0.0.2"], "certificates": {"principals": {CI: "agent:demo"}}}
        shop.configure(lambda c: c["http"].update(more))
        with serving(shop, issuer, port=port) as made:
            yield made


@contextmanager
def before(team: Team, folder: Path) -> Iterator[str]:
    """A real nginx that asks for client certificates; its address."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        pytest.skip("there is no nginx: apt-get install nginx-light")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, server=team.port))
    with subprocess.Popen([program, "-c", folder / "nginx.conf", "-p", folder], stderr=subprocess.DEVNULL) as process:
        try:
            yield f"https://localhost:{port}"
        finally:
            process.terminate()


def trusting(folder: Path, holder: str | None = None) -> httpx2.AsyncClient:
    context = ssl.create_default_context(cafile=folder / "root.pem")
    if holder:
        context.load_cert_chain(folder / f"{holder}.pem")
    retries = httpx2.AsyncHTTPTransport(verify=context, retries=5)  # while it starts
    return httpx2.AsyncClient(transport=retries, timeout=30)


@pytest.mark.proves("mtls-names", "mtls-peers", "scopes-network")
async def test_a_certificate_that_nginx_verified_says_who_calls(team: Team, shop: World, folder: Path) -> None:
    with before(team, folder) as url:
        async with (
            trusting(folder, "ci") as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            read = await Agent(client).call("schema_read", target="shop")
        async with trusting(folder, "other") as http:
            stranger = await http.post(f"{url}/mcp", content=b"{}")
        async with trusting(folder) as http:
            forged = await http.post(f"{url}/mcp", content=b"{}", headers={"client-cert": ":AAAA:"})
    [received] = [e for e in shop.events(Kind.CALL_RECEIVED) if e.call_id == read["call_id"]]
    assert "orders" in read["schema"]
    assert received.body["principal"] == "agent:demo"
    caller = received.body["caller"]
    assert (caller["assurance"], caller["address"]) == ("mtls", "127.0.0.1")
    assert caller["party"] == {"subject": CI, "issuer": "CN=Acme Root"}
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_permitted")
    assert (forged.status_code, forged.json()["code"]) == (401, "token_invalid")  # nginx took it out


@pytest.mark.proves("mtls-peers", "scopes-network")
async def test_whoever_is_no_proxy_is_believed_in_nothing(team: Team, shop: World) -> None:
    """A proxy says that a call comes from far away; somebody else says it of a proxy's certificate, or of itself."""
    told = {"authorization": f"Bearer {team.issuer.token()}", "x-forwarded-for": "127.0.0.1, 192.0.2.7"}
    proxy, nobody = (httpx2.AsyncHTTPTransport(local_address=f"127.0.0.{n}") for n in (2, 1))
    answers = []
    for way in (proxy, nobody):
        async with (
            httpx2.AsyncClient(transport=way, headers=told, timeout=30) as http,
            Client(streamable_http_client(f"{team.url}/mcp", http_client=http)) as client,
        ):
            answers.append(await Agent(client).call("schema_read", target="shop"))
    async with shop.agent() as agent:
        answers.append(await agent.call("schema_read", target="shop"))
    far, near, here = answers
    forged = team.post(client_cert=":AAAA:", authorization=told["authorization"])
    assert far["details"]["scopes"] == ["is for calls from 127.0.0.0/8, not from 192.0.2.7"]
    assert "orders" in near["schema"]
    assert here["details"]["scopes"] == ["is for calls from 127.0.0.0/8, and nothing says where this one comes from"]
    assert [e.body["caller"].get("address") for e in shop.events(Kind.CALL_REFUSED)] == ["192.0.2.7", None]
    assert (forged.status_code, forged.json()["code"]) == (403, "not_permitted")
    assert "no proxy of this server" in forged.json()["message"]
