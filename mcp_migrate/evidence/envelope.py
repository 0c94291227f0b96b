"""How is a file signed so that other tools can check it? As a DSSE envelope, version 1.0.2, with an Ed25519 key.

One thing is read in one way only: our own files have one signature and one spelling, so that no byte of them is free.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable

from mcp_migrate.errors import EvidenceInvalidError
from mcp_migrate.ledger.note import Signing, VerifierKey
from mcp_migrate.model import canonical

_FIELDS = {"payload", "payloadType", "signatures"}


def pae(kind: str, payload: bytes) -> bytes:
    """The bytes that are signed: the pre-authentication encoding, with lengths in bytes."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def seal(kind: str, payload: bytes, key: VerifierKey, signing: Signing) -> str:
    """The envelope around `payload`, in its one spelling."""
    signature = signing(pae(kind, payload))
    return _spelt(kind, payload, _key_id(key), signature)


def unseal(text: str, kind: str, keys: Iterable[VerifierKey]) -> tuple[bytes, VerifierKey]:
    """The signed bytes and whose key signed them.

    Raises:
        EvidenceInvalidError: it is no envelope of this kind in its one spelling, or none of the keys signed it.
    """
    try:
        value = json.loads(text)
        [signed] = value["signatures"]
        payload, signature = (base64.b64decode(each, validate=True) for each in (value["payload"], signed["sig"]))
        same = set(value) == _FIELDS and text == _spelt(str(value["payloadType"]), payload, signed["keyid"], signature)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _invalid("it is no signed envelope") from error
    if not same or value["payloadType"] != kind:
        raise _invalid("it is not spelt as it was written, or holds something else")
    for key in keys:
        if _key_id(key) == signed["keyid"] and key.holds(signature, pae(kind, payload)):
            return payload, key
    raise _invalid("none of the given keys signed exactly these bytes")


def _key_id(key: VerifierKey) -> str:
    return f"{key.name}+{key.key_id.hex()}"


def _spelt(kind: str, payload: bytes, key_id: str, signature: bytes) -> str:
    sealed = {"keyid": key_id, "sig": base64.b64encode(signature).decode()}
    value = {"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": [sealed]}
    return f"{canonical(value).decode()}\n"


def _invalid(why: str) -> EvidenceInvalidError:
    return EvidenceInvalidError(
        f"This evidence cannot be trusted: {why}.",
        hint="Get the file again from whoever made it, and the ledger's verifier key from somebody else.",
    )
