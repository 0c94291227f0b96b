"""How does a git repository keep checkpoints? Each in a commit of its own: a replaced one is still in the history."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mcp_migrate.anchors.witnesses.interface import failed
from mcp_migrate.ledger.note import Note

FILE = "checkpoint"
_MOST = 10_000
_WHO = ("-c", "user.name=mcp-migrate", "-c", "user.email=mcp-migrate@localhost", "-c", "commit.gpgsign=false")

_PASSED_ON = (
    *("PATH", "HOME", "USER", "LANG", "LC_", "TMP", "TEMP", "SSH_", "XDG_"),
    *("SYSTEMROOT", "APPDATA", "USERPROFILE", "http", "HTTP", "no_proxy", "NO_PROXY"),
)
"""Beginnings of what git is told of the server's environment, which may hold credentials and launch tokens."""
_NOT_OURS = "did not take it: others push to that branch. Give each machine one of its own, as docs/ledger.md says"


@dataclass(frozen=True, slots=True)
class InRepository:
    """One file in a work tree, committed; pushed where that is asked."""

    name: str
    folder: Path
    push: bool = False
    within: float = 10.0

    def take(self, note: Note, *, size: int, at: datetime) -> str:
        """Write, commit and push; a checkpoint that is there already is not committed again."""
        try:
            (self.folder / FILE).write_text(str(note), encoding="utf-8", newline="\n")
        except OSError as error:
            raise failed(self.name, f"cannot be written: {error.strerror or error}") from error
        self._git("add", "--", FILE)
        if self._git("status", "--porcelain", "--", FILE):
            when = f"--date={at.isoformat()}"
            self._git(*_WHO, "commit", "--quiet", "--no-verify", when, "-m", f"Checkpoint {size}", "--", FILE)
        if self.push:
            self._git("push", "--quiet")
        return ""

    def kept(self) -> tuple[str, ...]:
        """Those of the whole history."""
        if not self._git("for-each-ref", "--count=1") or not (
            commits := self._git("rev-list", f"--max-count={_MOST}", "HEAD", "--", FILE).split()
        ):
            return ()
        asked = "".join(f"{commit.decode()}:{FILE}\n" for commit in commits)
        return tuple(_contents(self._git("cat-file", "--batch", said=asked.encode()), self.name))

    def _git(self, *words: str, said: bytes = b"") -> bytes:
        environment = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
        try:
            done = subprocess.run(  # noqa: S603  no shell, and the folder is the admin's own choice
                ["git", "-C", str(self.folder), *words],  # noqa: S607  the git of this machine
                input=said,
                env={**environment, "GIT_TERMINAL_PROMPT": "0"},
                capture_output=True,
                timeout=self.within,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise failed(self.name, f"cannot be asked: git {words[0]}: {type(error).__name__}") from error
        if done.returncode:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            if any("[rejected]" in line for line in told):
                raise failed(self.name, _NOT_OURS)
            why = [line for line in told if not line.startswith("hint:")] or ["no reason given"]
            raise failed(self.name, f"did not take it: git says: {why[-1]}")
        return done.stdout


def _contents(raw: bytes, name: str) -> list[str]:
    """The files in the answer of ``git cat-file --batch``: a line with the size, the content, a newline."""
    found, at = [], 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        words = raw[at:end].split()
        if words[-1] == b"missing":  # the commit that took the file away
            at = end + 1
            continue
        size = int(words[-1])
        try:
            found.append(raw[end + 1 : end + 1 + size].decode())
        except UnicodeDecodeError as error:
            raise failed(name, "keeps something that is no text") from error
        at = end + 1 + size + 1
    return found
