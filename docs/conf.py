"""How do these pages become the site? `sphinx-build -W docs build/docs`; every warning, so every dead link, fails.

The pages are for a code host as well, so nothing in them is only for the site: its navigation is the lists of links
in `index.md` and `adr/README.md`, under their own headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "mcp-migrate"
html_title = "mcp-migrate"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
myst_heading_anchors = 6
html_theme = "furo"  # one without fonts or scripts from elsewhere
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
suppress_warnings = [
    "misc.highlighting_failure",  # SQL of four databases, some of it wrong on purpose
]

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_ITEM = re.compile(r"^(?:-|\d+\.) \[[^\]]+\]\(([\w/-]+)\.md\)", re.MULTILINE)


def navigation(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading of a page of links, with the pages that its list begins its lines with."""
    for part in re.split(r"^##? ", text, flags=re.MULTILINE)[1:]:
        if pages := _ITEM.findall(part):
            yield part.partition("\n")[0], pages


def _trees(text: str) -> str:
    lines = [
        f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n" + "\n".join(pages) + "\n```\n"
        for heading, pages in navigation(text)
    ]
    return "".join(lines)


def _without_folders(text: str, folder: Path) -> str:
    """A code host shows a folder; the site has only files, so there its name stands."""
    return _LINK.sub(lambda link: f"`{link[1]}`" if (folder / link[2]).is_dir() else link[0], text)


def _adapt(app: Sphinx, name: str, source: list[str]) -> None:
    text = _without_folders(source[0], (Path(app.srcdir) / name).parent)
    source[0] = text + _trees(text) if name in {"index", "adr/README"} else text


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _adapt)
