"""Who is it that a proxy of ours knows by a client certificate (mutual TLS)?

The proxy has the other side prove the key and verifies the chain; the certificate comes in a header, as RFC 9440 writes
it, as a PEM with `%` escapes (nginx, load balancers), or in Envoy's elements. That header is anybody's to write, so it
counts from proxies of ours alone, and from others the request is refused: somebody tries, or a proxy is missing in the
configuration.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import Scope

from mcp_migrate.errors import NotPermittedError, TokenInvalidError
from mcp_migrate.model import Caller, Party
from mcp_migrate.server.http.hops import peer
from mcp_migrate.server.http.xfcc import certificate_in
from mcp_migrate.settings.http import Certificates, Http
from mcp_migrate.settings.networks import within

if TYPE_CHECKING:
    from cryptography import x509

_LONGEST = 32_768
_LONGEST_NAME = 256
_SPIFFE = "spiffe://"
_ONE = re.compile(rb"\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*")


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate whose key the other side has. `thumbprint` is as tokens bound to it carry it (RFC 8705, 3.1)."""

    name: str
    issuer: str
    thumbprint: str
    until: datetime


def shown(scope: Scope, http: Http, now: datetime) -> Shown | None:
    """The certificate of a request, or None where there is none.

    Raises:
        NotPermittedError: it came from somewhere that is no proxy of ours.
        TokenInvalidError: it is none, names nobody, or does not hold now.
    """
    if http.certificates is None:
        return None
    found = Headers(scope=scope).getlist(http.certificates.header)
    if not found:
        return None
    if not within(peer(scope), http.trusted_proxies):
        raise NotPermittedError(
            f"{peer(scope) or 'Somebody'} sent {http.certificates.header} and is no proxy of this server.",
            hint="If it is one, an admin has to name it under `http.trusted_proxies`; if not, leave the header out.",
        )
    if len(found) > 1 or len(found[0]) > _LONGEST:
        raise refused("there is more than one, or it is too long")
    return _read(certificate_in(found[0]) if http.certificates.form == "xfcc" else found[0], now)


def caller(certificate: Shown, certificates: Certificates) -> Caller:
    """Who calls with it. No scopes come with a certificate: the configuration's alone count.

    Raises:
        NotPermittedError: nobody here goes by its name.
    """
    names = certificates.principals
    if names and certificate.name not in names:
        raise NotPermittedError(
            f"The configuration has no principal for {certificate.name!r}.",
            hint="An admin has to name it under `http.certificates.principals`.",
        )
    principal = names.get(certificate.name, certificate.name)
    return Caller(principal, "mtls", party=Party(certificate.name, certificate.issuer), until=certificate.until)


def hold_to_key(claims: Mapping[str, Any], certificate: Shown | None) -> None:
    """Refuse a token that is bound to a key (`cnf`, RFC 7800) which this request does not prove.

    Raises:
        TokenInvalidError: it is, and this is not the certificate.
    """
    bound = claims.get("cnf")
    if bound is None:
        return
    wanted = bound.get("x5t#S256") if isinstance(bound, Mapping) and len(bound) == 1 else None
    if certificate is None or wanted != certificate.thumbprint:
        raise TokenInvalidError(
            "The access token is bound to a key, and this request does not prove it.",
            hint="Send it with the client certificate that it was made for (RFC 8705).",
        )


def _read(text: str, now: datetime) -> Shown:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        if text.startswith(":") and text.endswith(":"):  # a byte sequence, RFC 8941, 3.3.5
            found = x509.load_der_x509_certificate(base64.b64decode(text[1:-1], validate=True))
        else:
            found = x509.load_pem_x509_certificate(_only(unquote_to_bytes(text)))
        name, issuer, der = _name(found), found.issuer.rfc4514_string(), found.public_bytes(Encoding.DER)
    except (ValueError, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType) as error:
        raise refused("it cannot be read") from error
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise refused("it is not valid now")
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    return Shown(name, issuer[:_LONGEST_NAME], thumbprint, found.not_valid_after_utc)


def _only(pem: bytes) -> bytes:
    """What is one certificate and nothing else: a reader of PEM takes the first of several, after any text."""
    if not _ONE.fullmatch(pem):
        raise ValueError("it is none, or there is more around it")
    return pem


def _name(found: x509.Certificate) -> str:
    """The SPIFFE id, of which there is one (X.509-SVID, 2); otherwise the subject, as nginx writes it (RFC 4514)."""
    from cryptography import x509

    try:
        other = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        uris = []
    else:
        uris = other.get_values_for_type(x509.UniformResourceIdentifier)
    spiffe = [uri for uri in uris if uri.lower().startswith(_SPIFFE)]
    if spiffe and len(uris) > 1:
        raise refused("it has several names")
    name = spiffe[0] if spiffe else found.subject.rfc4514_string()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise refused(f"its name is not one line of up to {_LONGEST_NAME} plain characters")
    return name


def refused(why: str) -> TokenInvalidError:
    """A certificate that names nobody."""
    return TokenInvalidError(f"The client certificate is refused: {why}.", hint="Call with one that names its holder.")
