"""How is the issuer asked? Protected, bounded in time and size, and nowhere else than where the configuration says."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

from mcp_migrate.errors import IssuerUnreachableError

_MOST_BYTES = 256 * 1024


async def ask(
    url: str, *, within: float, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
) -> Mapping[str, Any]:
    """The JSON object at `url`, or the answer to a form that is sent there; no redirect is followed.

    Raises:
        IssuerUnreachableError: there was none in time, or one that is no such object.
    """
    import httpx2  # loads with the first token

    try:
        async with (
            httpx2.AsyncClient(timeout=within, follow_redirects=False, auth=auth, verify=_trusted()) as client,
            client.stream("GET" if form is None else "POST", url, data=form) as answer,
        ):
            if not answer.is_success:
                raise _silent(f"answered {answer.status_code}")
            said = json.loads(await _bounded(answer.aiter_bytes()))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _silent(f"gave no answer ({type(error).__name__})") from error
    except (ValueError, RecursionError) as error:
        raise _silent("answered something that is not JSON") from error
    if not isinstance(said, dict):
        raise _silent("answered something that is no JSON object")
    return said


@cache
def _trusted() -> ssl.SSLContext:
    """Read once: it takes longer than a question."""
    return ssl.create_default_context()


async def _bounded(parts: AsyncIterator[bytes]) -> bytes:
    whole = b""
    async for part in parts:
        whole += part
        if len(whole) > _MOST_BYTES:
            raise _silent("answered too much")
    return whole


def _silent(what: str) -> IssuerUnreachableError:
    return IssuerUnreachableError(
        f"The issuer of tokens {what}, so nobody can be known now.", hint="Call again in a moment."
    )
