"""Does a token prove who calls, and does everything that is less refuse?"""

from __future__ import annotations

import hmac
import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from mcp_migrate.errors import IssuerUnreachableError, NotPermittedError, TokenInvalidError
from mcp_migrate.model import Caller, Party
from mcp_migrate.server.oauth import keys
from mcp_migrate.server.oauth.claims import caller_of, scope_for
from mcp_migrate.server.oauth.keys import Keys
from mcp_migrate.server.oauth.verifying import Signed, verifier
from mcp_migrate.settings.http import Http
from tests.server.issuer import NAME, Issuer, issuing

pytestmark = pytest.mark.anyio
OURS = "http://localhost:8765/mcp"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(OURS) as made:
        yield made


def http(issuer: Issuer, **oauth: Any) -> Http:
    said = {"issuer": NAME, "jwks": issuer.url, **oauth}
    return Http.model_validate({"url": "http://localhost:8765", "state_keys": ["${env:K}"], "oauth": said})


def introspecting(issuer: Issuer) -> dict[str, Any]:
    return {"jwks": None, "introspection": {"url": issuer.url, "client_id": "me", "client_secret": "secret"}}


async def known(issuer: Issuer, token: str, **oauth: Any) -> Caller:
    said = http(issuer, **oauth)
    return caller_of(await verifier(said).claims(token), said.oauth)


def encoded(part: str | bytes) -> str:
    raw = part.encode() if isinstance(part, str) else part
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(issuer: Issuer) -> str:
    return ".".join([encoded('{"alg": "none", "kid": "key-0"}'), issuer.token().split(".")[1], ""])


def by_a_shared_secret(issuer: Issuer) -> str:
    """What anybody can make who knows the public key, if it is taken for a secret."""
    said = {**issuer.claims(), "iat": 0, "exp": 2**40}
    head, body = (encoded(json.dumps(part)) for part in ({"alg": "HS256", "kid": "key-0"}, said))
    return f"{head}.{body}.{encoded(hmac.digest(issuer.published(), f'{head}.{body}'.encode(), 'sha256'))}"


def by_another(issuer: Issuer) -> str:
    other = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(issuer.claims(), other, algorithm="ES256", headers={"kid": "key-0"})


def changed(issuer: Issuer) -> str:
    head, body, tag = issuer.token().split(".")
    return ".".join((head, issuer.token("agent:other").split(".")[1], tag)) if body else ""


BAD: Mapping[str, Callable[[Issuer], str]] = {
    "alg none": unsigned,
    "a shared secret": by_a_shared_secret,
    "another's signature": by_another,
    "a body that was changed": changed,
    "an unknown key": lambda i: i.token(header={"kid": "key-9"}),
    "another audience": lambda i: i.token(aud="https://elsewhere.example.com/mcp"),
    "no audience": lambda i: i.token(aud=None),
    "another issuer": lambda i: i.token(iss="http://localhost/other"),
    "expired": lambda i: i.token(exp=datetime.now(UTC) - timedelta(minutes=5)),
    "with an end beyond all": lambda i: i.token(exp=math.inf),
    "without an end": lambda i: i.token(exp=None),
    "not yet valid": lambda i: i.token(nbf=datetime.now(UTC) + timedelta(minutes=5)),
    "of the future": lambda i: i.token(iat=datetime.now(UTC) + timedelta(minutes=5)),
    "without a subject": lambda i: i.token(sub=None),
    "a subject of two lines": lambda i: i.token("agent:demo\nagent:other"),
    "an id token": lambda i: i.token(header={"typ": "id+jwt"}),
    "an extension": lambda i: i.token(header={"crit": ["exp2"], "exp2": 1}),
    "a chain without an end": lambda i: i.token(act=chain(9)),
    "an actor of another issuer": lambda i: i.token(act={"sub": "agent:demo", "iss": "http://localhost/other"}),
    "no token": lambda _: "agent:demo",
    "a long one": lambda i: i.token(more="x" * 20_000),
}


def chain(length: int) -> dict[str, Any]:
    nested: dict[str, Any] = {"sub": "a0"}
    for n in range(1, length):
        nested = {"sub": f"a{n}", "act": nested}
    return nested


