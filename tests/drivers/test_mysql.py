"""Is a session with MySQL or MariaDB encrypted as the URL says, without reading authorities that nobody asked for?"""

from __future__ import annotations

import ssl

import pymysql
import pytest

from mcp_migrate.drivers.mysql import _kind, arguments

_URL = "mysql+pymysql://u:p@db.example.com/shop"


def _session(url: str) -> pymysql.Connection[tuple[object, ...]]:
    """One that is not opened."""
    session: pymysql.Connection[tuple[object, ...]] = _kind(pymysql)(**arguments(url), defer_connect=True)
    return session


def test_encryption_that_nobody_checks_is_offered_and_knows_no_authorities() -> None:
    session = _session(_URL)
    assert (session.ssl, session._ssl_required) == (True, False)
    assert session.ctx.verify_mode is ssl.CERT_NONE
    assert session.ctx.cert_store_stats()["x509"] == 0
    assert session.ctx is _session(_URL).ctx


@pytest.mark.parametrize(
    ("option", "checked"),
    [("ssl_verify_identity=1", ssl.CERT_REQUIRED), ("ssl_check_hostname=1", ssl.CERT_REQUIRED)],
)
def test_encryption_that_is_checked_is_the_drivers_own(option: str, checked: ssl.VerifyMode) -> None:
    session = _session(f"{_URL}?{option}")
    assert session._ssl_required
    assert session.ctx.verify_mode is checked
    assert session.ctx is not _session(_URL).ctx


def test_encryption_that_is_switched_off_is_not_offered() -> None:
    assert not _session(f"{_URL}?ssl_disabled=1").ssl
