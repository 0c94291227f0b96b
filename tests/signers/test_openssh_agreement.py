"""Do OpenSSH and we read and write the same signatures?"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.interface import NAMESPACE, Verified
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import generate_key, public_key_of, sign
from mcp_migrate.signers.sshsig import verify

KeyMaker = Callable[..., Path]
OpenSSHVerdict = Callable[[bytes, str, str], bool]
Passphrase = Callable[[], str]

MESSAGE = b'{"decision":"approve"}'
SOFTWARE = Verified(Assurance.SOFTWARE, None)
KINDS = [
    ("-t", "ed25519"),
    ("-t", "ecdsa", "-b", "256"),
    ("-t", "ecdsa", "-b", "384"),
    ("-t", "ecdsa", "-b", "521"),
    ("-t", "rsa", "-b", "3072"),
]
PEM = [
    ("-t", "rsa", "-b", "3072", "-m", "PEM"),
    ("-t", "ecdsa", "-b", "256", "-m", "PEM"),
    ("-t", "ecdsa", "-b", "384", "-m", "PKCS8"),
]


def signed_by_openssh(key: Path, *options: str, namespace: str = NAMESPACE) -> str:
    command = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(key), *options]
    return subprocess.run(command, input=MESSAGE, check=True, capture_output=True).stdout.decode()


def line_of(key: Path) -> str:
    return key.with_name(key.name + ".pub").read_text()


@pytest.mark.parametrize("kind", [*KINDS, *PEM], ids=" ".join)
def test_openssh_accepts_what_we_sign(
    kind: tuple[str, ...], make_key: KeyMaker, openssh_accepts: OpenSSHVerdict, no_passphrase: Passphrase
) -> None:
    key = make_key(*kind)

    signature = sign(MESSAGE, key, passphrase=no_passphrase)

    assert openssh_accepts(MESSAGE, signature, line_of(key))
    assert not openssh_accepts(MESSAGE + b" ", signature, line_of(key))


@pytest.mark.parametrize("hashing", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_we_accept_what_openssh_signs(kind: tuple[str, ...], hashing: str, make_key: KeyMaker) -> None:
    key = make_key(*kind)

    signature = signed_by_openssh(key, "-O", f"hashalg={hashing}")

    assert verify(MESSAGE, signature, parse_public_key(line_of(key))) == SOFTWARE


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_another_message_namespace_or_key_is_refused(kind: tuple[str, ...], make_key: KeyMaker, tmp_path: Path) -> None:
    key = make_key(*kind)
    public, other = parse_public_key(line_of(key)), generate_key(tmp_path / "other")
    signature = signed_by_openssh(key)

    with pytest.raises(ApprovalInvalidError, match="not a signature of this message"):
        verify(MESSAGE + b" ", signature, public)
    with pytest.raises(ApprovalInvalidError, match="another key"):
        verify(MESSAGE, signature, other)
    with pytest.raises(ApprovalInvalidError, match="namespace 'git'"):
        verify(MESSAGE, signed_by_openssh(key, namespace="git"), public)


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_a_key_is_read_and_named_as_openssh_does(
    kind: tuple[str, ...], make_key: KeyMaker, no_passphrase: Passphrase
) -> None:
    key = make_key(*kind)
    listed = subprocess.run(["ssh-keygen", "-lf", str(key)], check=True, capture_output=True, text=True).stdout

    public = public_key_of(key, passphrase=no_passphrase)

    assert (public.fingerprint, public.comment) == (listed.split()[1], "ada@example.org")
    assert public.line == line_of(key).strip()


def test_openssh_accepts_a_key_that_we_generate(
    tmp_path: Path, openssh_accepts: OpenSSHVerdict, no_passphrase: Passphrase
) -> None:
    public = generate_key(tmp_path / "demo")

    assert openssh_accepts(MESSAGE, sign(MESSAGE, tmp_path / "demo", passphrase=no_passphrase), public.line)
    assert verify(MESSAGE, signed_by_openssh(tmp_path / "demo"), public) == SOFTWARE


@pytest.fixture
def agent(agent_socket: Path) -> Iterator[None]:
    if shutil.which("ssh-agent") is None:
        pytest.skip("needs ssh-agent: apt-get install openssh-client")
    # In the foreground (-D) so that it ends with the test; its first line says that the socket is there.
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(agent_socket)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.terminate()


@pytest.mark.usefixtures("agent")
def test_a_key_in_the_agent_signs_through_its_public_file(tmp_path: Path, no_passphrase: Passphrase) -> None:
    public = generate_key(tmp_path / "id")
    subprocess.run(["ssh-add", "-q", str(tmp_path / "id")], check=True)
    (tmp_path / "id").unlink()

    signature = sign(MESSAGE, tmp_path / "id.pub", passphrase=no_passphrase)

    assert verify(MESSAGE, signature, public) == SOFTWARE
    assert public_key_of(tmp_path / "id.pub", passphrase=no_passphrase) == public


@pytest.mark.usefixtures("agent")
def test_a_key_that_the_agent_does_not_hold_is_a_clear_error(tmp_path: Path, no_passphrase: Passphrase) -> None:
    generate_key(tmp_path / "id")
    (tmp_path / "id").unlink()

    with pytest.raises(ConfigInvalidError, match=r"ssh-keygen could not sign with .*id\.pub") as refused:
        sign(MESSAGE, tmp_path / "id.pub", passphrase=no_passphrase)
    assert "ssh-add -l" in refused.value.hint


def test_a_missing_ssh_keygen_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_passphrase: Passphrase
) -> None:
    generate_key(tmp_path / "id")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigInvalidError, match="ssh-keygen, which is not installed") as refused:
        sign(MESSAGE, tmp_path / "id.pub", passphrase=no_passphrase)
    assert "openssh-client" in refused.value.hint
