"""Plain Alembic in one process: each line of standard input is a direction and a revision, each answer one line."""

from __future__ import annotations

import json
import logging
import os
import sys


def main() -> None:
    """Go where we are told; an answer is null, or the error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)
    from alembic import command
    from alembic.config import Config

    config = Config(sys.argv[1])
    for line in sys.stdin:
        direction, revision = line.split()
        try:
            (command.upgrade if direction == "up" else command.downgrade)(config, revision)
            said = None
        except Exception as error:  # noqa: BLE001  whatever the application's revisions raise
            said = f"{type(error).__name__}: {error}"
        answers.write(json.dumps(said) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
