"""Does a project get a configuration that works, from one command?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_migrate.__main__ import load_settings
from mcp_migrate.cli.demo_project import make_project
from mcp_migrate.leave.alone import alone
from mcp_migrate.model import Effect, Tier
from mcp_migrate.signers.sign import generate_key


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    make_project(folder, reviewer_key="ssh-ed25519 AAAA ada")
    (folder / "mcp-migrate.yaml").unlink()
    return folder


def init(folder: Path, *words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mcp_migrate", "init", "--email", "ada@example.com", "--owner", "Ada", *words]
    environment = {"HOME": str(home or folder), "PATH": ""}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def effects_in_scope(folder: Path) -> set[Effect]:
    workflow = load_settings(folder / "mcp-migrate.yaml").workflows["schema-agent"]
    return {effect for scope in workflow.scopes for effect in scope.effects or ()}


def test_without_anybody_who_can_sign_only_what_is_additive_is_in_scope(shop: Path) -> None:
    done = init(shop)
    assert done.returncode == 0, done.stderr
    assert "No SSH key was found" in done.stdout
    assert effects_in_scope(shop) == {Effect.ADDITIVE}


def test_the_owners_keys_become_those_of_a_reviewer_whom_all_else_waits_for(shop: Path, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    generate_key(tmp_path / ".ssh" / "id_ed25519")
    done = init(shop, "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["keys"] == 1
    settings = load_settings(shop / "mcp-migrate.yaml")
    [rule], [reviewer] = settings.approvals, settings.reviewers.values()
    assert set(rule.when.effects or ()) >= effects_in_scope(shop) - {Effect.ADDITIVE}
    assert reviewer.email == settings.workflows["schema-agent"].owner.email
    assert init(shop, home=tmp_path).returncode == 1, "a configuration that is there is never written over"


def test_what_cannot_hold_leaves_no_file(shop: Path) -> None:
    done = init(shop, "--email", "nobody")
    assert (done.returncode, "no email address" in done.stderr) == (1, True)
    assert not (shop / "mcp-migrate.yaml").exists()


def test_without_a_project_it_says_where_to_start(tmp_path: Path) -> None:
    done = init(tmp_path)
    assert (done.returncode, "alembic.ini" in done.stderr) == (1, True)


def test_a_production_database_is_opened_by_roles_of_steps_and_each_change_there_is_signed(
    shop: Path, tmp_path: Path
) -> None:
    (tmp_path / ".ssh").mkdir()
    generate_key(tmp_path / ".ssh" / "id_ed25519")
    done = init(shop, "--production", "SHOP_PRODUCTION", home=tmp_path)
    assert done.returncode == 0, done.stderr
    settings = load_settings(shop / "mcp-migrate.yaml")
    target = settings.targets["production"]
    assert (target.tier, target.url, target.credentials.broker) == (
        Tier.PRODUCTION,
        "${env:SHOP_PRODUCTION}",
        "postgres-role",
    )
    assert alone(settings, "production") == ()
    assert "mcp-migrate credentials sql production" in done.stdout


def test_production_is_left_out_where_nobody_could_sign(shop: Path) -> None:
    done = init(shop, "--production", "SHOP_PRODUCTION")
    assert (done.returncode, "Production is left out" in done.stdout) == (0, True)
    assert [*load_settings(shop / "mcp-migrate.yaml").targets] == ["development"]


def test_a_url_is_not_taken_for_the_name_of_a_variable(shop: Path) -> None:
    done = init(shop, "--production", "postgresql://admin:secret@db/shop")
    assert (done.returncode, (shop / "mcp-migrate.yaml").exists()) == (1, False)


def test_one_variable_names_no_production_of_several_databases(shop: Path) -> None:
    (shop / "alembic.ini").write_text("[alembic]\nscript_location = migrations\ndatabases = users, orders\n")
    done = init(shop, "--production", "SHOP_PRODUCTION")
    assert (done.returncode, "several databases" in done.stderr) == (1, True)
    assert init(shop).returncode == 0
    targets = load_settings(shop / "mcp-migrate.yaml").targets
    assert {name: target.database for name, target in targets.items()} == {"users": "users", "orders": "orders"}
