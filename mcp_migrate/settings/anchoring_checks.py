"""Can the ledger's head be signed and kept as the configuration says?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcp_migrate.settings.anchoring import Checkpoints, LedgerWitness, WebhookWitness
from mcp_migrate.settings.list_checks import named_twice
from mcp_migrate.settings.problems import Problem
from mcp_migrate.settings.references import AS_REFERENCE, is_reference
from mcp_migrate.settings.url_checks import is_protected, plain_secret

if TYPE_CHECKING:
    from mcp_migrate.settings.model import Settings

_VERIFIER = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", re.ASCII)


def anchoring_problems(settings: Settings) -> Iterator[Problem]:
    """Every problem under `checkpoints`."""
    found = settings.checkpoints
    if found is None:
        return
    if found.every >= found.max_age:
        why = "checkpoints would be too old before the next one is made."
        yield Problem(("checkpoints", "every"), why, "Make it shorter than `max_age`.")
    for part in ("cosigners", "retired"):
        for index, text in enumerate(getattr(found, part)):
            if not _VERIFIER.fullmatch(text):
                yield Problem(("checkpoints", part, index), "this is no verifier key.", "It is name+id+base64.")
    yield from _witnesses(found, settings.ledger)


def _witnesses(found: Checkpoints, ledger: str) -> Iterator[Problem]:
    yield from named_twice(("checkpoints", "witnesses"), (each.name for each in found.witnesses), "witness")
    for index, each in enumerate(found.witnesses):
        key = ("checkpoints", "witnesses", index)
        if isinstance(each, LedgerWitness):
            yield from plain_secret((*key, "url"), each.url)
            if each.url == ledger:
                yield Problem((*key, "url"), "a ledger is no witness of itself.", "Name another one.")
        if isinstance(each, WebhookWitness):
            if not is_reference(each.secret):
                yield Problem((*key, "secret"), "a secret stands here in plain text.", AS_REFERENCE)
            if not is_reference(each.url) and not is_protected(each.url):
                yield Problem((*key, "url"), "what is sent here can be read on the way.", "Write an https URL.")
