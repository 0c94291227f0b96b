"""How is JSON handed to somebody else's server, and what is an answer that counts?"""

from __future__ import annotations

from collections.abc import Mapping

from mcp_migrate.errors import NotificationFailedError
from mcp_migrate.settings.url_checks import is_protected


def post(name: str, url: str, body: bytes, headers: Mapping[str, str], *, within: float) -> str:
    """POST `body` and give the text of the answer; no redirect is followed, since it could lead anywhere.

    Raises:
        NotificationFailedError: no answer in time, or one that is not 2xx. The URL is not told: it may be a secret.
    """
    if not is_protected(url):
        raise _failed(name, "is not sent to: its url is not https")
    import httpx2  # loads when the first notice leaves

    try:
        answer = httpx2.post(
            url,
            content=body,
            headers={"content-type": "application/json", **headers},
            timeout=within,
            follow_redirects=False,
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _failed(name, f"gave no answer ({type(error).__name__})") from error
    if not answer.is_success:
        raise _failed(name, f"answered {answer.status_code}")
    return answer.text


def _failed(name: str, why: str) -> NotificationFailedError:
    return NotificationFailedError(
        f"The channel {name} {why}.", hint="Check its url and whether it is reachable from the server."
    )
