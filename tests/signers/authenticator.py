"""An authenticator in software, for tests: it makes a passkey and answers challenges, honestly or as it is told."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from mcp_migrate.signers.passkey import Passkey, challenge, encoded

ORIGIN = "http://localhost:8021"
PRESENT, VERIFIED = 0x01, 0x04


@dataclass
class Authenticator:
    private: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    counter: int = 1
    origin: str | None = None

    @property
    def passkey(self) -> Passkey:
        return Passkey(self.credential, self._cose(), 0, "grace", self.origin)

    def sign(self, message: bytes, **told: Any) -> dict[str, str]:
        """The assertion over `message`; `told` replaces parts of what an honest browser and authenticator say."""
        said = {
            "type": "webauthn.get",
            "challenge": encoded(challenge(message)),
            "origin": self.origin or ORIGIN,
            "crossOrigin": False,
        }
        client = json.dumps({**said, **told.get("client", {})}).encode()
        data = self.data(told.get("flags", PRESENT | VERIFIED), rp=told.get("rp", self.passkey.relying_party))
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        return {
            "id": encoded(self.credential),
            "client_data": encoded(client),
            "authenticator_data": encoded(data),
            "signature": encoded(signature),
        }

    def data(self, flags: int, *, rp: str = "localhost") -> bytes:
        """Web Authentication, section 6.1."""
        return hashlib.sha256(rp.encode()).digest() + struct.pack(">BI", flags, self.counter)

    def _cose(self) -> bytes:
        numbers = self.private.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
