"""Does a configuration that does not hold stop everything, saying where and what was meant?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mcp_migrate.errors import ConfigInvalidError, CredentialFailedError, NotPermittedError
from mcp_migrate.settings import find, json_schema, load, local_profile
from mcp_migrate.settings.references import resolve
from mcp_migrate.tools.registry import load as load_tools

ROOT = Path(__file__).parents[2]
TOOLS = [tool.spec.name for tool in load_tools({})]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGu0vm1cfBUVvcNO6I5Q5vFkp9nb0H8Gh6vB0hVkDFtT ada"
OTHER = KEY.replace("DFtT ada", "DFtU grace")


def valid() -> dict[str, Any]:
    return {
        "version": 1,
        "targets": {"shop": {"tier": "staging", "alembic": "alembic.ini", "url": "${env:SHOP_URL}"}},
        "workflows": {
            "w": {
                "owner": {"name": "Ada", "email": "ada@example.com"},
                "principals": ["agent:a"],
                "scopes": [{"tools": ["schema_read"], "targets": ["shop"]}],
            }
        },
        "reviewers": {"ada": {"ssh_keys": [KEY], "groups": ["dba"], "email": "ada@example.com"}},
        "approvals": [{"when": {"effects": ["unknown"]}, "require": {"from": "dba"}}],
    }


def team(**changes: Any) -> dict[str, Any]:
    """How a team is served, with changes to it or to its `oauth`."""
    here = {"url": "https://migrate.example.com", "state_keys": ["${env:STATE_KEY}"]}
    oauth = {"issuer": "https://login.example.com", "jwks": "https://login.example.com/keys"}
    ours = {**here, **{name: value for name, value in changes.items() if name in here}}
    return {**ours, "oauth": {**oauth, **{name: value for name, value in changes.items() if name not in here}}}


def problems(tmp_path: Path, value: Any) -> list[dict[str, Any]]:
    path = tmp_path / "mcp-migrate.yaml"
    path.write_text(value if isinstance(value, str) else yaml.safe_dump(value, sort_keys=False))
    with pytest.raises(ConfigInvalidError) as caught:
        load(path, known_tools=lambda _folders: TOOLS)
    return list(caught.value.details["problems"])


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    value = valid()
    change(value)
    return value


RDS = {"broker": "aws-rds-iam", "rds": {"region": "eu-central-1", "read": "reads", "apply": "writes"}}
RDS_URL = "postgresql://db/shop?sslmode=verify-full"
VAULT = {"address": "https://vault", "token": "${env:TOKEN}", "read": "shop-read", "apply": "shop-owner"}
REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "unknown key": (lambda c: c.update(targts={}), "targts", "Did you mean targets?"),
    "nested unknown key": (lambda c: c["targets"]["shop"].update(urll="x"), "targets.shop.urll", "Did you mean url?"),
    "no owner": (lambda c: c["workflows"]["w"].pop("owner"), "workflows.w.owner", "missing"),
    "literal password": (
        lambda c: c["targets"]["shop"].update(url="postgresql://bob:hunter2@db/shop"),
        "targets.shop.url",
        "plain text",
    ),
    "password as a parameter": (
        lambda c: c["targets"]["shop"].update(url="postgresql://db/shop?password=hunter2"),
        "targets.shop.url",
        "plain text",
    ),
    "password of the ledger": (
        lambda c: c.update(ledger="postgresql://bob:hunter2@db/ledger"),
        "ledger",
        "plain text",
    ),
    "ledger in an alembic.ini": (
        lambda c: c.update(ledger="${ini:sqlalchemy.url}"),
        "ledger",
        "no alembic.ini",
    ),
    "malformed reference": (lambda c: c["targets"]["shop"].update(url="${vault:x}"), "targets.shop.url", "reference"),
    "principal twice": (
        lambda c: c["workflows"].update(v={**c["workflows"]["w"]}),
        "workflows.v.principals.0",
        "already belongs",
    ),
    "check twice": (
        lambda c: c["targets"]["shop"].update(checks=[{"name": "a", "sql": "SELECT 1"}] * 2),
        "targets.shop.checks.1.name",
        "another check",
    ),
    "tool that is none": (
        lambda c: c["workflows"]["w"]["scopes"][0].update(tools=["schema_reed"]),
        "workflows.w.scopes.0.tools.0",
        "Did you mean schema_read?",
    ),
    "target that is none": (
        lambda c: c["workflows"]["w"]["scopes"][0].update(targets=["shops"]),
        "workflows.w.scopes.0.targets.0",
        "Did you mean shop?",
    ),
    "no scopes": (lambda c: c["workflows"]["w"].update(scopes=[]), "workflows.w.scopes", "at least 1"),
    "never open": (
        lambda c: c["workflows"]["w"]["scopes"][0].update(when={"hours": "09:00-09:00"}),
        "workflows.w.scopes.0.when",
        "never open",
    ),
    "no such zone": (
        lambda c: c["workflows"]["w"]["scopes"][0].update(when={"zone": "Europe/Nowhere"}),
        "workflows.w.scopes.0.when.zone",
        "no IANA time zone",
    ),
    "group without members": (
        lambda c: c["approvals"][0]["require"].update({"from": "dbas"}),
        "approvals.0.require.from",
        "Did you mean dba?",
    ),
    "more signatures than people": (
        lambda c: c["approvals"][0]["require"].update(count=2),
        "approvals.0.require.count",
        "1 reviewer",
    ),
    "owner who cannot be told": (
        lambda c: (c["approvals"][0]["require"].update(never=["owner"]), c["reviewers"]["ada"].pop("email")),
        "approvals.0.require.never",
        "no email",
    ),
    "one key for two": (
        lambda c: c["reviewers"].update(eve={"ssh_keys": [KEY]}),
        "reviewers.eve.ssh_keys.0",
        "key of ada",
    ),
    "reviewer without a key": (lambda c: c["reviewers"].update(eve={}), "reviewers.eve", "no key"),
    "no passkey": (
        lambda c: c["reviewers"]["ada"].update(passkeys=["passkey/1 AQ"]),
        "reviewers.ada.passkeys.0",
        "no passkey",
    ),
    "one passkey for two": (
        lambda c: (
            c["reviewers"]["ada"].update(passkeys=["passkey/1 AQ Ag 0 ada"]),
            c["reviewers"].update(eve={"passkeys": ["passkey/1 AQ Ag 9 eve"]}),
        ),
        "reviewers.eve.passkeys.0",
        "passkey of ada",
    ),
    "nobody of that name to break the glass": (
        lambda c: c.update(break_glass={"people": ["adda"]}),
        "break_glass.people.0",
        "Did you mean ada?",
    ),
    "glass of one level": (
        lambda c: c.update(break_glass={"people": ["ada"], "assurance": ["verified", "verified"]}),
        "break_glass.assurance",
        "one level",
    ),
    "software keys where nobody asks for more": (
        lambda c: c["targets"]["shop"].update(unsafe_software_keys=True),
        "targets.shop.unsafe_software_keys",
        "production",
    ),
    "rule for no tool": (
        lambda c: c["approvals"][0]["when"].update(tools=["migration_aply"]),
        "approvals.0.when.tools.0",
        "fits no tool",
    ),
    "rule for no target": (
        lambda c: c["approvals"][0]["when"].update(targets=["shpo"]),
        "approvals.0.when.targets.0",
        "fits no target",
    ),
    "freeze of no target": (
        lambda c: c.update(freezes=[{"file": "freeze", "targets": ["shpo"]}]),
        "freezes.0.targets.0",
        "fits no target",
    ),
    "rule without a condition": (lambda c: c["approvals"][0].update(when={}), "approvals.0.when", "nothing"),
    "production": (lambda c: c["targets"]["shop"].update(tier="production"), "targets.shop.tier", "standing key"),
    "a broker without an owner": (
        lambda c: c["targets"]["shop"].update(credentials={"broker": "postgres-role"}),
        "targets.shop.credentials.broker",
        "owner_role",
    ),
    "a broker without its procedures": (
        lambda c: c["targets"]["shop"].update(url="mysql://db/shop", credentials={"broker": "mysql-user"}),
        "targets.shop.credentials.broker",
        "mint",
    ),
    "a token that outlives its step": (
        lambda c: c["targets"]["shop"].update(url=RDS_URL, credentials={**RDS, "ttl": "5m"}),
        "targets.shop.credentials.ttl",
        "lets in for 900 s",
    ),
    "a token for whoever answers": (
        lambda c: c["targets"]["shop"].update(url=RDS_URL.replace("verify-full", "require"), credentials=RDS),
        "targets.shop.url",
        "certificate",
    ),
    "another database": (
        lambda c: c["targets"]["shop"].update(
            url="sqlite:///shop.db", credentials={"broker": "postgres-role", "owner_role": "owner"}
        ),
        "targets.shop.credentials.broker",
        "sqlite",
    ),
    "a broker that is no command": (
        lambda c: c["targets"]["shop"].update(credentials={"broker": "command"}),
        "targets.shop.credentials.broker",
        "needs `command`",
    ),
    "a vault in the open": (
        lambda c: c["targets"]["shop"].update(
            credentials={"broker": "vault", "vault": {**VAULT, "address": "http://v"}}
        ),
        "targets.shop.credentials.vault.address",
        "on the way",
    ),
    "a token in the open": (
        lambda c: c["targets"]["shop"].update(credentials={"broker": "vault", "vault": {**VAULT, "token": "s.x"}}),
        "targets.shop.credentials.vault.token",
        "no reference",
    ),
    "a token that lies in the project": (
        lambda c: c["targets"]["shop"].update(credentials={"broker": "vault", "vault": {**VAULT, "token": "${ini:t}"}}),
        "targets.shop.credentials.vault.token",
        "no reference",
    ),
    "a ttl of nothing": (
        lambda c: c["targets"]["shop"].update(credentials={"ttl": "5m"}),
        "targets.shop.credentials.ttl",
        "does nothing",
    ),
    "broker": (
        lambda c: c["targets"]["shop"].update(credentials={"broker": "volt"}),
        "targets.shop.credentials.broker",
        "postgres-role",
    ),
    "separation": (lambda c: c.update(separation={"staging": ["plan"]}), "separation.staging", "from nothing"),
    "people": (lambda c: c.update(people={"ada": ["agent:a"], "bob": ["agent:a"]}), "people.bob.0", "ada's already"),
    "tokens sealed with a key in plain text": (
        lambda c: c.update(http=team(state_keys=["hunter2"])),
        "http.state_keys.0",
        "plain text",
    ),
    "an address that can be read on the way": (
        lambda c: c.update(http=team(url="http://migrate.example.com")),
        "http.url",
        "on the way",
    ),
    "keys over a line that can be changed": (
        lambda c: c.update(http=team(jwks="http://login.example.com")),
        "http.oauth.jwks",
        "could answer",
    ),
    "tokens that nobody verifies": (lambda c: c.update(http=team(jwks=None)), "http.oauth", "exactly one way"),
    "tokens that anybody signs": (
        lambda c: c.update(http=team(algorithms=["none"])),
        "http.oauth.algorithms.0",
        "RS256",
    ),
    "a secret of ours at the issuer": (
        lambda c: c.update(http=team(introspection={"url": "https://l", "client_id": "m", "client_secret": "hunter2"})),
        "http.oauth.introspection.client_secret",
        "plain text",
    ),
    "a subject for nobody": (
        lambda c: c.update(http=team(principals={"sub": "agent:b"})),
        "http.oauth.principals.sub",
        "Did you mean agent:a?",
    ),
    "a token's scope for no tool": (
        lambda c: c.update(http=team(scopes={"db": ["schema_reed"]})),
        "http.oauth.scopes.db.0",
        "Did you mean schema_read?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_hold_is_refused_with_its_key_and_a_hint(tmp_path: Path, case: str) -> None:
    change, key, told = REFUSED[case]
    found = problems(tmp_path, changed(change))
    assert key in {problem["key"] for problem in found}
    assert any(told in f"{problem['problem']} {problem['suggestion']}" for problem in found)
    assert "hunter2" not in str(found)


def test_every_problem_of_a_file_is_told_at_once_and_where_it_stands(tmp_path: Path) -> None:
    text = yaml.safe_dump(changed(lambda c: (c.update(targts={}), c["targets"]["shop"].update(urll="x"))))
    found = {(p["line"], p["column"], p["key"]) for p in problems(tmp_path, text)}
    lines = text.splitlines()
    for line, column, key in found:
        assert lines[line - 1][column - 1 :].startswith(key.rpartition(".")[2])
    assert len(found) == 2


def test_what_was_probably_meant_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "mcp-migrate.yaml").write_text(yaml.safe_dump(changed(lambda c: c.update(ledgr="x"))))
    with pytest.raises(ConfigInvalidError) as caught:
        load(tmp_path / "mcp-migrate.yaml", known_tools=lambda _folders: TOOLS)
    assert (caught.value.hint, "ledger?" in caught.value.sentence) == ("Did you mean ledger?", False)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "version: 1\nversion: 1\n")
    assert (problem["line"], problem["key"]) == (2, "version")


@pytest.mark.parametrize("text", ["", "- a list", "version: [", "{version: 1"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)


def test_a_valid_file_loads_with_its_paths_placed(tmp_path: Path) -> None:
    path = tmp_path / "mcp-migrate.yaml"
    path.write_text(yaml.safe_dump(valid()))
    settings = load(path, known_tools=lambda _folders: TOOLS)
    assert settings.path == path
    assert settings.targets["shop"].alembic == tmp_path / "alembic.ini"
    assert settings.ledger == f"sqlite:///{tmp_path}/.mcp-migrate/ledger.db"
    assert settings.workflow_of("agent:a")[0] == "w"
    with pytest.raises(NotPermittedError):
        settings.workflow_of("agent:b")


def test_the_shipped_configuration_holds_and_fits_its_schema(tmp_path: Path) -> None:
    text = (ROOT / "config" / "mcp-migrate.yaml").read_text()
    (tmp_path / "mcp-migrate.yaml").write_text(text)
    load(tmp_path / "mcp-migrate.yaml", known_tools=lambda _folders: TOOLS)
    schema = json.loads((ROOT / "config" / "mcp-migrate.schema.json").read_text())
    Draft202012Validator(schema).validate(yaml.safe_load(text))
    assert schema == json_schema()


def test_a_python_that_is_not_there_or_cannot_be_run_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "config" / "mcp-migrate.yaml").read_text().replace("# python: ./.venv", "python: ./.venv")
    (tmp_path / "mcp-migrate.yaml").write_text(text)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    for why in ("there is no such file", "it cannot be run"):
        with pytest.raises(ConfigInvalidError) as refused:
            load(tmp_path / "mcp-migrate.yaml", known_tools=lambda _folders: TOOLS)
        [problem] = refused.value.details["problems"]
        assert why in str(problem)
        python.touch()
    python.chmod(0o755)
    loaded = load(tmp_path / "mcp-migrate.yaml", known_tools=lambda _folders: TOOLS)
    assert loaded.target("development").python == python


@pytest.mark.proves("interface-credential-failed")
def test_references_are_resolved_late_and_never_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    ini = tmp_path / "alembic.ini"
    ini.write_text("[alembic]\nsqlalchemy.url = sqlite:///%(here)s/a.db\n")
    monkeypatch.setenv("HOST", "db")
    monkeypatch.chdir(tmp_path)
    assert resolve(f"pg://u:${{file:{secret}}}@${{env:HOST}}/x", ini=ini) == "pg://u:hunter2@db/x"
    assert resolve("${ini:sqlalchemy.url}", ini=ini) == f"sqlite:///{tmp_path}/a.db"
    for reference in ("${env:NONE}", "${file:/none}", "${ini:none}"):
        with pytest.raises(CredentialFailedError, match="names nothing"):
            resolve(reference, ini=ini)
    with pytest.raises(CredentialFailedError, match="names nothing"):
        resolve("${ini:sqlalchemy.url}")  # whatever project lies where the server was started


def test_the_file_is_found_by_name_environment_and_parents(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    path = tmp_path / "mcp-migrate.yaml"
    path.write_text("version: 1")
    assert find(None, {}, inner) == path
    assert find(None, {"MCP_MIGRATE_CONFIG": str(path)}, Path("/")) == path
    assert find(path, {}, Path("/")) == path
    with pytest.raises(ConfigInvalidError):
        find(tmp_path / "none.yaml", {}, inner)


@pytest.mark.parametrize("keys", [[], [KEY, OTHER]])
def test_the_local_profile_lets_the_user_decide(tmp_path: Path, keys: list[str]) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\n")
    (tmp_path / ".ssh").mkdir()
    for number, key in enumerate(keys):
        (tmp_path / ".ssh" / f"id{number}.pub").write_text(key + "\n")
    settings = local_profile(tmp_path, user="ada", home=tmp_path)
    assert settings.workflow_of("local")[1].owner.name == "ada"
    assert [list(r.ssh_keys) for r in settings.reviewers.values()] == ([keys] if keys else [])


def test_without_an_alembic_ini_there_is_no_local_profile(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalidError, match=r"alembic\.ini"):
        local_profile(tmp_path, user="ada", home=tmp_path)
