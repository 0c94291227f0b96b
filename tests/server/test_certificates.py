"""Whom does a client certificate name, and whose word that it was verified counts?"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509

from mcp_migrate.errors import MigrateError, NotPermittedError, TokenInvalidError
from mcp_migrate.server.http.certificate import caller, hold_to_key, shown
from mcp_migrate.settings.http import Certificates, Http
from tests.server.authority import Authority, Holder

NOW = datetime.now(UTC)
PROXY, ELSEWHERE = "10.0.0.5", "10.0.1.5"
CI = "spiffe://acme.example/ns/ci"
HEADER = "x-forwarded-client-cert"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def holder(authority: Authority) -> Holder:
    return authority.holder("ci", CI)


def http(principals: Mapping[str, str] | None = None, **more: Any) -> Http:
    oauth = {"issuer": "https://login.example.com", "jwks": "https://login.example.com/keys"}
    told = {"url": "http://localhost:1", "state_keys": ["${env:K}"], "oauth": oauth, "trusted_proxies": [PROXY]}
    return Http.model_validate({**told, "certificates": {"principals": dict(principals or {})}, **more})


def request(*said: bytes, peer: str = PROXY, header: str = "client-cert") -> dict[str, Any]:
    return {"type": "http", "headers": [(header.encode(), each) for each in said], "client": (peer, 1)}


def rfc9440(der: bytes) -> bytes:
    return b":" + base64.b64encode(der) + b":"


@pytest.mark.proves("mtls-names")
@pytest.mark.parametrize("form", ["rfc9440", "nginx"])
def test_a_certificate_names_its_holder_by_spiffe_id_or_subject(authority: Authority, form: str) -> None:
    for made, name in ((authority.holder("ci", CI), CI), (authority.holder("ci"), "CN=ci,O=Acme")):
        said = rfc9440(made.der) if form == "rfc9440" else quote(made.pem, safe="").encode()
        found = shown(request(said), http(), NOW)
        assert found is not None
        assert (found.name, found.issuer) == (name, "CN=Acme Root")
        named = caller(found, Certificates(principals={name: "agent:ci"}))
        assert (named.principal, named.assurance, named.tools) == ("agent:ci", "mtls", None)
        assert named.until == x509.load_der_x509_certificate(made.der).not_valid_after_utc
        assert named.party is not None
        assert named.party.subject == name


@pytest.mark.proves("mtls-peers")
@pytest.mark.parametrize("peer", [ELSEWHERE, "::1", ""])
def test_whoever_is_no_proxy_and_sends_a_certificate_is_refused(holder: Holder, peer: str) -> None:
    with pytest.raises(NotPermittedError, match="no proxy of this server"):
        shown(request(rfc9440(holder.der), peer=peer), http(), NOW)
    assert shown(request(peer=peer), http(), NOW) is None


@pytest.mark.proves("mtls-names")
def test_what_is_no_certificate_or_names_nobody_here_is_refused(authority: Authority, holder: Holder) -> None:
    good, several = rfc9440(holder.der), rfc9440(authority.holder("ci", CI, f"{CI}/other").der)
    cut = good[:-9] + b":"
    pem = quote(holder.pem, safe="").encode()
    around = ((b"x" + pem,), (pem + b",",), (pem + b"," + pem,), (pem + pem,), (pem + b"%20" * 20_000,))
    assert shown(request(pem + b"%20" * 10), http(), NOW) is not None
    for said in ((b"",), (b":AAAA:",), (b"not%20one",), (good, good), (b"x" * 40_000,), (several,), (cut,), *around):
        with pytest.raises(TokenInvalidError):
            shown(request(*said), http(), NOW)
    for at in (NOW - timedelta(days=2), NOW + timedelta(days=2)):
        with pytest.raises(TokenInvalidError, match="not valid now"):
            shown(request(good), http(), at)
    found = shown(request(good), http(), NOW)
    assert found is not None
    with pytest.raises(NotPermittedError, match="no principal"):
        caller(found, Certificates(principals={"CN=ci,O=Acme": "agent:ci"}))


@pytest.mark.proves("mtls-envoy", "mtls-peers")
def test_an_envoy_names_its_caller_where_the_configuration_says_so_and_nobody_else_does(holder: Holder) -> None:
    envoys = http(certificates={"header": HEADER, "form": "xfcc"})
    said = f'By=spiffe://acme.example/envoy;Hash=1;Cert="{quote(holder.pem, safe="")}"'.encode()
    asked = request(said, header=HEADER)
    found = shown(asked, envoys, NOW)
    assert found is not None
    assert found.name == CI
    with pytest.raises(NotPermittedError, match="no proxy of this server"):
        shown({**asked, "client": (ELSEWHERE, 1)}, envoys, NOW)
    with pytest.raises(TokenInvalidError):
        shown(asked, http(certificates={"header": HEADER}), NOW)
    with pytest.raises(TokenInvalidError):
        shown(request(quote(holder.pem, safe="").encode(), header=HEADER), envoys, NOW)
    assert shown(asked, http(), NOW) is None


def test_without_its_configuration_the_header_is_no_more_than_any_other(holder: Holder) -> None:
    assert shown(request(rfc9440(holder.der)), http(certificates=None), NOW) is None


@pytest.mark.proves("oauth-bound")
def test_a_token_that_is_bound_to_a_key_holds_with_that_key_alone(authority: Authority, holder: Holder) -> None:
    mine = shown(request(rfc9440(holder.der)), http(), NOW)
    other = shown(request(rfc9440(authority.holder("other", f"{CI}/other").der)), http(), NOW)
    assert mine is not None
    bound = {"cnf": {"x5t#S256": mine.thumbprint}}
    hold_to_key(bound, mine)
    hold_to_key({}, None)
    for claims, certificate in (
        (bound, None),
        (bound, other),
        ({"cnf": {"jkt": "a-key-of-DPoP"}}, mine),
        ({"cnf": {"x5t#S256": mine.thumbprint, "jkt": "both"}}, mine),
        ({"cnf": "something"}, mine),
        ({"cnf": {}}, None),
    ):
        with pytest.raises(MigrateError, match="bound to a key"):
            hold_to_key(claims, certificate)
