"""How does a person read a file of evidence? As one page that needs no server, no script and nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from mcp_migrate.web.pages import environment

if TYPE_CHECKING:
    from mcp_migrate.evidence.checking import Evidence


def evidence_page(evidence: Evidence) -> str:
    """The page of evidence that was checked, in the style of the review pages; it prints."""
    style = files("mcp_migrate.web").joinpath("static", "style.css").read_text(encoding="utf-8")
    template = environment().get_template("evidence.html")
    return template.render(proved=evidence, told=evidence.told, style=Markup(style))  # noqa: S704  a file of ours
