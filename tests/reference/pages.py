"""What do the pages of docs/reference say? ``python -m tests.reference.pages`` writes them from the code.

`test_reference.py` fails when one of them is not what this gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.reference import commands, entries, options, refusals, tools

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "configuration.md": options.page,
    "errors.md": refusals.page,
    "events.md": entries.page,
    "tools.md": tools.page,
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
