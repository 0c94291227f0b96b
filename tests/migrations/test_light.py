"""Does a child load only what it records with? Each plan starts two, and waits for what they import."""

from __future__ import annotations

import subprocess
import sys

_RECORDS = "import mcp_migrate.migrations.child.session, mcp_migrate.migrations.child.recorder, mcp_migrate.dialects"
_NOT_ITS_WORK = (
    "mcp_migrate.migrations.project",
    "mcp_migrate.schema",
    "mcp_migrate.model",
    "mcp_migrate.ledger",
    "mcp",
)


def test_what_only_the_server_needs_is_not_loaded() -> None:
    code = f"import sys; {_RECORDS}; print(sorted(set(sys.modules).intersection({_NOT_ITS_WORK!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
