"""Is a target's URL for the user of a step still the way to that target, and nobody else's key?"""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from mcp_migrate.brokers.address import address
from mcp_migrate.errors import CredentialFailedError


def test_server_and_options_stay_and_the_user_is_another() -> None:
    others = "user=broker&password=theirs&passfile=/their.pass&sslcert=/their.crt&sslkey=/their.key"
    url = f"postgresql://broker:x%2By@db:6543/a%20shop?sslmode=verify-full&options=-c%20geqo%3Doff&{others}"
    asked = address(url, "step", "se+cret", settings={"role": "the own\\er"})
    assert conninfo_to_dict(asked) == {
        "user": "step",
        "password": "se+cret",
        "host": "db",
        "port": "6543",
        "dbname": "a shop",
        "sslmode": "verify-full",
        "options": "-c geqo=off -c role=the\\ own\\\\er",
    }


@pytest.mark.parametrize("url", ["hunter2@db", "postgresql://broker:hunter2@db:hunter2/shop"])
def test_a_url_that_cannot_be_read_is_not_told(url: str) -> None:
    with pytest.raises(CredentialFailedError) as refused:
        address(url, "step", "x")
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__}"
