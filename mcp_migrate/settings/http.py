"""How does a team's server listen, and whose tokens does it believe?"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from mcp_migrate.settings.networks import Network
from mcp_migrate.settings.values import Duration, Globs, Part, Seconds

ENDPOINT = "/mcp"
"""The path of the protocol under `http.url`."""
METADATA = "/.well-known/oauth-protected-resource"
"""Where a server says whose tokens it takes (RFC 9728), and by which `NAME` it goes."""
NAME = "mcp-migrate"
GRANT = "mcp-migrate-grant"
"""The header of the grants that a worker acts by, in the order in which they were handed on."""

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Those whose verifying key cannot sign: neither `none` nor a shared secret is among them."""


class Introspection(Part):
    """Asking the issuer about each token (RFC 7662), for tokens that say nothing by themselves."""

    url: str = Field(description="The introspection endpoint.")
    client_id: str = Field(min_length=1, description="As which client it is asked.")
    client_secret: str = Field(repr=False, description="Its secret, as ${env:NAME} or ${file:PATH}.")


class OAuth(Part):
    """Whose access tokens say who calls."""

    issuer: str = Field(description="As it stands in the `iss` of its tokens.")
    audience: str | None = Field(None, description="What `aud` has to name; the address of the endpoint otherwise.")
    jwks: str | None = Field(None, description="Where its keys are, for tokens that it signs (JWT).")
    algorithms: tuple[Algorithm, ...] = Field(
        ("RS256", "PS256", "ES256", "EdDSA"), min_length=1, description="How tokens may be signed."
    )
    introspection: Introspection | None = Field(None, description="Instead of `jwks`.")
    leeway: Seconds = Field(30.0, ge=0, le=300, description="How far clocks may be apart.")
    within: Seconds = Field(5.0, gt=0, le=30, description="How long the issuer may take to answer.")
    principals: dict[str, str] = Field(
        {}, description="The principal of each subject; without it a subject is the principal of its own name."
    )
    scopes: dict[str, Globs] = Field(
        {}, description="The tools that a scope of a token stands for; without it the tool of its own name."
    )


class Certificates(Part):
    """Callers whom a proxy knows by a client certificate (mutual TLS)."""

    header: str = Field(
        "Client-Cert",
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Where a trusted proxy puts the certificate that it verified.",
    )
    form: Literal["certificate", "xfcc"] = Field(
        "certificate",
        description="How: itself (RFC 9440, or a PEM with escapes), or in Envoy's elements, of which the last counts.",
    )
    principals: dict[str, str] = Field(
        {}, description="The principal of each name; without it a name is the principal of its own name."
    )


class Http(Part):
    """The server that a team reaches over HTTP."""

    url: str = Field(description="Its address as clients reach it, as https://migrate.example.com.")
    state_keys: tuple[str, ...] = Field(
        min_length=1,
        repr=False,
        description="Keys as ${env:NAME} or ${file:PATH}, the same for all its replicas: the first seals, each opens.",
    )
    oauth: OAuth
    trusted_proxies: tuple[Network, ...] = Field(
        (), description="Who stands before it: their word on where a request came from counts, and nobody else's."
    )
    certificates: Certificates | None = Field(None, description="Mutual TLS, left to these proxies.")
    drain: Duration = Field(
        timedelta(minutes=1), le=timedelta(hours=1), description="How long calls that run may take to end at a stop."
    )

    @property
    def resource(self) -> str:
        """What tokens are made for, and clients are given."""
        return self.url + ENDPOINT

    @property
    def audience(self) -> str:
        """What `aud` of a token has to name."""
        return self.oauth.audience or self.resource

    @property
    def host(self) -> str:
        """The name in its address, with the port where one is given."""
        return urlsplit(self.url).netloc
