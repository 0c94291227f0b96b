"""Real OpenSSH for the tests of signatures."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_migrate.signers.interface import NAMESPACE

KeyMaker = Callable[..., Path]
OpenSSHVerdict = Callable[[bytes, str, str], bool]


def never_asked() -> str:
    pytest.fail("a passphrase was asked for")


@pytest.fixture
def no_passphrase() -> Callable[[], str]:
    return never_asked


@pytest.fixture
def agent_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where OpenSSH looks for an agent; a short path, because a socket's may have about a hundred characters."""
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("needs sockets of the AF_UNIX family")
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("SSH_AUTH_SOCK", f"{folder}/agent")
        yield Path(folder, "agent")


@pytest.fixture(scope="session")
def ssh_keygen() -> str:
    found = shutil.which("ssh-keygen")
    if found is None:
        pytest.skip("needs ssh-keygen: apt-get install openssh-client")
    return found


@pytest.fixture(scope="session")
def make_key(ssh_keygen: str, tmp_path_factory: pytest.TempPathFactory) -> KeyMaker:
    """Make a key pair with ssh-keygen; the same arguments give the same pair."""
    made: dict[tuple[str, ...], Path] = {}

    def make(*arguments: str, passphrase: str = "") -> Path:
        wanted = (*arguments, passphrase)
        if wanted not in made:
            path = tmp_path_factory.mktemp("key") / "id"
            command = [
                ssh_keygen,
                "-q",
                "-N",
                passphrase,
                "-C",
                "ada@example.org",
                "-f",
                str(path),
                *arguments,
            ]
            subprocess.run(command, check=True)
            made[wanted] = path
        return made[wanted]

    return make


@pytest.fixture
def openssh_accepts(ssh_keygen: str, tmp_path: Path) -> OpenSSHVerdict:
    """Ask `ssh-keygen -Y verify` about (message, signature, public key line)."""

    def accepts(message: bytes, signature: str, line: str) -> bool:
        allowed, armored = tmp_path / "allowed_signers", tmp_path / "message.sig"
        allowed.write_text(f"ada {line}\n")
        armored.write_text(signature)
        command = [ssh_keygen, "-Y", "verify", "-f", str(allowed), "-I", "ada", "-n", NAMESPACE]
        done = subprocess.run([*command, "-s", str(armored)], input=message, check=False, capture_output=True)
        return done.returncode == 0

    return accepts
