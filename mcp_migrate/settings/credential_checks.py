"""Can the credentials of a target be issued as its configuration says?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mcp_migrate.model import Tier
from mcp_migrate.settings.credentials import BrokerName, VaultOptions
from mcp_migrate.settings.problems import Key, Problem
from mcp_migrate.settings.references import REFERENCE
from mcp_migrate.settings.target import Target

_ADDRESS = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
_PARTS: Mapping[BrokerName, frozenset[str]] = {
    "static": frozenset(),
    "postgres-role": frozenset({"owner_role", "reader_role", "mint", "ttl"}),
    "mysql-user": frozenset({"mint", "ttl"}),
    "command": frozenset({"command", "ttl"}),
    "vault": frozenset({"vault", "ttl"}),
}
"""What each broker can be told."""
_NEEDED: Mapping[BrokerName, frozenset[str]] = {
    "postgres-role": frozenset({"owner_role"}),
    "mysql-user": frozenset({"mint"}),
    "command": frozenset({"command"}),
    "vault": frozenset({"vault"}),
}
_DATABASES: Mapping[BrokerName, tuple[str, ...]] = {
    "postgres-role": ("postgresql", "postgres"),
    "vault": ("postgresql", "postgres"),
    "mysql-user": ("mysql", "mariadb"),
}


def credential_problems(name: str, target: Target) -> Iterator[Problem]:
    """What of `credentials` cannot be, or would do nothing."""
    given, key = target.credentials, ("targets", name, "credentials")
    if target.tier is Tier.PRODUCTION and given.broker == "static":
        why = "a production target is not opened with a standing key: each step needs a credential of its own."
        yield Problem(("targets", name, "tier"), why, "Name another `credentials.broker`: docs/credentials.md.")
    for part in sorted(given.model_fields_set - {"broker"} - _PARTS[given.broker]):
        yield Problem((*key, part), f"the broker {given.broker} does nothing with it.", "Remove it.")
    for part in sorted(_NEEDED.get(given.broker, frozenset())):
        if getattr(given, part) is None:
            yield Problem((*key, "broker"), f"the broker {given.broker} needs `{part}`.", f"Add `{part}`.")
    if given.mint is not None and given.reader_role is not None:
        why = "what a step reads with is said by the functions of `mint`."
        yield Problem((*key, "reader_role"), why, "Remove it.")
    if given.vault is not None:
        yield from _vault((*key, "vault"), given.vault)
    kind = target.url.partition("://")[0].partition("+")[0]
    known = _DATABASES.get(given.broker)
    if known and not REFERENCE.match(target.url) and kind not in known:
        yield Problem((*key, "broker"), f"{given.broker} is for {known[0]}, the url is of {kind!r}.", "Name another.")


def _vault(key: Key, given: VaultOptions) -> Iterator[Problem]:
    if not _ADDRESS.fullmatch(given.address):
        why = "this is no address, or what passes there can be read on the way."
        yield Problem((*key, "address"), why, "Write https://HOST:PORT, or http://localhost:PORT.")
    if not REFERENCE.fullmatch(given.token):
        yield Problem((*key, "token"), "this is no reference to a secret.", "Write ${env:NAME} or ${file:PATH}.")