@pytest.mark.proves("oauth-bad-tokens")
@pytest.mark.parametrize("case", BAD)
async def test_a_token_that_does_not_hold_names_nobody(issuer: Issuer, case: str) -> None:
    assert (await known(issuer, issuer.token())).principal == "agent:demo"
    with pytest.raises(TokenInvalidError):
        await known(issuer, BAD[case](issuer))


@pytest.mark.parametrize("exp", [2**40, 10**400])
async def test_a_token_whose_end_no_calendar_has_ends_later_than_any_call(issuer: Issuer, exp: int) -> None:
    found = await known(issuer, issuer.token(exp=exp))
    assert found.until is not None
    assert found.until.year >= 9999


@pytest.mark.proves("oauth-chain")
async def test_who_acts_calls_and_for_whom_is_kept_whole(issuer: Issuer) -> None:
    acting = {"sub": "worker", "act": {"sub": "orchestrator", "iss": "https://other.example.com"}}
    token = issuer.token("ada", act=acting, client_id="chat", scope="schema_read migration_plan")
    found = await known(issuer, token, principals={"worker": "agent:demo"})
    ends = datetime.now(UTC) + timedelta(minutes=5, seconds=30)  # as clocks may be apart
    assert found.until is not None
    assert abs(found.until - ends) < timedelta(seconds=20)
    assert replace(found, until=None) == Caller(
        "agent:demo",
        assurance="oauth",
        party=Party("worker", NAME),
        client="chat",
        chain=(Party("orchestrator", "https://other.example.com"), Party("ada", NAME)),
        tools=("schema_read", "migration_plan"),
    )
    with pytest.raises(NotPermittedError):
        await known(issuer, issuer.token("ada"), principals={"worker": "agent:demo"})


@pytest.mark.proves("oauth-scopes")
async def test_a_token_stands_for_the_tools_of_its_scopes_and_for_nothing_by_itself(issuer: Issuer) -> None:
    scopes = {"db:read": ["schema_*", "migration_plan"], "db:write": ["migration_*"]}
    reading = await known(issuer, issuer.token(scope="db:read profile"), scopes=scopes)
    listed = await known(issuer, issuer.token(scope=None, scp=["db:write"]), scopes=scopes)
    nothing = await known(issuer, issuer.token(scope="*"))
    assert reading.may_use("schema_read")
    assert reading.may_use("migration_plan")
    assert not reading.may_use("migration_apply")
    assert listed.may_use("migration_apply")
    assert not any(nothing.may_use(tool) for tool in ("schema_read", "migration_apply"))
    oauth = http(issuer, scopes=scopes).oauth
    assert [scope_for(tool, oauth) for tool in ("schema_read", "migration_apply", "x")] == ["db:read", "db:write", None]


@pytest.mark.proves("oauth-rotation")
async def test_a_new_key_counts_at_once_an_old_one_no_more_and_made_up_names_are_not_carried_to_the_issuer(
    issuer: Issuer,
) -> None:
    now = [0.0]
    known_keys = Keys(issuer.url, within=5, ticks=lambda: now[0])
    await known_keys.find("key-0", "ES256")
    issuer.rotate()
    del issuer.keys["key-0"]
    now[0] += keys._PAUSE
    await known_keys.find("key-1", "ES256")
    asked = issuer.asked
    for n in range(20):
        with pytest.raises(TokenInvalidError):
            await known_keys.find(f"made-up-{n}", "ES256")
    with pytest.raises(TokenInvalidError):
        await known_keys.find("key-0", "ES256")
    assert (asked, issuer.asked) == (2, 2)


