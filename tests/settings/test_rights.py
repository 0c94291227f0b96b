"""Does a change of the configuration say who gained or lost what?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings import Settings, changed, load, rights
from tests.settings.test_loading import TOOLS, valid


def read(folder: Path, **changes: Any) -> Settings:
    path = folder / "mcp-migrate.yaml"
    path.write_text(yaml.safe_dump({**valid(), **changes}, sort_keys=False))
    return load(path, known_tools=lambda _folders: TOOLS)


@pytest.mark.proves("record-configuration")
def test_who_gained_and_who_lost_is_said_in_words(tmp_path: Path) -> None:
    before = read(tmp_path)
    workflows = valid()["workflows"]
    [(name, workflow)] = workflows.items()
    agent = workflow["principals"][0]
    workflow["principals"].append("agent:new")
    workflow["scopes"] = [{"tools": ["migration_apply"], "targets": ["*"], "effects": ["data"], "max_rows": 5}]
    change = changed(rights(before), rights(read(tmp_path, workflows=workflows)))
    assert f"agent:new acts for workflow {name}" in change.gained
    assert f"{agent} may use migration_apply on *, doing data, read, up to 5 rows" in change.gained
    assert all(sentence.startswith(f"{agent} may use ") for sentence in change.lost)
    assert change.lost


@pytest.mark.proves("record-configuration")
def test_who_becomes_whom_by_a_certificate_and_which_proxy_says_so_is_told(tmp_path: Path) -> None:
    oauth = {"issuer": "https://login.example.com", "jwks": "https://login.example.com/keys"}
    http = {"url": "https://migrate.example.com", "state_keys": ["${env:KEY}"], "oauth": oauth}
    [agent, *_] = [name for workflow in valid()["workflows"].values() for name in workflow["principals"]]
    named = {"trusted_proxies": ["10.0.0.5"], "certificates": {"principals": {"CN=ci": agent}}}
    change = changed(rights(read(tmp_path, http=http)), rights(read(tmp_path, http={**http, **named})))
    assert change.gained == (
        "certificates that these proxies put into Client-Cert say who calls over HTTP",
        f"the certificate of CN=ci is {agent}",
        "what 10.0.0.5/32 says of where calls come from counts",
    )
    assert change.lost == ()


def test_the_same_configuration_written_in_another_order_gives_nothing(tmp_path: Path) -> None:
    workflows = valid()["workflows"]
    for workflow in workflows.values():
        workflow["scopes"].reverse()
    change = changed(rights(read(tmp_path)), rights(read(tmp_path, workflows=workflows)))
    assert (change.gained, change.lost) == ((), ())


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"redact": [{"arguments": ["sql"]}]}, "redact.0.arguments"),
        ({"redact": [{"arguments": ["/sql"], "pattern": "("}]}, "redact.0.pattern"),
        ({"redact": [{"arguments": ["/sql"], "pattern": "a*"}]}, "redact.0.pattern"),
        ({"redact": [{"arguments": []}]}, "redact.0.arguments"),
        ({"redact": [{"arguments": ["/a"], "tools": ["schema_raed"]}]}, "redact.0.tools.0"),
        ({"redaction_key": "plain"}, "redaction_key"),
        ({"ledger": "postgresql://db/audit"}, "ledger"),
    ],
)
@pytest.mark.proves("record-redacted-by-rule")
def test_a_rule_that_could_not_work_is_refused(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigInvalidError) as refused:
        read(tmp_path, **changes)
    assert [problem["key"] for problem in refused.value.details["problems"]] == [key]
