"""Can any tool of transparency logs read our checkpoints, can we read theirs, and is nothing else taken for one?"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import CheckpointInvalidError
from mcp_migrate.ledger.checkpoint import Checkpoint, make, open_checkpoint
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.note import Algorithm, Note, VerifierKey, cosign, parse_key, parse_note, verify_note

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("aics_tlog.json").read_text())
ORIGIN = "example.com/ledger"
AT = datetime.fromtimestamp(VECTORS["time"], UTC)
HEAD = Head(11, VECTORS["roots"][11])
LOG, WITNESS = (
    Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS[f"{who}_seed"])) for who in ("log", "witness")
)
LOG_KEY, WITNESS_KEY = parse_key(VECTORS["log_key"]), parse_key(VECTORS["witness_key"])

# From golang.org/x/mod/sumdb/note, note_test.go (the Go Authors, BSD-3-Clause).
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of c2sp.org/signed-note.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def made(head: Head = HEAD) -> Note:
    return make(ORIGIN, head, LOG_KEY.point, LOG.sign, at=AT)


@pytest.mark.parametrize(("key", "note"), [(GO_KEY, GO_NOTE), (C2SP_KEY, C2SP_NOTE)], ids=["Go", "C2SP"])
@pytest.mark.proves("ledger-interoperates")
def test_notes_of_other_implementations_verify_and_keep_their_bytes(key: str, note: str) -> None:
    assert str(parse_key(key)) == key
    assert str(parse_note(note)) == note
    (signed,) = verify_note(parse_note(note), [parse_key(key)])
    assert (str(signed.key), signed.at) == (key, None)
    with pytest.raises(CheckpointInvalidError, match="does not hold"):
        verify_note(parse_note(note.replace("is", "was", 1)), [parse_key(key)])


@pytest.mark.proves("ledger-interoperates")
def test_a_checkpoint_is_byte_for_byte_what_another_implementation_makes() -> None:
    """Ed25519 has one signature for each key and message: equal bytes are agreement in both directions."""
    assert str(made()) == VECTORS["checkpoint"] + VECTORS["own_time_line"]
    name, raw = cosign(made().text, WITNESS_KEY, WITNESS.sign, at=AT)
    assert f"— {name} {base64.b64encode(raw).decode()}\n" == VECTORS["witness_line"]


@pytest.mark.proves("ledger-interoperates", "ledger-cosignatures")
def test_a_cosigned_checkpoint_of_another_implementation_is_read() -> None:
    text = VECTORS["checkpoint"] + VECTORS["witness_line"]
    opened = open_checkpoint(text, ORIGIN, [LOG_KEY], [WITNESS_KEY])
    assert opened == Checkpoint(ORIGIN, HEAD, parse_note(text), AT, ("witness.example/w1",))
    plain = open_checkpoint(VECTORS["checkpoint"], ORIGIN, [LOG_KEY], [WITNESS_KEY])
    assert (plain.at, plain.cosigners) == (None, ())


def second_opinion(text: str, vkey: str) -> tuple[str, int, bytes]:
    """C2SP's words as code that shares nothing with ours: origin, size and root of a plainly signed checkpoint."""
    body, lines = text[: text.rindex("\n\n") + 1], text[text.rindex("\n\n") + 2 :].splitlines()
    name, key_id, material = vkey.split("+", 2)
    material_bytes = base64.b64decode(material)
    assert hashlib.sha256(name.encode() + b"\n" + material_bytes).hexdigest()[:8] == key_id
    for line in lines:
        _, who, signature = line.split(" ")
        blob = base64.b64decode(signature)
        if (who, blob[:4].hex()) == (name, key_id):
            Ed25519PublicKey.from_public_bytes(material_bytes[1:]).verify(blob[4:], body.encode())
            origin, size, root, *_ = body.splitlines()
            return origin, int(size), base64.b64decode(root)
    raise InvalidSignature


