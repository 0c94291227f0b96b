"""Can a team's server be reached as the configuration says, and are its secrets kept out of it?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from mcp_migrate.settings.http import Http
from mcp_migrate.settings.list_checks import fit_nothing
from mcp_migrate.settings.problems import Key, Problem, nearest
from mcp_migrate.settings.references import AS_REFERENCE, is_reference
from mcp_migrate.settings.url_checks import ADDRESS, is_protected

if TYPE_CHECKING:
    from mcp_migrate.settings.model import Settings


def http_problems(settings: Settings, known_tools: Collection[str]) -> Iterator[Problem]:
    """Every problem under `http`."""
    if settings.http is None:
        return
    for key, why, hint in (*_of_addresses(settings.http), *_of_secrets(settings.http), *_of_proxies(settings.http)):
        yield Problem(("http", *key), why, hint)
    yield from _of_principals(settings, settings.http)
    for scope, globs in settings.http.oauth.scopes.items():
        yield from fit_nothing(("http", "oauth", "scopes", scope), globs, known_tools, "tool")


def _of_principals(settings: Settings, http: Http) -> Iterator[Problem]:
    known = {name for workflow in settings.workflows.values() for name in workflow.members}
    certified = http.certificates.principals if http.certificates else {}
    for part, names in (("oauth", http.oauth.principals), ("certificates", certified)):
        for subject, principal in names.items():
            if principal not in known:
                key = ("http", part, "principals", subject)
                yield Problem(key, f"{principal!r} belongs to no workflow.", nearest(principal, known))


def _of_proxies(http: Http) -> Iterator[tuple[Key, str, str]]:
    for index, network in enumerate(http.trusted_proxies):
        if network.endswith("/0"):
            yield ("trusted_proxies", index), "everybody is in it, so everybody would be believed.", "Name the proxies."
    if http.certificates and not http.trusted_proxies:
        why = "nobody is a proxy whose certificates count."
        yield ("certificates",), why, "Name the proxies that verify them under `trusted_proxies`."


def _of_addresses(http: Http) -> Iterator[tuple[Key, str, str]]:
    oauth = http.oauth
    if not ADDRESS.fullmatch(http.url):
        why = "this is no address of a server, or what passes there can be read on the way."
        yield ("url",), why, "Write https://HOST or http://localhost:PORT, without a path."
    if (oauth.jwks is None) == (oauth.introspection is None):
        yield ("oauth",), "tokens are verified in exactly one way.", "Write either `jwks` or `introspection`."
    asked = oauth.introspection.url if oauth.introspection else None
    for part, url in (("issuer", oauth.issuer), ("jwks", oauth.jwks), ("introspection", asked)):
        if url is not None and not is_protected(url):
            yield ("oauth", part), "whoever is on the way could answer in its place.", "Write it as https://…"


def _of_secrets(http: Http) -> Iterator[tuple[Key, str, str]]:
    for index, key in enumerate(http.state_keys):
        if not is_reference(key):
            yield ("state_keys", index), "a key stands here in plain text.", AS_REFERENCE
    if http.oauth.introspection and not is_reference(http.oauth.introspection.client_secret):
        yield ("oauth", "introspection", "client_secret"), "a secret stands here in plain text.", AS_REFERENCE
