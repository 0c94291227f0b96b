"""Can both recordings of a plan use the server that the extra brings, at once, and without a word on it?"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from mcp_migrate.dialects.postgresql.embedded import embedded
from mcp_migrate.drivers.postgresql import connect


def test_whoever_needs_it_at_the_same_time_uses_one_server_which_ends_with_the_last() -> None:
    together = Barrier(3, timeout=60)

    def use() -> str:
        together.wait()
        with embedded() as url:
            with connect(url) as admin:
                assert admin.execute("SELECT 1").fetchone() == (1,)
            together.wait()  # nobody has let go of it yet
            return url

    with ThreadPoolExecutor(3) as beside:
        first = {each.result() for each in [beside.submit(use) for _ in range(3)]}
    assert len(first) == 1
    with embedded() as again:
        assert again not in first


def test_a_session_without_a_folder_for_sockets_is_not_worth_a_warning() -> None:
    code = "from mcp_migrate.dialects.postgresql.embedded import _package; _package()"
    plain = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=plain, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
