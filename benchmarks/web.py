"""Do the review pages stay as fast with 10,000 open requests as with none, and what does checking a decision cost?

Each page is read over HTTP from a server of its own, as a browser would. The first look after a start reads what waits
once; its time stands beside.
"""

from __future__ import annotations

import http.client
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wire import timed, told

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import canonical
from mcp_migrate.settings import Settings
from mcp_migrate.signers.decisions import check, statement
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.roster import configured
from mcp_migrate.signers.sign import generate_key, sign
from mcp_migrate.web.serving import open_pages
from tests.signers.authenticator import Authenticator
from tests.web.visitor import pages_settings, request_body

OPEN, ROUNDS, WARM, BATCH = 10_000, 200, 20, 500
TIMES, BOUND_MS = 2.0, 20.0
NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=4)


def fill(ledger: Ledger, count: int) -> None:
    """Put open requests on the ledger, each with a deadline of its own."""
    for start in range(0, count, BATCH):
        drafts = []
        for n in range(start, min(start + BATCH, count)):
            expires = (LATER + timedelta(seconds=n)).isoformat()
            body = request_body(f"req_{n}", expires_at=expires)
            drafts.append(Draft(Kind.APPROVAL_REQUESTED, body, workflow="agents", subject=f"req_{n}"))
        ledger.append(*drafts, at=NOW)


def reader(settings: Settings, ledger: Ledger) -> Callable[[str], int]:
    """Reads a page from a server of its own; the length of what came."""
    pages = open_pages(settings, ledger)
    pages.serve_beside()
    connection = http.client.HTTPConnection("localhost", pages.desk.port)

    def read(path: str) -> int:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == http.HTTPStatus.OK, path
        return len(answer.read())

    return read


def measure(empty: Callable[[str], int], full: Callable[[str], int], path: str) -> tuple[list[float], list[float]]:
    """Turn and turn about, so that what else the machine does hits both."""
    pairs = [(timed(lambda: empty(path))[0], timed(lambda: full(path))[0]) for _ in range(WARM + ROUNDS)]
    return [a for a, _ in pairs[WARM:]], [b for _, b in pairs[WARM:]]


def pages(folder: Path, settings: Settings) -> bool:
    """Print the times of both pages; whether they are within the bound."""
    held = True
    with Ledger.open(f"sqlite:///{folder}/empty.db") as few, Ledger.open(f"sqlite:///{folder}/full.db") as many:
        fill(many, OPEN)
        empty, full = reader(settings, few), reader(settings, many)
        print(f"first look at {OPEN:,} open requests: {timed(lambda: full('/'))[0]:.0f} ms")
        results = {"/": measure(empty, full, "/")}
        fill(few, 1)
        results["/requests/req_0"] = measure(empty, full, "/requests/req_0")
        for path, (ours, theirs) in results.items():
            factor = statistics.median(theirs) / statistics.median(ours)
            print(f"{path}: {factor:.2f} times (bound {TIMES})")
            print(told("few", ours))
            print(told(f"{OPEN:,} open", theirs))
            held = held and factor <= TIMES
    return held


def checks(folder: Path, settings: Settings, key: PublicKey, authenticator: Authenticator) -> bool:
    """Print what checking one decision costs, by each sort of key; whether it is within the bound."""
    body, held, roster = request_body("req_0", expires_at=LATER.isoformat()), True, configured(settings)
    for each in (key, authenticator.passkey):
        said = statement(
            body, "approve", reviewer="grace", key=each, at=NOW, nonce="n" * 32, head={"size": 0, "root": ""}
        )
        decision = {"statement": said}
        if each == key:
            decision["signature"] = sign(canonical(said), folder / "grace_key", passphrase=str)
        else:
            decision["passkey"] = authenticator.sign(canonical(said))
        times = [
            timed(lambda decision=decision: check(decision, body, settings, roster))[0] for _ in range(WARM + ROUNDS)
        ]
        print(told("ssh" if "signature" in decision else "passkey", times[WARM:]))
        held = held and statistics.median(times[WARM:]) <= BOUND_MS
    return held


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key, authenticator = generate_key(folder / "grace_key"), Authenticator()
        settings = pages_settings(key, authenticator, folder)
        fast = pages(folder, settings)
        print(f"Checking one decision (bound {BOUND_MS} ms):")
        return int(not (checks(folder, settings, key, authenticator) and fast))


if __name__ == "__main__":
    sys.exit(main())
