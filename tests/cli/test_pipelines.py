"""Do the files for pipelines do what they say, in a repository as a team has one?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.world import World

EXAMPLES = Path(__file__).parents[2] / "config" / "examples" / "ci"


def read(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text())


def bash(words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    there = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    line = ["bash", "-euo", "pipefail", "-c", words]
    environment = {**os.environ, "PATH": there, **more}
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def of_pre_commit() -> list[str]:
    return [hook["entry"] for repo in read("pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


def of_github() -> list[str]:
    return [step["run"] for step in read("github.yaml")["jobs"]["policy"]["steps"] if "run" in step]


def of_gitlab() -> list[str]:
    return [str(line) for line in read("gitlab.yaml")["policy"]["script"]]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Its main branch, and a working tree in which the agent may do more."""
    world = World(tmp_path_factory.mktemp("team"))
    [workflow] = yaml.safe_load(world.config.read_text())["workflows"].values()
    call = {"principal": workflow["principals"][0], "tool": "schema_read", "target": "shop"}
    (world.folder / "policy-tests.yaml").write_text(yaml.safe_dump([{"call": call, "expect": "allow"}]))
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "."),
        ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "-qm", "policy"),
        ("remote", "add", "origin", "."),
        ("fetch", "-q", "origin"),
    ):
        subprocess.run(["git", *words], cwd=world.folder, check=True)

    def widen(config: dict[str, Any]) -> None:
        [workflow] = config["workflows"].values()
        workflow["scopes"].append({"tools": ["migration_apply"], "targets": ["shop"], "effects": ["privilege"]})

    world.configure(widen)
    return world


@pytest.mark.parametrize("lines", [of_pre_commit(), of_github(), of_gitlab()], ids=["pre-commit", "github", "gitlab"])
def test_each_pipeline_runs_and_those_of_reviews_say_who_gains(repository: World, lines: list[str]) -> None:
    mine = [line for line in lines if not line.startswith(("pip ", "pipx "))]
    done = bash(
        "\n".join(mine),
        repository.folder,
        GITHUB_BASE_REF="main",
        GITHUB_STEP_SUMMARY=str(repository.folder / "summary"),
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 calls come out as expected" in done.stdout
    assert ("privilege" in done.stdout) == any("config diff" in line for line in lines)


def test_a_policy_that_does_not_hold_stops_the_pipeline(repository: World, tmp_path: Path) -> None:
    (tmp_path / "mcp-migrate.yaml").write_text(repository.config.read_text().replace("targets:", "tragets:", 1))
    assert [bash(entry, tmp_path).returncode for entry in of_pre_commit()] == [1, 1]