@pytest.mark.proves("oauth-issuer-down")
@pytest.mark.parametrize("answers", [500, 302, b"not json", b"[]", b"x" * 300_000])
async def test_keys_outlive_an_outage_for_a_while_and_what_nobody_knows_is_not_taken_for_good(
    issuer: Issuer, answers: bytes | int
) -> None:
    now = [0.0]
    known_keys = Keys(issuer.url, within=5, ticks=lambda: now[0])
    await known_keys.find("key-0", "ES256")
    issuer.answers = answers
    now[0] += keys._FRESH + 1
    await known_keys.find("key-0", "ES256")
    with pytest.raises(IssuerUnreachableError):
        await known_keys.find("key-1", "ES256")
    now[0] += keys._GOOD
    with pytest.raises(IssuerUnreachableError):
        await known_keys.find("key-0", "ES256")
    issuer.answers = None
    now[0] += keys._PAUSE
    await known_keys.find("key-0", "ES256")


async def test_a_key_counts_for_what_it_says_alone(issuer: Issuer) -> None:
    for said in ({"use": "enc"}, {"alg": "ES384"}, {"kty": "oct", "k": "c2VjcmV0"}, {"crv": "P-384"}):
        [key] = json.loads(issuer.published())["keys"]
        issuer.answers = json.dumps({"keys": [{**key, **said}]}).encode()
        with pytest.raises(TokenInvalidError):
            await Keys(issuer.url, within=5).find("key-0", "ES256")


@pytest.mark.proves("oauth-bad-tokens")
async def test_a_key_that_is_too_short_counts_for_nothing(issuer: Issuer) -> None:
    for bits, found in ((2048, nullcontext()), (1024, pytest.raises(TokenInvalidError, match="too short"))):
        public = rsa.generate_private_key(65537, bits).public_key()
        key = {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "rsa", "use": "sig", "alg": "RS256"}
        issuer.answers = json.dumps({"keys": [key]}).encode()
        with found:
            assert (await Keys(issuer.url, within=5).find("rsa", "RS256")).key_size == bits


@pytest.mark.proves("oauth-introspection")
async def test_a_token_that_only_its_issuer_reads_is_asked_about_each_time(issuer: Issuer) -> None:
    good = {"active": True, "sub": "agent:demo", "aud": [OURS], "scope": "schema_read", "client_id": "chat"}
    issuer.known["opaque"] = good
    found = await known(issuer, "opaque", **introspecting(issuer))
    assert (found.principal, found.client, found.tools) == ("agent:demo", "chat", ("schema_read",))
    past = (datetime.now(UTC) - timedelta(minutes=5)).timestamp()
    wrong = ({"active": False}, {"active": "yes"}, {"aud": "other"}, {"iss": "other"}, {"exp": past}, {"exp": "soon"})
    for said in wrong:
        issuer.known["opaque"] = {**good, **said}
        with pytest.raises(TokenInvalidError):
            await known(issuer, "opaque", **introspecting(issuer))
    issuer.answers = 503
    with pytest.raises(IssuerUnreachableError):
        await known(issuer, "opaque", **introspecting(issuer))


def test_only_one_who_cannot_sign_with_it_is_asked_for_a_key(issuer: Issuer) -> None:
    for algorithm in ("none", "HS256", "HS512"):
        with pytest.raises(ValueError, match="algorithms"):
            http(issuer, algorithms=[algorithm])


@pytest.mark.proves("oauth-rotation")
async def test_a_token_that_held_before_is_no_longer_good_than_itself_and_its_key(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, token = datetime.now(UTC).timestamp(), issuer.token()
    now = [started]
    known = Signed(http(issuer, leeway=0), lambda: now[0])
    first = await known.claims(token)
    decodes: list[str] = []

    def decoded(given: str, *_: Any, **__: Any) -> Mapping[str, Any]:
        decodes.append(given)
        return first

    monkeypatch.setattr(jwt, "decode", decoded)

    assert await known.claims(token) is first
    assert decodes == [], "the signature was looked at before"
    for moment in (started + 301, started - 60):
        now[0] = moment
        await known.claims(token)
    assert decodes == [token, token], "one that is over, or a clock that was set back, is looked at again"

    now[0] = started + 1
    await known.claims(token)
    issuer.rotate()
    del issuer.keys["key-0"]
    known._keys._read -= keys._FRESH + 1
    known._keys._asked -= keys._FRESH + 1
    with pytest.raises(TokenInvalidError, match="does not have"):
        await known.claims(token)
