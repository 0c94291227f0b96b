"""Does a launch token count only for its principal, its hours, its ledger and an admin's key?"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.errors import ConfigInvalidError, InvalidArgumentsError, MigrateError, NotPermittedError
from mcp_migrate.leave.launches import launched, made, read_token
from mcp_migrate.leave.revoking import holding, revoke
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.model import Caller, canonical
from mcp_migrate.server.who import always
from mcp_migrate.settings import Settings
from mcp_migrate.signers import launch
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.line import line
from mcp_migrate.signers.sign import sign
from tests.approvals.conftest import NOON, Desk

Keys = Mapping[str, tuple[Path, PublicKey]]
ADMIN = "edsger"

pytestmark = pytest.mark.proves("launch-tokens")


def signed(keys: Keys, *, by: str = ADMIN, namespace: str = launch.NAMESPACE, **more: Any) -> str:
    path, public = keys[by]
    said = launch.statement("agent:one", key=public, at=NOON, ttl=timedelta(hours=8), nonce=secrets.token_hex(16))
    said |= more
    return line(said, sign(canonical(said), path, passphrase=str, namespace=namespace))


def held(text: str, desk: Desk, *, principal: str = "agent:one", at: datetime = NOON) -> launch.Launch:
    desk.config["admins"] = [desk.keys[ADMIN][1].line]
    return launched(text, principal, desk.settings, desk.ledger, now=at)


def recorded(text: str, desk: Desk) -> str:
    desk.config["admins"] = [desk.keys[ADMIN][1].line]
    made(text, desk.settings, desk.ledger, now=NOON)
    return text


def test_a_token_stands_for_its_principal_until_it_ends_and_is_on_the_record_by_a_name_only(desk: Desk) -> None:
    text = recorded(signed(desk.keys), desk)
    ends = held(f"{text}\n", desk).until
    assert ends == NOON + timedelta(hours=8)
    [entry] = desk.ledger.read(kind=Kind.LAUNCH_SIGNED)
    assert text.encode() not in entry.canonical()
    who = always(Caller("agent:one", "launch-token", until=ends), clock=lambda: ends)
    with pytest.raises(NotPermittedError, match="ended"):
        who(None)  # type: ignore[arg-type]


BAD: dict[str, Callable[[Keys], str]] = {
    "a stranger's key": lambda keys: signed(keys, by="stranger"),
    "a stranger who says to be the admin": lambda keys: signed(keys, by="stranger", key=keys[ADMIN][1].fingerprint),
    "made as an approval": lambda keys: signed(keys, namespace="approval@mcp-migrate"),
    "longer than any": lambda keys: signed(keys, until=(NOON + timedelta(days=2)).isoformat()),
    "without a zone": lambda keys: signed(keys, until="2026-11-24T20:00:00"),
    "of the future": lambda keys: signed(keys, signed_at=(NOON + timedelta(hours=1)).isoformat()),
    "of the past": lambda keys: signed(keys, until=NOON.isoformat()),
    "of nobody": lambda keys: signed(keys, principal=None),
    "of another format": lambda keys: signed(keys, format="mcp-migrate/launch/2"),
    "changed": lambda keys: signed(keys)[:-9] + "AAAAAAAAA",
    "nothing": lambda _keys: "",
    "no base64": lambda _keys: "é.é",
    "no object": lambda _keys: "W10.W10",
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_token_of_an_admin_for_now_is_refused(desk: Desk, bad: str) -> None:
    with pytest.raises(NotPermittedError):
        recorded(BAD[bad](desk.keys), desk)


def test_a_token_of_another_principal_or_another_ledger_is_refused(desk: Desk, tmp_path: Path) -> None:
    text = recorded(signed(desk.keys), desk)
    with pytest.raises(NotPermittedError, match="not agent:two"):
        held(text, desk, principal="agent:two")
    with Ledger.open(f"sqlite:///{tmp_path}/other.db") as other:
        desk.ledger = other
        with pytest.raises(NotPermittedError, match="not made for this ledger"):
            held(text, desk)


def test_a_token_lives_for_a_day_at_most(desk: Desk) -> None:
    _path, public = desk.keys[ADMIN]
    with pytest.raises(ConfigInvalidError, match="24 hours"):
        launch.statement("agent:one", key=public, at=NOON, ttl=timedelta(hours=25), nonce="n")


def test_a_file_that_others_can_read_holds_no_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a.b")
    file.chmod(0o640)
    with pytest.raises(MigrateError, match="open to others"):
        read_token(file, {})
    with pytest.raises(MigrateError, match="cannot be read"):
        read_token(tmp_path / "none", {})
    file.chmod(0o600)
    assert read_token(file, {"MCP_MIGRATE_LAUNCH_TOKEN": "c.d"}) == "a.b"
    assert read_token(None, {"MCP_MIGRATE_LAUNCH_TOKEN": "c.d"}) == "c.d"


def test_settings_without_admins_take_no_token(desk: Desk) -> None:
    text = signed(desk.keys)
    with pytest.raises(NotPermittedError, match="no key under `admins`"):
        launched(text, "agent:one", Settings.model_validate(desk.config), desk.ledger, now=NOON)


@pytest.mark.proves("tokens-revoked")
def test_what_was_taken_back_starts_no_server_and_nothing_else_is_taken_back(desk: Desk) -> None:
    lost, kept, other = (recorded(signed(desk.keys, principal=name), desk) for name in ("agent:one", "agent:one", "b"))
    name = held(lost, desk).token_id
    assert [each.name for each in revoke(name, "the laptop is gone", "ada", desk.ledger, now=NOON)] == [name]
    with pytest.raises(NotPermittedError, match=r"ada took the launch token .* back .*: the laptop is gone"):
        held(lost, desk)
    held(kept, desk)
    with pytest.raises(InvalidArgumentsError, match="No launch token and no grant that holds"):
        revoke(name, "again", "ada", desk.ledger, now=NOON)
    assert len(revoke("agent:one", "all of it", "ada", desk.ledger, now=NOON)) == 1
    assert [each.name for each in holding(desk.ledger, now=NOON)] == [held(other, desk, principal="b").token_id]
    assert list(holding(desk.ledger, now=NOON + timedelta(hours=8))) == []
