"""Who would gain and lose what by a change of the configuration? In the words in which the ledger records it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.__main__ import load_settings
from mcp_migrate.cli.common import JsonOption, print_json, safe
from mcp_migrate.settings import Settings, changed, rights


def diff(
    old: Annotated[Path, typer.Argument(help="The configuration as it is.")],
    new: Annotated[Path, typer.Argument(help="The configuration as it would be.")],
    as_json: JsonOption = False,
) -> None:
    """Say who gains and who loses what between two configurations, both of which have to hold."""
    before, after = load_settings(old), load_settings(new)
    change = changed(_rights(before), _rights(after))
    same = before.digest == after.digest
    if as_json:
        print_json({"same": same, "gained": list(change.gained), "lost": list(change.lost)})
        return
    for sign, sentences in (("+", change.gained), ("-", change.lost)):
        for sentence in sentences:
            print(safe(f"{sign} {sentence}"))
    if not (change.gained or change.lost):
        print("Nobody gains or loses anything." + ("" if same else " Something else differs."))


def _rights(settings: Settings) -> tuple[str, ...]:
    return (*rights(settings), *_keys(settings))


def _keys(settings: Settings) -> Iterator[str]:
    """A key that changes hands is a right that does."""
    from mcp_migrate.signers.roster import configured  # cryptography loads for this command, not for all

    roster = configured(settings)
    for name, person in roster.people.items():
        yield from (f"{name} signs with {held.fingerprint}" for held in person.keys)
    yield from (f"the admin's key {fingerprint} lets reviewers in" for fingerprint in roster.admins)
