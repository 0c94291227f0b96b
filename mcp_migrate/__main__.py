"""What does the command do? It serves one principal, or runs one of people's commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError, MigrateError
from mcp_migrate.wiring import Wiring, user

if TYPE_CHECKING:
    from mcp_migrate.model import Caller, Effect
    from mcp_migrate.settings import Settings


_COLLECTED_AFTER = 10_000
"""Objects: what a call in flight holds is some hundreds, and looking through it after 700 took a fifth of its time."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The `mcp-migrate` command."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["serve"]:  # without the command line library: clients wait for this start
            serve(words[1:])
        else:
            from mcp_migrate.cli import run

            run(words)
    except MigrateError as error:
        from mcp_migrate.approvals.safe import safe  # what a revision or a database says may be meant for the terminal

        print(safe(f"mcp-migrate: {error.code}: {error.sentence}\n  {error.hint}"), file=sys.stderr)  # noqa: T201  the one place a command reports its failure
        raise SystemExit(1) from error


def serve(words: Sequence[str]) -> None:
    """Serve one principal on standard input and output, or a team over HTTP; ends with the process."""
    options = _options(words)
    if options.remote:
        reach_team(options.remote, options.token_file, options.token_env, options.grant or ())
    elif options.http:
        serve_team(Wiring(load_settings(options.config)), options.http, options.log)
    else:
        wiring = Wiring(load_settings(options.config), serves_pages=True)
        serve_one(wiring, options.principal, options.token_file, options.grant or (), options.log)


def serve_parser() -> argparse.ArgumentParser:
    """What `serve` takes."""
    parser = argparse.ArgumentParser(prog="mcp-migrate serve", description="Serve MCP to one client, or to a team.")
    parser.add_argument("--config", type=Path, help="configuration file (default: found from here upwards)")
    parser.add_argument("--as", dest="principal", help="the principal that calls, as a workflow names it")
    parser.add_argument(
        "--token-file",
        type=Path,
        help="a launch or, with --remote, an access token, in a file of yours",
    )
    parser.add_argument("--grant", type=Path, action="append", help="a grant to act by; the first one first")
    parser.add_argument("--http", metavar="HOST:PORT", help="serve a team there; who calls is in its tokens")
    parser.add_argument("--remote", metavar="URL", help="hand everything on to a team's server; needs no configuration")
    parser.add_argument("--token-env", metavar="NAME", help="with --remote: where the token is, without --token-file")
    parser.add_argument("--log", choices=("warning", "info"), default="warning", help="info: each step of each call")
    return parser


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = serve_parser()
    options = parser.parse_args(words)
    if options.http and (options.principal or options.token_file or options.grant):
        parser.error("--as, --token-file and --grant name one principal; over HTTP each token names its own")
    if options.remote and (options.principal or options.http or options.config):
        parser.error("--remote reads no configuration: the token says who calls, and the team's server has the rest")
    if options.token_env and (options.token_file or not options.remote):
        parser.error("--token-env goes with --remote, and instead of --token-file")
    return options


def serve_one(wiring: Wiring, named: str | None, token_file: Path | None, grants: Sequence[Path], log: str) -> None:
    """Serve one principal on standard input and output; does not return."""
    principal, registry = choose_principal(wiring.settings, named), wiring.registry

    from mcp_migrate.server.app import build_server
    from mcp_migrate.server.calls import Calls
    from mcp_migrate.server.stdio import serve_stdio
    from mcp_migrate.server.who import always

    caller = identified(wiring, principal, token_file, grants)
    send_rest = _begin(wiring, log)
    calls = Calls()
    server = build_server(registry, wiring, always(caller), calls)
    serve_stdio(server, calls, send_rest)


