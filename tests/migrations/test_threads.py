"""May two calls plan at the same moment, in a process that has planned nothing yet?"""

from __future__ import annotations

import subprocess
import sys

_LOAD = """
import threading
from types import SimpleNamespace
from mcp_migrate.migrations.versions import VersionTexts
import sqlalchemy.engine
failed = []
def load():
    try:
        VersionTexts("mariadb", SimpleNamespace(version_table="alembic_version", revisions=()))
    except AttributeError as error:
        failed.append(error)
threads = [threading.Thread(target=load) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
raise SystemExit(len(failed))
"""


def test_threads_that_load_a_dialect_at_once_get_it_whole() -> None:
    for _ in range(6):
        done = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
