"""Is a credential that somebody else issues taken only with an end, given back, and never told?"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.brokers import broker_for
from mcp_migrate.brokers.interface import Broker, Credential, Purpose
from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.settings import Target
from tests.brokers.conftest import step
from tests.waiting import until

SECRET = "hunter2"
PROGRAM = """
import json, os, pathlib, sys
asked = json.load(sys.stdin)
folder = pathlib.Path(sys.argv[1])
with (folder / "asked").open("a") as lines:
    print(json.dumps({**asked, "environment": sorted(os.environ)}), file=lines)
print((folder / "answer").read_text())
print("a password: hunter2", file=sys.stderr)
sys.exit(int((folder / "code").read_text()))
"""


def soon(seconds: float = 60) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@dataclass
class Program:
    """What the team's program answers and how it ends, and what it was asked."""

    folder: Path
    words: list[str]

    def says(self, answer: Any, code: int = 0) -> None:
        (self.folder / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
        (self.folder / "code").write_text(str(code))

    def asked(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]

    @property
    def broker(self) -> Broker:
        given = {"broker": "command", "command": {"issue": self.words, "revoke": self.words}}
        return broker_for(Target.model_validate({**TARGET, "url": "mysql://db/shop", "credentials": given}))


TARGET = {"tier": "production", "alembic": "/shop/alembic.ini"}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "program.py").write_text(PROGRAM)
    return Program(tmp_path, [sys.executable, str(tmp_path / "program.py"), str(tmp_path)])


def test_a_program_issues_and_revokes_and_sees_nothing_of_the_servers_environment(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTHER_DATABASE_URL", SECRET)
    until = soon()
    program.says({"url": f"mysql://one:{SECRET}@db/shop", "role": "one", "expires": until, "handle": "h1"})
    issued = program.broker.issue(replace(step(Purpose.READ), objects=("public.items",)))
    assert (issued.url, issued.role) == (f"mysql://one:{SECRET}@db/shop", "one")
    assert SECRET not in repr(issued)
    program.broker.revoke(issued)
    first, last = program.asked()
    assert {"OTHER_DATABASE_URL"}.isdisjoint(first["environment"])
    assert [first[name] for name in ("action", "target", "principal", "purpose", "objects", "ttl")] == [
        *("issue", "shop", "agent:one", "read"),
        ["public.items"],
        60,
    ]
    assert (last["action"], last["role"], last["handle"], last["expires"]) == ("revoke", "one", "h1", until)
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.proves("step-credentials-expire")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"url": f"mysql://one:{SECRET}@db/shop", "role": "one"}, 0),  # without an end
        ({"url": f"mysql://one:{SECRET}@db/shop", "role": "one", "expires": "2030-01-01T00:00:00"}, 0),
        ({"url": f"mysql://one:{SECRET}@db/shop", "role": "one", "expires": "2030-01-01T00:00:00Z"}, 0),
        (f"mysql://one:{SECRET}@db/shop", 0),
        ({"url": f"mysql://one:{SECRET}@db/shop", "role": "one", "expires": soon(), "lease": "x"}, 0),
        ({"url": f"mysql://one:{SECRET}@db/shop", "role": "one", "expires": soon()}, 3),
    ],
)
def test_what_is_no_credential_with_an_end_is_refused_and_not_told(program: Program, answer: Any, code: int) -> None:
    program.says(answer, code)
    with pytest.raises(CredentialFailedError) as refused:
        program.broker.issue(step())
    assert SECRET not in f"{refused.value} {refused.value.__cause__} {refused.value.details}"
    assert "Nothing ran" in refused.value.hint


def test_one_that_lasts_too_long_is_given_back(program: Program) -> None:
    program.says({"url": "mysql://one@db/shop", "role": "one", "expires": soon(3600)})
    with pytest.raises(CredentialFailedError, match="later than the step's ttl"):
        program.broker.issue(step())
    assert [asked["action"] for asked in program.asked()] == ["issue", "revoke"]


def test_a_program_that_is_not_there_fails_the_step() -> None:
    with pytest.raises(CredentialFailedError, match="could not be run"):
        Program(Path(), ["/nowhere/at/all"]).broker.issue(step())


def test_one_that_ends_a_little_later_than_the_step_is_taken(program: Program) -> None:
    """Issuing takes its time, and clocks differ."""
    program.says({"url": "mysql://one@db/shop", "role": "one", "expires": soon(70)})
    assert program.broker.issue(step()).role == "one"


def test_a_program_that_does_not_revoke_is_told_as_that(program: Program) -> None:
    program.says("", 3)
    with pytest.raises(CredentialFailedError, match="is to revoke the credential of a step, ended with 3") as refused:
        program.broker.revoke(Credential("", role="one"))
    assert "Nothing ran" not in refused.value.hint


def test_a_program_that_hangs_fails_the_step_in_time_and_nothing_of_it_goes_on(tmp_path: Path) -> None:
    words = ["/bin/sh", "-c", f"(sleep 600 & echo $! > {tmp_path}/began; mv {tmp_path}/began {tmp_path}/child; wait)"]
    given = {"broker": "command", "command": {"issue": words, "revoke": words, "within": 1}}
    with pytest.raises(CredentialFailedError, match="could not be run: TimeoutExpired"):
        broker_for(Target.model_validate({**TARGET, "url": "mysql://db/shop", "credentials": given})).issue(step())
    child = (tmp_path / "child").read_text().strip()
    ask = ["ps", "-o", "stat=", "-p", child]
    until(lambda: subprocess.run(ask, capture_output=True, check=False).stdout.strip()[:1] in (b"", b"Z"))
