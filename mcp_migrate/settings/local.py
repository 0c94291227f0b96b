"""What holds where there is no configuration? One development target, and a person for whatever can hurt."""

from __future__ import annotations

from pathlib import Path

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Effect
from mcp_migrate.settings.model import Settings

_READING = (
    "schema_read",
    "schema_diff",
    "migration_plan",
    "migration_status",
    "migration_validate",
    "approval_status",
    "audit_read",
    "access_explain",
)
_KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


def local_profile(folder: Path, *, user: str, home: Path) -> Settings:
    """The settings of a folder with an alembic.ini: the operating-system user owns and reviews, an agent calls.

    Raises:
        ConfigInvalidError: there is no alembic.ini.
    """
    ini = folder.absolute() / "alembic.ini"
    if not ini.is_file():
        raise ConfigInvalidError(
            f"There is neither a mcp-migrate.yaml nor an alembic.ini in {folder} or above it.",
            hint="Start in the folder of an Alembic project, or pass --config.",
        )
    keys = public_keys(home)
    return Settings.model_validate(
        {
            "version": 1,
            "ledger": f"sqlite:///{ini.parent / '.mcp-migrate' / 'ledger.db'}",
            "targets": {"local": {"tier": "development", "alembic": ini, "url": "${ini:sqlalchemy.url}"}},
            "workflows": {
                "local": {
                    "owner": {"name": user, "email": f"{user}@localhost"},
                    "principals": ["local"],
                    "scopes": [
                        {"tools": _READING, "targets": ["local"]},
                        {"tools": ["revision_create"], "targets": ["local"], "effects": ["additive"]},
                        # All effects are in scope, so that what can hurt waits for a signature instead of failing.
                        {
                            "tools": ["migration_apply", "migration_rollback"],
                            "targets": ["local"],
                            "effects": [str(effect) for effect in Effect],
                        },
                    ],
                }
            },
            "reviewers": {user: {"ssh_keys": keys}} if keys else {},
            "approvals": [{"when": {"effects": _NOT_ADDITIVE}}],
        }
    )


_NOT_ADDITIVE = [str(effect) for effect in Effect if effect not in {Effect.READ, Effect.ADDITIVE}]


def public_keys(home: Path) -> list[str]:
    """The user's public keys of the kinds we check."""
    lines = []
    for path in sorted((home / ".ssh").glob("*.pub")) if (home / ".ssh").is_dir() else ():
        line = path.read_text(encoding="utf-8", errors="replace").strip()
        if line.startswith(_KINDS) and "-cert-" not in line.split(maxsplit=1)[0]:
            lines.append(line)
    return lines


def private_beside(home: Path) -> list[str]:
    """Those of them whose private half lies beside, for any program of this account to sign with."""
    folder = home / ".ssh"
    there = [path for path in sorted(folder.glob("*.pub")) if path.with_suffix("").is_file()] if folder.is_dir() else []
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in there]
