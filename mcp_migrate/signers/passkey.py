"""How does a reviewer sign with a passkey (WebAuthn), and does one assertion hold?

What pages and commands may rely on, before and after it is built:

``options(statement, settings) -> dict``
    The argument of ``navigator.credentials.get``: ``{"publicKey": {"challenge", "rpId", "allowCredentials": [one],
    "userVerification": "required", "timeout"}}``, bytes as base64url. `statement` is `decisions.statement(...)` made
    with one `Passkey` of the reviewer as its ``key``; the challenge is the SHA-256 of its canonical JSON.
``decisions.check(decision, request, settings)``
    Takes ``{"statement": {...}, "passkey": {"id", "clientDataJSON", "authenticatorData", "signature"}}``, all
    base64url without padding, beside ``{"statement", "signature"}`` of SSH keys. Assurance is always `verified`.
``enrolment_options(name, settings, *, challenge) -> dict``
    The argument of ``navigator.credentials.create`` for reviewer `name`; `challenge` is at least 32 random bytes that
    the caller keeps.
``enrolled(answer, name, settings, *, challenge) -> Passkey``
    Holds ``{"id", "clientDataJSON", "attestationObject"}`` against it. `Passkey.line` is what goes under
    ``reviewers.NAME.passkeys``: ``webauthn ID KEY COMMENT``. It counts once an admin has put it there, or an
    enrolment signed by an admin or a reviewer is on the ledger (`mcp-migrate reviewers enroll`).
``parse_passkey(line) -> Passkey``
    The inverse of `Passkey.line`; `Passkey.fingerprint` is ``passkey:ID``, the ``key`` of a statement.

The origin is `settings.review.origin`, exact with scheme and port; the relying party is its host. An IP address is no
relying party, so the pages live at ``http://localhost:PORT`` or under https.
"""
