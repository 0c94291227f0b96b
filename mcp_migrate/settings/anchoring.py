"""Who signs the ledger's head, how often, and who outside is given it?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mcp_migrate.settings.values import Duration, Part, Seconds


class CheckpointKey(Part):
    """Where the Ed25519 key is that signs checkpoints: never in the ledger, and never in this file."""

    file: Path | None = Field(None, description="A private key file that nobody else can read, without a passphrase.")
    env: str | None = Field(None, description="The environment variable that holds a private key file's text.")
    ssh_agent: str | None = Field(None, description="The public key line of a key that ssh-agent holds.")

    @model_validator(mode="after")
    def _one(self) -> CheckpointKey:
        if sum(part is not None for part in (self.file, self.env, self.ssh_agent)) != 1:
            raise ValueError("a key is in one place: `file`, `env` or `ssh_agent`")
        return self


class _Witness(Part):
    """What every witness has."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="What it is called on the ledger.")
    within: Seconds = Field(10.0, gt=0, le=60, description="How long one attempt may take.")


class FileWitness(_Witness):
    """A file elsewhere: a mount that whoever owns the ledger's database cannot write."""

    kind: Literal["file"]
    path: Path = Field(description="Where it is.")


class GitWitness(_Witness):
    """A git repository: one commit a checkpoint, so that every one of them stays known."""

    kind: Literal["git"]
    repository: Path = Field(description="A repository with a work tree.")
    push: bool = Field(default=False, description="Whether each commit is pushed to where its branch goes.")


class WebhookWitness(_Witness):
    """A POST of JSON, signed as Standard Webhooks says; it may answer with cosignatures."""

    kind: Literal["webhook"]
    url: str = Field(repr=False, description="Where to; secrets as references.")
    secret: str = Field(repr=False, description="A reference to the shared secret, `whsec_` and base64.")


class LedgerWitness(_Witness):
    """Another ledger."""

    kind: Literal["ledger"]
    url: str = Field(repr=False, description="As `ledger` names one; secrets as references.")


Witness = Annotated[FileWitness | GitWitness | WebhookWitness | LedgerWitness, Field(discriminator="kind")]


class Checkpoints(Part):
    """How the ledger's head is signed, and who else keeps it."""

    origin: str = Field(
        pattern=r"^[^\s+]+$", description="What this log is called, as a URL without a scheme: db.example.com/ledger."
    )
    key: CheckpointKey
    every: Duration = Field(timedelta(hours=1), description="How often, besides after each decision and apply.")
    max_age: Duration = Field(
        timedelta(hours=24), description="With nothing outside that is newer, the ledger does not verify."
    )
    witnesses: tuple[Witness, ...] = Field((), max_length=20, description="Who keeps checkpoints.")
    cosigners: tuple[str, ...] = Field((), description="Verifier keys of those whose cosignatures count (C2SP).")
    retired: tuple[str, ...] = Field((), description="Verifier keys that signed checkpoints before this one.")


_SQLITE = "sqlite:///"


def placed_url(url: str, folder: Path) -> str:
    """The URL of a ledger, with a relative path taken from the folder of the configuration."""
    if not url.startswith(_SQLITE) or url.startswith(f"{_SQLITE}/"):
        return url
    return f"{_SQLITE}{folder / url.removeprefix(_SQLITE)}"


def placed_checkpoints(checkpoints: Checkpoints, folder: Path) -> Checkpoints:
    """The same with each relative path made absolute."""
    key = checkpoints.key
    if key.file is not None:
        key = key.model_copy(update={"file": folder / key.file})
    witnesses = tuple(_placed(each, folder) for each in checkpoints.witnesses)
    return checkpoints.model_copy(update={"key": key, "witnesses": witnesses})


def _placed(witness: Witness, folder: Path) -> Witness:
    match witness:
        case FileWitness():
            return witness.model_copy(update={"path": folder / witness.path})
        case GitWitness():
            return witness.model_copy(update={"repository": folder / witness.repository})
        case LedgerWitness():
            return witness.model_copy(update={"url": placed_url(witness.url, folder)})
        case WebhookWitness():
            return witness
