"""Does a team's own repository add tools, in SQL and in Python, that are governed without touching ours?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcp_migrate.cli.new_tool import write
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.ledger import Kind
from mcp_migrate.tools.registry import load
from tests.behaviour.test_python_tools import FAXES, SPEC
from tests.world import World

pytestmark = pytest.mark.anyio

NOTES: dict[str, Any] = {
    "name": "acme_make_notes",
    "title": "Make a table of notes",
    "description": "Makes a table of notes with the name that is given.",
    "effects": ["additive"],
    "parameters": {"type": "object", "properties": {"table": {"type": "string"}}, "required": ["table"]},
    "sql": "CREATE TABLE {table:identifier} (id INTEGER NOT NULL PRIMARY KEY)",
}
FORGET = {**SPEC, "name": "acme_forget_faxes", "handler": "acme_tools.faxes:ForgetFaxes"}


def installed(site: Path, *specs: dict[str, Any]) -> Path:
    """The repository's package as pip leaves it in a folder of `sys.path`; that of its sources."""
    package, known = site / "acme_tools", site / "acme_tools-1.0.dist-info"
    package.mkdir(parents=True)
    known.mkdir()
    (package / "__init__.py").write_text("raise ImportError('the server imported it')\n")
    (package / "faxes.py").write_text(FAXES)
    for spec in specs:
        (package / f"{spec['name']}.yaml").write_text(yaml.safe_dump(spec))
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tools\nVersion: 1.0\n")
    (known / "entry_points.txt").write_text("[mcp_migrate.tools]\nacme = acme_tools\n")
    return package


@pytest.mark.proves("team-packages")
async def test_a_repository_outside_adds_tools_that_are_governed(
    at_a1: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, site = at_a1, tmp_path / "site"
    package = installed(site, NOTES, FORGET)
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    scope = {"tools": ["acme_*"], "targets": ["shop"], "effects": ["additive", "data", "destructive"]}
    world.configure(lambda value: value.update(tool_packages=["acme"]))
    world.configure(lambda value: value["workflows"]["shop-agent"]["scopes"].append(scope))
    async with world.stdio_agent() as agent:
        made = await agent.call("acme_make_notes", target="shop", table="notes")
        assert made["status"] == "applied", made
        asked = await agent.call("acme_forget_faxes", target="shop", ends="example.com")
        assert asked["status"] == "approval_required", asked
        world.sign(asked["request_id"])
        done = await agent.call("acme_forget_faxes", target="shop", ends="example.com")
        assert done["status"] == "applied", done
        assert {fax for (fax,) in world.query("SELECT fax FROM customers")} == {None}
        (package / "faxes.py").write_text(FAXES + "\n")
        changed = await agent.call("acme_make_notes", target="shop", table="more")
        assert changed["code"] == "frozen", changed
    [request] = world.events(Kind.APPROVAL_REQUESTED)
    assert request.body["subject"]["tool_source"].startswith("sha256:")
    assert "forgets" in world.approvals("show", request.body["request_id"]).stdout


def test_nothing_of_a_package_is_imported_and_its_tools_bear_its_name(tmp_path: Path) -> None:
    package = installed(tmp_path / "site", NOTES, FORGET)
    assert {"acme_make_notes", "acme_forget_faxes"} <= {tool.spec.name for tool in load({package: "acme"})}
    with pytest.raises(ConfigInvalidError, match="its name does not say so"):
        load({package: "other"})
    twice = tmp_path / "twice"
    twice.mkdir()
    (twice / "notes.yaml").write_text(yaml.safe_dump(NOTES))
    (twice / "ours.yaml").write_text(yaml.safe_dump({**NOTES, "name": "schema_read"}))
    with pytest.raises(ConfigInvalidError, match=r"Two tools are named 'schema_read': in .* and in .*ours\.yaml"):
        load({twice: None})
    (twice / "ours.yaml").unlink()
    with pytest.raises(ConfigInvalidError, match=r"in .*acme_make_notes\.yaml and in .*notes\.yaml"):
        load({package: "acme", twice: None})
    (twice / "notes.yaml").write_text(yaml.safe_dump({**FORGET, "handler": "mcp_migrate.tools.plans:Plan"}))
    with pytest.raises(ConfigInvalidError, match="does not lie in the spec's own folder"):
        load({twice: None})


@pytest.mark.proves("python-tools-written")
def test_a_new_tool_in_python_holds_and_passes_its_own_test(
    at_a1: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "team_tools"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write("forget_fax", folder, python=True)
    held = at_a1.here("tools", "check", "forget_fax.yaml", "--target", "shop")
    assert held.returncode == 0, held
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q", folder], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    handler = folder / "forget_fax.py"
    handler.write_text(handler.read_text().replace("email: str", "mail: str"))
    refused = at_a1.here("tools", "check", "forget_fax.yaml")
    assert refused.returncode == 1
    assert "email is in `parameters` alone" in refused.stdout
