"""What is the URL of a target for the user of one step?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mcp_migrate.errors import CredentialFailedError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_OF_ANOTHER = ("user", "password", "passfile", "sslcert", "sslkey")
"""What a URL may say of who connects; it is not what the step's user would say."""


def address(
    url: str, user: str, password: str, *, settings: Mapping[str, str] | None = None, named: str | None = None
) -> str:
    """The PostgreSQL URL for another user, whose session has these settings from its start, and a name if one is given.

    Raises:
        CredentialFailedError: the URL cannot be read; nothing of it is told.
    """
    parsed = parse(url).difference_update_query(_OF_ANOTHER).set(username=user, password=password)
    if settings:
        said = (f"-c {name}={_escaped(value)}" for name, value in settings.items())
        options = " ".join([str(parsed.query.get("options", "")), *said]).strip()
        parsed = parsed.update_query_dict({"options": options})
    if named is not None:
        parsed = parsed.update_query_dict({"application_name": named})
    return render(parsed)


def parse(url: str) -> URL:
    """The URL in parts. Raises: CredentialFailedError."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # its words hold the URL, and so a password
        raise CredentialFailedError(
            "The target's url cannot be read.", hint="Write special characters of user and password as %XX."
        ) from None


def render(url: URL) -> str:
    """The text, as libpq reads it: to it a plus is no space, and a space is none either."""
    place, mark, query = url.render_as_string(hide_password=False).partition("?")
    return f"{place}{mark}{query.replace('+', '%20')}".replace(" ", "%20")


def _escaped(value: str) -> str:
    return "".join(f"\\{letter}" if letter == "\\" or letter.isspace() else letter for letter in value)
