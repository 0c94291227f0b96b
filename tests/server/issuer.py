"""An issuer of tokens for tests: real keys, real signatures, its key set and its introspection on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

NAME = "http://localhost/login"


class Issuer:
    """Signs with the newest of its keys. `answers` makes it go down, `asked` counts who looked at its keys."""

    def __init__(self, audience: str = "") -> None:
        self.audience = audience
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.answers: bytes | int | None = None
        self.asked = 0
        self.known: dict[str, Mapping[str, Any]] = {}
        self.url = ""
        self.rotate()

    def rotate(self) -> str:
        """Begin to sign with a new key; its name."""
        name = f"key-{len(self.keys)}"
        self.keys[name] = ec.generate_private_key(ec.SECP256R1())
        return name

    def claims(self, subject: str = "agent:demo", **more: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        said = {"iss": NAME, "aud": self.audience, "sub": subject, "iat": now, "exp": now + timedelta(minutes=5)}
        return {key: value for key, value in {**said, **more}.items() if value is not None}

    def token(self, subject: str = "agent:demo", *, header: Mapping[str, Any] | None = None, **more: Any) -> str:
        """A token that is good but for what is said otherwise; None leaves a claim out."""
        name = [*self.keys][-1]
        said: dict[str, Any] = {"scope": " ".join(EVERYTHING), **more}
        return jwt.encode(
            self.claims(subject, **said), self.keys[name], algorithm="ES256", headers={"kid": name, **(header or {})}
        )

    def published(self) -> bytes:
        return json.dumps(
            {"keys": [{**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": n} for n, key in self.keys.items()]}
        ).encode()


EVERYTHING = (
    "schema_read",
    "migration_plan",
    "migration_apply",
    "migration_rollback",
    "migration_status",
    "approval_status",
    "access_explain",
    "audit_read",
)


@contextmanager
def issuing(audience: str = "") -> Iterator[Issuer]:
    """One that answers."""
    issuer = Issuer(audience)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            self._answer(issuer.published())

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["content-length"])).decode()
            trusted = self.headers["authorization"] == "Basic bWU6c2VjcmV0"  # me:secret
            found = issuer.known.get(form.removeprefix("token="), {"active": False})
            self._answer(json.dumps(found if trusted else {"active": False}).encode())

        def _answer(self, body: bytes) -> None:
            status = issuer.answers if isinstance(issuer.answers, int) else 200
            sent = issuer.answers if isinstance(issuer.answers, bytes) else body
            self.send_response(status)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name in the base class
            """It says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://localhost:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield issuer
        server.shutdown()
