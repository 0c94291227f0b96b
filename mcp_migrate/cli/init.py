"""How does a project get its first configuration? From what its folder says, and a question or two."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.__main__ import load_settings
from mcp_migrate.cli.common import JsonOption, print_json, safe
from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Tier
from mcp_migrate.settings.first import Answers, kept, text
from mcp_migrate.settings.found import Found, Named, look
from mcp_migrate.settings.loading import FILE_NAME
from mcp_migrate.settings.local import public_keys
from mcp_migrate.wiring import user

_PRODUCTION = "Environment variable with the URL of the production database (none yet: press Enter)"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def init(
    owner: Annotated[str | None, typer.Option(help="Who answers for what agents do here (default: from git).")] = None,
    email: Annotated[str | None, typer.Option(help="Their address (default: from git).")] = None,
    principal: Annotated[str, typer.Option("--as", help="The agent that will call.")] = "agent:claude-code",
    production: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Add the production database, whose URL this environment variable has."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a configuration for the Alembic project in this folder; never over one that is there."""
    folder = Path.cwd()
    file = folder / FILE_NAME
    if file.exists():
        raise ConfigInvalidError(f"{file} is there already.", hint="Change it, or move it away first.")
    quiet, found = yes or as_json or not sys.stdin.isatty(), look(folder)
    answers = _asked(owner, email, principal, quiet=quiet)
    if not quiet and production is None and len(found.databases) == 1:
        production = typer.prompt(_PRODUCTION, default="", show_default=False) or None
    found = _with_production(found, production)
    _write(file, text(found, answers))
    if as_json:
        targets = [{**asdict(each), "tier": each.tier.value} for each in kept(found, answers)]
        print_json({"file": str(file), "targets": targets, "reads": found.reads,
                    "owner": answers.email, "principal": principal, "keys": len(answers.keys)})  # fmt: skip
        return
    print(safe("\n".join(_next(file, found, answers))))


def _with_production(found: Found, variable: str | None) -> Found:
    """The project with its production database, where a person names it. Raises: ConfigInvalidError."""
    if variable is None:
        return found
    if not re.fullmatch(r"[A-Za-z_]\w*", variable):
        raise ConfigInvalidError(
            f"{variable[:80]!r} is no name of an environment variable.",
            hint="Name one: the URL itself never stands here.",
        )
    [first, *others] = found.databases
    if others:
        raise ConfigInvalidError(
            "This project has several databases, so that one variable cannot name production.",
            hint="Leave --production out, and add a target for each to the file.",
        )
    added = replace(first, name="production", url=f"${{env:{variable}}}", guessed=False, tier=Tier.PRODUCTION)
    return replace(found, databases=(added,) if first.name == added.name else (first, added))


def _asked(owner: str | None, email: str | None, principal: str, *, quiet: bool) -> Answers:
    """The answers, with what git knows as the proposal. Raises: ConfigInvalidError."""
    name = owner or _git("user.name") or user()
    address = email or _git("user.email")
    if not quiet:
        name = owner or typer.prompt("Who answers for what agents do here?", default=name)
        address = email or typer.prompt("Their email address", default=address or None)
    if not _EMAIL.fullmatch(address):
        raise ConfigInvalidError(
            f"{address!r} is no email address." if address else "Nobody's email address is known here.",
            hint="Pass --email, the address of the person who answers for it.",
        )
    return Answers(name, address, user(), principal, public_keys(Path.home()))


def _git(key: str) -> str:
    try:
        done = subprocess.run(["git", "config", key], capture_output=True, text=True, check=False)  # noqa: S603, S607  git of the person who calls
    except OSError:  # without git
        return ""
    return done.stdout.strip()


def _write(file: Path, written: str) -> None:
    """Write it, and take it away again where it does not hold, so that a try leaves nothing."""
    with file.open("x", encoding="utf-8") as target:
        target.write(written)
    try:
        load_settings(file)
    except ConfigInvalidError:
        file.unlink()
        raise


def _next(file: Path, found: Found, answers: Answers) -> list[str]:
    """What a person does now."""
    targets = kept(found, answers)
    names = ", ".join(f"{each.name} ({each.tier.value})" for each in targets)
    said = [f"Wrote {file}: {names}; owned by {answers.name}, for {answers.principal}."]
    said += [
        f"Nothing here names the database of {each.name}: set the variable in {each.url}, or change `url`."
        for each in targets
        if each.guessed
    ]
    if found.reads:
        said.append(f"env.py reads {', '.join(found.reads)}: in the cage each is a stand-in (`environment`).")
    if not answers.keys:
        said.append("No SSH key was found in ~/.ssh: until a reviewer is named, only additive changes can be applied.")
    if len(targets) < len(found.databases):
        said.append("Production is left out, since nobody could sign: make a key (ssh-keygen -t ed25519-sk) first.")
    return [*said, "Next:", *_steps(file, targets, answers)]


def _steps(file: Path, targets: Sequence[Named], answers: Answers) -> Iterator[str]:
    """Commands, in their order."""
    if any(each.tier is Tier.PRODUCTION for each in targets):
        yield "  mcp-migrate credentials sql production     what the production server needs, for its admin to run"
        yield "  mcp-migrate config sign --key ~/.ssh/id_…   vouch for the file; pin the key first: docs/policy.md"
    yield "  mcp-migrate doctor                         whether all of it works, and what to do where not"
    yield f"  mcp-migrate config explain {answers.principal}   what the agent may do"
    yield f"  claude mcp add mcp-migrate -- mcp-migrate serve --config {file} --as {answers.principal}"
