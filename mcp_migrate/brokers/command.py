"""What a program of the team's hands out: for whatever has a way of its own to make credentials."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from mcp_migrate.brokers.bounded import bounded
from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.settings.credentials import CommandOptions

_KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT")
"""What a program needs of an environment; the server's own may hold secrets of other targets."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    expires: AwareDatetime
    role: str
    handle: str | None = None


class Command:
    """Runs one program to issue and one to revoke, without a shell. What they print is never told."""

    standing = False

    def __init__(self, given: CommandOptions) -> None:
        self._given = given

    def issue(self, step: Step) -> Credential:
        """What the program prints."""
        asked = {"target": step.target, "principal": step.principal, "objects": list(step.objects), "ttl": step.ttl}
        printed = self._run(self._given.issue, {"action": "issue", "purpose": step.purpose, **asked})
        try:
            answer = _Answer.model_validate_json(printed)
        except ValidationError as error:
            wrong = ", ".join(sorted({".".join(map(str, each["loc"])) or "all of it" for each in error.errors()}))
            raise CredentialFailedError(
                f"What {self._given.issue[0]} printed is no credential; wrong is: {wrong}.",
                hint="Nothing ran. It prints JSON: url, role, expires with its zone, and handle if it likes.",
            ) from None  # its words hold what was printed
        credential = Credential(answer.url, role=answer.role, expires=answer.expires, handle=answer.handle)
        return bounded(self, credential, step, hint="Nothing ran. Let the program issue it for at most `ttl` seconds.")

    def revoke(self, credential: Credential) -> None:
        """Exit code 0 says that its sessions have ended and that it is gone."""
        asked = {"role": credential.role, "handle": credential.handle, "expires": _text(credential.expires)}
        self._run(self._given.revoke, {"action": "revoke", **asked})

    def sweep(self) -> tuple[str, ...]:
        """What is over is the program's to remove."""
        return ()

    def maker(self) -> str | None:
        """None: the credential of a step that plans makes scratch databases, if it may."""
        return None

    def excess(self) -> Iterable[str]:
        """Nobody here knows."""
        return (f"what the key of {self._given.issue[0]} could do beyond issuing is not known here",)

    def _run(self, words: Sequence[str], asked: Mapping[str, Any]) -> bytes:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            with subprocess.Popen(  # noqa: S603  the admin's own program
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                process_group=0 if os.name == "posix" else None,
            ) as running:
                printed = _printed(running, json.dumps(asked).encode(), self._given.within)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._failed(words, asked, f"could not be run: {type(error).__name__}") from None
        if running.returncode:
            raise self._failed(words, asked, f"ended with {running.returncode}")
        return printed

    @staticmethod
    def _failed(words: Sequence[str], asked: Mapping[str, Any], why: str) -> CredentialFailedError:
        nothing = "Nothing ran. " if asked["action"] == "issue" else ""
        return CredentialFailedError(
            f"{words[0]}, which is to {asked['action']} the credential of a step, {why}.",
            hint=f"{nothing}Run it by hand with what docs/credentials.md shows on its standard input.",
        )


def _printed(running: subprocess.Popen[bytes], asked: bytes, within: float) -> bytes:
    """What it prints in time. Of one that is late nothing goes on, or it would make a credential that nobody knows."""
    try:
        return running.communicate(asked, within)[0]
    except BaseException:
        if os.name == "posix":
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
        running.kill()
        raise


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
