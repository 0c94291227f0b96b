"""Can an admin steer the rules, and never silence what always waits for a person?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.rules.catalogue import effects
from mcp_migrate.settings import Settings, load
from tests.settings.test_loading import TOOLS, valid

WHY = "the code reads both names since June"


def read(folder: Path, rules: dict[str, Any]) -> Settings:
    path = folder / "mcp-migrate.yaml"
    path.write_text(yaml.safe_dump({**valid(), "rules": rules}, sort_keys=False))
    return load(path, known_tools=lambda _folders: TOOLS, known_rules=effects)


def accept(rule: str, **changes: Any) -> dict[str, Any]:
    return {"accept": [{"rule": rule, "targets": ["shop"], "reason": WHY, **changes}]}


def test_what_holds_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path, {"raise": {"create-table": ["breaking"]}, **accept("rename")})
    assert set(settings.rules.raise_) == {"create-table"}
    assert [entry.rule for entry in settings.rules.accept] == ["rename"]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown rule raised": (
        {"raise": {"create-tabel": ["breaking"]}}, "rules.raise.create-tabel", "Did you mean create-table?"
    ),
    "unknown effect": ({"raise": {"create-table": ["braking"]}}, "rules.raise.create-table.0", "breaking"),
    "no effect": ({"raise": {"create-table": []}}, "rules.raise.create-table", "no effect"),
    "unknown rule accepted": (accept("renam"), "rules.accept.0.rule", "Did you mean rename"),
    "destructive": (accept("drop-column"), "rules.accept.0.rule", "no configuration silences"),
    "unknown": (accept("not-understood"), "rules.accept.0.rule", "no configuration silences"),
    "privilege": (accept("privileges"), "rules.accept.0.rule", "no configuration silences"),
    "raised to destructive": (
        {"raise": {"rename": ["destructive"]}, **accept("rename")}, "rules.accept.0.rule", "no configuration silences"
    ),
    "nothing to accept": (accept("create-table"), "rules.accept.0.rule", "nothing to accept"),
    "no such target": (accept("rename", targets=["shpo"]), "rules.accept.0.targets.0", "Did you mean shop?"),
    "no target": (accept("rename", targets=[]), "rules.accept.0.targets", "at least 1"),
    "no reason": ({"accept": [{"rule": "rename", "targets": ["shop"]}]}, "rules.accept.0.reason", "missing"),
    "an empty reason": (accept("rename", reason="          "), "rules.accept.0.reason", "a reason is needed"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_hold_is_refused_with_line_and_hint(tmp_path: Path, case: str) -> None:
    rules, key, told = REFUSED[case]
    with pytest.raises(ConfigInvalidError) as caught:
        read(tmp_path, rules)
    found = {problem["key"]: problem for problem in caught.value.details["problems"]}
    assert told in f"{found[key]['problem']} {found[key]['suggestion']}"
    line = (tmp_path / "mcp-migrate.yaml").read_text().splitlines()[found[key]["line"] - 1]
    assert line.strip(" -")


def test_no_rule_with_an_effect_that_always_waits_can_be_accepted(tmp_path: Path) -> None:
    for name, all_effects in effects().items():
        if all_effects & {"destructive", "unknown", "privilege"}:
            with pytest.raises(ConfigInvalidError):
                read(tmp_path, accept(name))


def test_rules_are_not_loaded_for_a_file_that_says_nothing_of_them(tmp_path: Path) -> None:
    path = tmp_path / "mcp-migrate.yaml"
    path.write_text(yaml.safe_dump(valid()))

    def fail() -> dict[str, Any]:
        raise AssertionError("nobody asked about rules")

    assert load(path, known_tools=lambda _folders: TOOLS, known_rules=fail).rules.accept == ()