def serve_team(wiring: Wiring, address: str, log: str) -> None:
    """Serve everybody who has a token, at ``HOST:PORT``, until a signal arrives."""
    http = wiring.settings.http
    if http is None:
        raise ConfigInvalidError(
            "The configuration does not say how a team is served.", hint="Add `http`: docs/team-server.md shows how."
        )
    from mcp_migrate.server.calls import Calls
    from mcp_migrate.server.http.app import Team, build, keys
    from mcp_migrate.server.http.serving import listen, serve_http

    send_rest = _begin(wiring, log)
    opened, calls = listen(address), Calls()
    port = opened.getsockname()[1]
    pages = wiring.pages.of_team(port, keys(http)[0])
    app = build(Team(wiring.registry, wiring, calls, http, port, pages))
    _ = wiring.pipeline  # one for all: calls of several threads would each make one
    print(f"Serving {http.resource} on port {port}.", flush=True)  # noqa: T201  standard output belongs to nobody else
    serve_http(app, calls, opened, drain_seconds=http.drain.total_seconds())
    send_rest()


def reach_team(url: str, token_file: Path | None, variable: str | None, grants: Sequence[Path]) -> None:
    """Hand on what a client on standard input says to the team's server at `url`; does not return."""
    from mcp_migrate.server.log import log_to_stderr
    from mcp_migrate.server.remote.known import address
    from mcp_migrate.server.remote.serving import serve_remote
    from mcp_migrate.server.remote.token import VARIABLE, Token

    log_to_stderr()
    serve_remote(address(url), Token(token_file, variable or VARIABLE, os.environ, tuple(grants)))


def _begin(wiring: Wiring, log: str) -> Callable[[], None]:
    """What every server does beside its calls; returns what is to be done at its end."""
    import gc

    from mcp_migrate.server.log import log_to_stderr
    from mcp_migrate.wiring.background import begin

    log_to_stderr(steps=log == "info")
    send_rest = wiring.export()
    begin(wiring)
    gc.set_threshold(_COLLECTED_AFTER)
    return send_rest


def load_settings(explicit: Path | None, folder: Path | None = None) -> Settings:
    """The configuration that is found, or the local profile of this folder.

    Raises:
        ConfigInvalidError: it does not hold.
    """
    from mcp_migrate.settings import find, load, local_profile

    here = folder or Path.cwd()
    path = find(explicit, os.environ, here)
    if path is None:
        return local_profile(here, user=user(), home=Path.home())
    return load(path, known_tools=_tool_names, known_rules=_rule_effects)


def choose_principal(settings: Settings, named: str | None) -> str:
    """The principal to serve: the one that is named, or the only one there is.

    Raises:
        ConfigInvalidError: none was named and there are several.
        NotPermittedError: the named one belongs to no workflow.
    """
    known = sorted({name for workflow in settings.workflows.values() for name in workflow.members})
    if named is None and len(known) == 1:
        return known[0]
    if named is None:
        raise ConfigInvalidError(
            "The configuration names several principals.", hint=f"Start with --as one of: {', '.join(known)}."
        )
    settings.workflow_of(named)
    return named


def identified(wiring: Wiring, principal: str, token_file: Path | None, grants: Sequence[Path] = ()) -> Caller:
    """Who calls, by a launch token where there is one.

    Raises:
        NotPermittedError: the token does not hold, or is another principal's.
        ConfigInvalidError: it cannot be read, or others can read it too.
    """
    from mcp_migrate.leave.launches import launched, read_token
    from mcp_migrate.model import Caller
    from mcp_migrate.settings.private import read_private_line

    text, now = read_token(token_file, os.environ), datetime.now(UTC)
    chain = wiring.handed_on([read_private_line(file, "grant") for file in grants], principal) if grants else ()
    if text is None:
        return Caller(principal, grants=chain)
    held = launched(text, principal, wiring.settings, wiring.ledger, now=now)
    return Caller(principal, "launch-token", grants=chain, launch=held.token_id, until=held.until)


def _tool_names(folders: Mapping[Path, str | None]) -> list[str]:
    from mcp_migrate.tools.registry import load

    return [tool.scope for tool in load(folders)]


def _rule_effects() -> Mapping[str, frozenset[Effect]]:
    from mcp_migrate.rules.catalogue import effects

    return effects()


if __name__ == "__main__":
    main()
