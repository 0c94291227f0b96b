"""Is a person asked for the passphrase of a key once, and only where it needs one?"""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mcp_migrate.cli.signing import OwnKey, signed_by_admin
from mcp_migrate.model import canonical
from mcp_migrate.signers.sshsig import verify


def test_one_command_asks_for_a_passphrase_once_and_signs_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(words: str) -> str:
        asked.append(words)
        return "open sesame"

    monkeypatch.setattr("getpass.getpass", ask)
    file = tmp_path / "id"
    file.touch(mode=0o600)
    locked = form.BestAvailableEncryption(b"open sesame")
    file.write_bytes(Ed25519PrivateKey.generate().private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked))
    own = OwnKey(file)
    assert asked == []
    entry = own.signed({"what": "this", "key": own.public.fingerprint}, "thaw@mcp-migrate")
    assert asked == [f"Passphrase for {file}: "]
    verify(canonical(entry["statement"]), entry["signature"], own.public, namespace="thaw@mcp-migrate")


def test_what_no_key_was_named_for_has_no_signature() -> None:
    said = {"what": "this", "key": None}
    assert signed_by_admin(said, None, "thaw@mcp-migrate") == {"statement": said, "signature": None}
