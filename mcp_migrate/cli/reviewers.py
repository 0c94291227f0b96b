"""Who may decide, who let them in, and how are keys let in and taken out?"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcp_migrate.approvals import reviewers as enrolling
from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.cli.signing import OwnKey
from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError

if TYPE_CHECKING:
    from mcp_migrate.signers.enrolment import Act
    from mcp_migrate.signers.keys import PublicKey
    from mcp_migrate.signers.passkey import Passkey
    from mcp_migrate.signers.roster import Held, Roster
    from mcp_migrate.wiring import Wiring

app = typer.Typer(no_args_is_help=True)
_SignedByOption = Annotated[
    Path, typer.Option("--signed-by", help="Your own private SSH key, or the .pub of a key in your agent.")
]
_AsOption = Annotated[str | None, typer.Option("--as", help="Which reviewer you are, where you sign as no admin.")]


@app.callback()
def group() -> None:
    """Who may decide."""


@app.command("list")
def list_reviewers(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the reviewers with their groups and keys, and who let each key in."""
    wiring = wire(config_file)
    roster = enrolling.reviewers(wiring.settings, wiring.ledger)
    told: dict[str, dict[str, Any]] = {
        name: {"groups": sorted(who.groups), "email": who.email, "keys": [_told(held, roster) for held in who.keys]}
        for name, who in roster.people.items()
    }
    without = [
        {"seq": event.seq, "reviewer": event.subject, "why_not": why}
        for event, why in enrolling.of_no_account(wiring.settings, wiring.ledger)
    ]
    if as_json:
        print_json({"reviewers": told, "admins": sorted(roster.admins), "of_no_account": without})
        return
    for name, who in told.items():
        for key in who["keys"]:
            print(safe(f"{name}  {', '.join(who['groups']) or '-'}  {key['fingerprint']}  {key['by']}"))
    for each in without:
        print(safe("Entry {seq}, {reviewer}: {why_not}".format(**each)))
    if not told:
        print("Nobody is enrolled: whatever needs approval cannot happen.")


@app.command()
def enroll(
    name: Annotated[str, typer.Argument(help="The reviewer.")],
    key: Annotated[Path | None, typer.Option("--key", help="Their public key: a .pub file.")] = None,
    line: Annotated[str | None, typer.Option("--line", help="Their public key, or the line of their passkey.")] = None,
    groups: Annotated[list[str] | None, typer.Option("--group", help="A group they are in; may be repeated.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="By which they are known as an owner.")] = None,
    signed_by: Annotated[
        Path | None, typer.Option("--signed-by", help="Your own key: an admin's or a reviewer's.")
    ] = None,
    reviewer: _AsOption = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    config_file: ConfigOption = None,
) -> None:
    """Let a key of NAME in with your signature; without a key, open the page on which NAME makes a passkey."""
    wiring = wire(config_file)
    if key is None and line is None and signed_by is None:
        _open_page(name, wiring, port)
        return
    if signed_by is None or (key is None) == (line is None):
        raise typer.BadParameter("Name one key to let in (--key or --line), and yours (--signed-by).")
    public = _line_of(key, line)
    more = {"groups": groups or (), "email": email}
    _sign("enrol", name, public, wiring, OwnKey(signed_by), as_=reviewer, **more)
    print(safe(f"{name} may sign with {public.fingerprint} from now on. It approves nothing that was asked before."))


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The reviewer.")],
    signed_by: _SignedByOption,
    fingerprint: Annotated[str | None, typer.Option("--key", help="The fingerprint, where there are several.")] = None,
    reviewer: _AsOption = None,
    config_file: ConfigOption = None,
) -> None:
    """Take a key of NAME out with your signature. What it signed, and whom it let in, counts no more."""
    wiring = wire(config_file)
    person = enrolling.reviewers(wiring.settings, wiring.ledger).people.get(name)
    keys = [held.key for held in person.keys] if person else []
    chosen = [each for each in keys if fingerprint in {None, each.fingerprint}]
    if len(chosen) != 1:
        raise ApprovalInvalidError(
            f"{safe(name)} has {len(chosen)} such keys.", hint="Name one with --key; `reviewers list` shows them."
        )
    before = _holders(wiring)
    _sign("remove", name, chosen[0], wiring, OwnKey(signed_by), as_=reviewer)
    print(safe(f"{chosen[0].fingerprint} of {name} counts no more."))
    for each in sorted(before.keys() - _holders(wiring).keys() - {chosen[0].fingerprint}):
        print(safe(f"With it goes what it let in: {each} of {before[each]}."))


def _holders(wiring: Wiring) -> dict[str, str]:
    """Whose each key is that counts now."""
    people = enrolling.reviewers(wiring.settings, wiring.ledger).people
    return {held.fingerprint: name for name, who in people.items() for held in who.keys}


def _open_page(name: str, wiring: Wiring, port: int) -> None:
    from mcp_migrate.web.enrolling import known
    from mcp_migrate.web.serving import open_pages

    known(name)
    pages = open_pages(wiring.settings, wiring.ledger, port=port)
    print(f"{name} makes the passkey at {pages.origin}/enrol/{name}", flush=True)
    pages.serve()


def _sign(
    act: Act, name: str, key: PublicKey | Passkey, wiring: Wiring, own: OwnKey, *, as_: str | None, **more: Any
) -> None:
    from mcp_migrate.signers.enrolment import NAMESPACE

    now, public = datetime.now(UTC), own.public
    roster = enrolling.reviewers(wiring.settings, wiring.ledger)
    said = enrolling.draft(
        act,
        name,
        key,
        signer=as_ or _signer(public, roster),
        signed_by=public,
        roster=roster,
        ledger=wiring.ledger,
        now=now,
        nonce=secrets.token_hex(16),
        **more,
    )
    enrolling.enrol(own.signed(said, NAMESPACE), wiring.settings, wiring.ledger, now=now)


def _signer(public: PublicKey, roster: Roster) -> str | None:
    """As whom this key signs: as an admin where it is one's. A stranger's is refused by whoever checks it."""
    found = roster.holder(public.fingerprint)
    return found[0].name if found and public.fingerprint not in roster.admins else None


def _line_of(file: Path | None, line: str | None) -> PublicKey | Passkey:
    from mcp_migrate.signers.roster import parse_key

    try:
        return parse_key(line if file is None else file.read_text().strip())  # type: ignore[arg-type]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalidError(f"The key file {file} cannot be read.", hint="Name a .pub file.") from error


def _told(held: Held, roster: Roster) -> dict[str, Any]:
    if held.signed_by is None:
        return {"fingerprint": held.fingerprint, "by": "named in the configuration"}
    found = roster.holder(held.signed_by)
    who = found[0].name if found else "an admin"
    at_most = f", {held.at_most} at most" if found else ""
    return {
        "fingerprint": held.fingerprint,
        "by": f"let in by {who} with {held.signed_by}, {held.since}{at_most}",
        "signed_by": held.signed_by,
        "since": held.since,
        "at_most": held.at_most,
    }
