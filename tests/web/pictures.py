"""The pictures of docs/review.md: `python -m tests.web.pictures docs/images` makes them anew with Chromium."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.schema.neighbourhood import afterwards
from mcp_migrate.signers.sign import generate_key
from mcp_migrate.web.serving import open_pages
from tests.rules.labelled import SCHEMAS
from tests.signers.authenticator import Authenticator
from tests.web.visitor import pages_settings, request_body

NOW = datetime.now(UTC)
STATEMENTS = (
    "ALTER TABLE users ADD COLUMN full_name text",
    "UPDATE users SET full_name = name",
    "ALTER TABLE users ALTER COLUMN full_name SET NOT NULL",
    "ALTER TABLE users DROP COLUMN email",
    "CREATE INDEX users_by_full_name ON users (full_name)",
)
REHEARSAL = {
    "server": "PostgreSQL 18.6",
    "target_server": "PostgreSQL 15.14",
    "observed": True,
    "statements": [
        {"n": n, "seconds": 1.84 if n == 3 else 0.01, "locks": {}, "rewrites": []}
        for n in range(1, len(STATEMENTS) + 1)
    ],
    "seconds": 1.92,
    "rollback_seconds": 0.8,
    "rollback_restored": True,
}
USERS = next(table for table in SCHEMAS["postgresql"].tables if table.qualified == "public.users")
NAMED = replace(next(column for column in USERS.columns if column.name == "name"), name="full_name")
KEPT = tuple(column for column in USERS.columns if column.name != "email")
AFTER = afterwards(
    SCHEMAS["postgresql"],
    replace(
        SCHEMAS["postgresql"],
        tables=tuple(
            replace(table, columns=(*KEPT, NAMED)) if table is USERS else table
            for table in SCHEMAS["postgresql"].tables
        ),
    ),
)
UNDO = {
    "restores_data": True,
    "keep_seconds": 1_209_600,
    "why_not": [],
    "kept": [{"table": "public.users", "columns": ["email"], "place": "p", "method": "primary key"}],
}
OTHERS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("CREATE INDEX orders_by_user ON orders (user_id)", 190, {"principal": "agent:reports", "owner": "Alan Turing"}),
    ("DROP TABLE orders", 12, {"principal": "agent:cleanup", "owner": "Grace Hopper", "target": "shop"}),
    ("GRANT SELECT ON users TO reporting", 88, {"principal": "agent:reports", "owner": "Alan Turing"}),
    ("ALTER TABLE users RENAME COLUMN name TO full_name", 231, {}),
)


def ask(ledger: Ledger, request_id: str, *statements: str, minutes: int, **changed: Any) -> None:
    expires = (NOW + timedelta(minutes=minutes, seconds=30)).isoformat()
    body = request_body(request_id, *statements, expires_at=expires, **changed)
    ledger.append(Draft(Kind.APPROVAL_REQUESTED, body, workflow="agents", subject=request_id), at=NOW)


def main_request(ledger: Ledger) -> str:
    """One of some size, whose losses can be taken back."""
    plan = {**request_body("", *STATEMENTS)["plan"], "undo": UNDO, "from_revision": "77ac", "to_revision": "8f21"}
    back = [{"sql": "ALTER TABLE users ADD COLUMN email text", "n": 1, "kind": "change", "parameters": []}]
    plan["reverse"] = {"available": True, "statements": back, "why_not": None}
    demands = [{"rule": "approvals[0]", "why": "effects: breaking, destructive, unknown", "statements": [4]}]
    ask(
        ledger,
        "req_51f2c84b90d7a3e6",
        *STATEMENTS,
        minutes=47,
        plan=plan,
        rehearsal={**REHEARSAL, "after": AFTER},
        demands=demands,
        narrower="A plan without statement 4 needs nobody's approval.",
        intent="E-mail moved to the accounts service in June; nothing reads this column any more.",
    )
    return "req_51f2c84b90d7a3e6"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        place = Path(name)
        ledger = Ledger.open(f"sqlite:///{place}/ledger.db")
        request_id = main_request(ledger)
        for n, (sql, minutes, changed) in enumerate(OTHERS):
            ask(ledger, f"req_{n}", sql, minutes=minutes, **changed)
        pages = open_pages(pages_settings(generate_key(place / "key"), Authenticator(), place), ledger)
        pages.serve_beside()
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme in ("light", "dark"):
            page = chromium.new_page(color_scheme=theme, viewport={"width": 1120, "height": 860})
            for what, path in (("inbox", "/"), ("request", f"/requests/{request_id}")):
                page.goto(pages.origin + path)
                page.screenshot(path=folder / f"{what}-{theme}.png")
            if theme == "light":
                page.locator("#tables").screenshot(path=folder / "tables.png")
        phone = chromium.new_page(viewport={"width": 390, "height": 844})
        phone.goto(pages.url(request_id))
        phone.screenshot(path=folder / "request-phone.png")
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