@given(st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
@pytest.mark.proves("ledger-interoperates")
def test_an_independent_reader_agrees_about_every_checkpoint(size: int, root: bytes) -> None:
    text = str(made(Head(size, root.hex())))
    assert second_opinion(text, str(LOG_KEY)) == (ORIGIN, size, root)
    opened = open_checkpoint(text, ORIGIN, [LOG_KEY])
    assert (opened.head, opened.at) == (Head(size, root.hex()), AT)


@pytest.mark.proves("ledger-checkpoint-key", "interface-checkpoint-invalid")
def test_a_checkpoint_that_another_key_signed_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = make(ORIGIN, HEAD, other.public_key().public_bytes_raw(), other.sign, at=AT)
    with pytest.raises(CheckpointInvalidError, match="no key of this log"):
        open_checkpoint(str(forged), ORIGIN, [LOG_KEY])
    posing = make(ORIGIN, HEAD, LOG_KEY.point, other.sign, at=AT)
    with pytest.raises(CheckpointInvalidError, match="does not hold"):
        open_checkpoint(str(posing), ORIGIN, [LOG_KEY])
    with pytest.raises(CheckpointInvalidError, match="of the log"):
        open_checkpoint(str(made()), "example.com/other", [LOG_KEY])


@pytest.mark.proves("ledger-cosignatures")
def test_a_known_cosignature_that_does_not_hold_spoils_the_checkpoint_and_an_unknown_one_is_skipped() -> None:
    line = VECTORS["witness_line"].replace("AAAABk", "AAAABl")
    spoilt = str(made()) + line
    assert open_checkpoint(spoilt, ORIGIN, [LOG_KEY]).cosigners == ()
    with pytest.raises(CheckpointInvalidError, match=r"witness\.example"):
        open_checkpoint(spoilt, ORIGIN, [LOG_KEY], [WITNESS_KEY])


def test_a_key_may_sign_in_two_ways_and_neither_passes_for_the_other() -> None:
    plain, timed = LOG_KEY, LOG_KEY.also(Algorithm.COSIGNATURE)
    assert plain.key_id != timed.key_id
    (name, raw), _ = made().signatures
    swapped = Note(made().text, ((name, timed.key_id + raw[4:]),))
    with pytest.raises(CheckpointInvalidError, match="does not hold"):
        verify_note(swapped, [plain, timed])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no signature\n",
        "text\n\n",
        "text\n\n- dash raw\n",
        "text\n\n— name\n",
        "text\n\n— name !!!!\n",
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— name AAAAAAAA",
        "text\r\n\n— name AAAAAAAA\n",
        "\n\n— name AAAAAAAA\n",
        "text\ud800\n\n— name AAAAAAAA\n",
        "text\n\n" + "— name AAAAAAAA\n" * 65,
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(CheckpointInvalidError):
        parse_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "example.com/ledger\n11\n",
        "example.com/ledger\n011\n" + "A" * 43 + "=\n",
        "example.com/ledger\n-1\n" + "A" * 43 + "=\n",
        "example.com/ledger\n٣\n" + "A" * 43 + "=\n",
        "example.com/ledger\n" + "9" * 5000 + "\n" + "A" * 43 + "=\n",
        "example.com/ledger\n11\nAAAA\n",
        "example.com/ledger\n11\nno base64\n",
        "example.com/ledger\n11\n" + "A" * 42 + "B=\n",
    ],
)
def test_a_signed_text_that_is_no_head_is_refused(text: str) -> None:
    from mcp_migrate.ledger.note import sign

    with pytest.raises(CheckpointInvalidError):
        open_checkpoint(str(sign(text, ORIGIN, LOG_KEY.point, LOG.sign)), ORIGIN, [LOG_KEY])


@pytest.mark.parametrize(
    "key",
    [
        "",
        "PeterNeumann",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("PeterNeumann", "Peter Neumann"),
        GO_KEY.replace("ARpc", "Arpc"),
        GO_KEY + "=",
        # of the same test file: another length and another algorithm, each with an id that fits
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="verifier key"):
        parse_key(key)


@given(st.text(max_size=80))
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    for candidate in (text, f"{text}\n\n— {text} AAAAAAAA\n", f"{text}\n\n— name {text}\n"):
        try:
            open_checkpoint(candidate, ORIGIN, [LOG_KEY], [WITNESS_KEY])
        except CheckpointInvalidError:
            continue
        raise AssertionError(candidate)


def test_a_key_is_told_as_it_is_read() -> None:
    key = VerifierKey("a.example/log", Algorithm.PLAIN, bytes(range(32)))
    assert parse_key(str(key)) == key
