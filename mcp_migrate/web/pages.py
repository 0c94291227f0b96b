"""How does a page become bytes? Every value is escaped, and what would steer a browser or hide is made visible."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from mcp_migrate.approvals.safe import safe
from mcp_migrate.approvals.summary import worst_first
from mcp_migrate.errors import RequestNotFoundError
from mcp_migrate.web.inbox import Row
from mcp_migrate.web.words import lasts, moment, pieces, short

_STATIC = {"style.css": "text/css", "passkey.js": "text/javascript", "icon.svg": "image/svg+xml"}


@cache
def environment() -> Environment:
    """The templates. Escaping is on for all of them, and each value passes `_shown` on its way in."""
    made = Environment(
        loader=PackageLoader("mcp_migrate.web"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(lasts=lasts, listed=listed, moment=moment, pieces=pieces, short=short, worst_first=worst_first)
    return made


def page(template: str, *, http_status: int = 200, **values: Any) -> Response:
    """One page."""
    return HTMLResponse(environment().get_template(f"{template}.html").render(values), http_status)


@lru_cache(maxsize=1000)
def listed(row: Row, left: str, soon: bool) -> Markup:  # noqa: FBT001  called by a template
    """One line of the inbox. It stays as it is until the request or the time that is left says something else."""
    return Markup(environment().get_template("row.html").render(row=row, left=left, soon=soon))  # noqa: S704  it was escaped


def static(name: str) -> Response:
    """One of our own few files. Raises: RequestNotFoundError."""
    if name not in _STATIC:
        raise RequestNotFoundError("There is no such file.", hint="The inbox lists what waits.")
    return Response(_bytes(name), media_type=_STATIC[name])


@cache
def _bytes(name: str) -> bytes:
    return files(__package__).joinpath("static", name).read_bytes()


def _shown(value: Any) -> Any:
    """Text as people may see it; markup of ours (macros, blocks) is markup already."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else safe(value)
