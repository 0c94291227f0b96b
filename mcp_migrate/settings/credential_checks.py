"""Can the credentials of a target be issued as its configuration says?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs

from mcp_migrate.model import Tier
from mcp_migrate.settings.credentials import BrokerName, VaultOptions
from mcp_migrate.settings.problems import Key, Problem
from mcp_migrate.settings.references import AS_REFERENCE, REFERENCE, is_reference
from mcp_migrate.settings.target import Target

_ADDRESS = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
RDS_SECONDS = 900
"""A token of RDS lets in for fifteen minutes; nobody can have a shorter one, or take one back."""


def checks_tls(mode: str | None, endpoint: str | None) -> bool:
    """Whether a token only reaches the server that it is for.

    One authority certifies all of RDS, so that with `verify-ca` anybody's database there may answer: that mode is for
    urls that name a tunnel, where `endpoint` says what the server is really called.
    """
    return mode == "verify-full" or (mode == "verify-ca" and endpoint is not None)


_PARTS: Mapping[BrokerName, frozenset[str]] = {
    "static": frozenset(),
    "postgres-role": frozenset({"owner_role", "reader_role", "mint", "ttl"}),
    "postgres-sealed": frozenset({"owner_role", "reader_role", "ttl"}),
    "mysql-user": frozenset({"mint", "ttl"}),
    "command": frozenset({"command", "ttl"}),
    "vault": frozenset({"vault", "ttl"}),
    "aws-rds-iam": frozenset({"rds", "ttl"}),
}
"""What each broker can be told."""
_NEEDED: Mapping[BrokerName, frozenset[str]] = {
    "postgres-role": frozenset({"owner_role"}),
    "postgres-sealed": frozenset({"owner_role", "reader_role"}),
    "mysql-user": frozenset({"mint"}),
    "command": frozenset({"command"}),
    "vault": frozenset({"vault"}),
    "aws-rds-iam": frozenset({"rds"}),
}
_DATABASES: Mapping[BrokerName, tuple[str, ...]] = {
    "postgres-role": ("postgresql", "postgres"),
    "postgres-sealed": ("postgresql", "postgres"),
    "vault": ("postgresql", "postgres"),
    "mysql-user": ("mysql", "mariadb"),
    "aws-rds-iam": ("postgresql", "postgres"),
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
    if given.broker == "postgres-sealed" and target.limits.auto_rollback:
        why = "a rollback is a plan of its own, which nobody has sealed when a check fails."
        yield Problem(("targets", name, "limits", "auto_rollback"), why, "Remove it; people seal the rollback.")
    if given.vault is not None:
        yield from _vault((*key, "vault"), given.vault)
    if given.rds is not None:
        yield from _rds(("targets", name), target)
    kind = target.url.partition("://")[0].partition("+")[0]
    known = _DATABASES.get(given.broker)
    if known and not REFERENCE.match(target.url) and kind not in known:
        yield Problem((*key, "broker"), f"{given.broker} is for {known[0]}, the url is of {kind!r}.", "Name another.")


def _rds(key: Key, target: Target) -> Iterator[Problem]:
    """What no step could keep to: a token cannot be taken back, and is a password in the open to who reads it."""
    if target.credentials.ttl < RDS_SECONDS:
        why = f"a token of RDS lets in for {RDS_SECONDS} s whatever becomes of its step, so none is over sooner."
        yield Problem((*key, "credentials", "ttl"), why, "Write 15m, or more.")
    mode = parse_qs(target.url.partition("?")[2]).get("sslmode", [""])[-1]
    endpoint = target.credentials.rds.endpoint if target.credentials.rds else None
    if not REFERENCE.match(target.url) and not checks_tls(mode, endpoint):
        why = "a token is only sent to a server whose certificate was checked."
        yield Problem((*key, "url"), why, "Add sslmode=verify-full and sslrootcert=/path/global-bundle.pem.")


def _vault(key: Key, given: VaultOptions) -> Iterator[Problem]:
    if not _ADDRESS.fullmatch(given.address):
        why = "this is no address, or what passes there can be read on the way."
        yield Problem((*key, "address"), why, "Write https://HOST:PORT, or http://localhost:PORT.")
    if not is_reference(given.token):
        yield Problem((*key, "token"), "this is no reference to a secret.", AS_REFERENCE)
