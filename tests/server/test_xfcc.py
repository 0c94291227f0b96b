"""Is it the element of our own proxy that names a caller, whatever others wrote before it or had put into a name?"""

from __future__ import annotations

import string
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcp_migrate.errors import TokenInvalidError
from mcp_migrate.server.http.xfcc import certificate_in, elements

MINE, THEIRS = "-----BEGIN%20mine", "-----BEGIN%20theirs"
ENVOYS = f'By=spiffe://acme.example/envoy;Hash=468ed33b;Cert="{MINE}"'
POSES = f'x,Hash=1;Cert="{THEIRS}"'
PARTS = ['"', "\\", ",", ";", "=", " ", "a", "a=", "URI=", f'Cert="{THEIRS}"', f"Cert={THEIRS}"]
TRICKY = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
KEYS = st.text(string.ascii_letters, min_size=1, max_size=6)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


def written(pairs: list[tuple[str, str]]) -> str:
    """One element, each value in quotes."""
    return ";".join(f'{key}="' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for key, value in pairs)


@given(st.lists(st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=4), min_size=1, max_size=4))
def test_what_is_written_is_read(said: list[list[tuple[str, str]]]) -> None:
    assert elements(",".join(map(written, said))) == [[(key.lower(), value) for key, value in each] for each in said]


@pytest.mark.proves("mtls-envoy")
@settings(max_examples=500)
@given(TRICKY)
@example('Subject="')
@example('Subject="\\')
@example(f'Cert="{THEIRS}"')
@example(f'Cert="{THEIRS}";a="')
def test_nothing_that_comes_before_the_proxys_own_element_is_believed(before: str) -> None:
    with suppress(TokenInvalidError):
        assert certificate_in(f"{before},{ENVOYS}") == MINE


@pytest.mark.proves("mtls-envoy")
@settings(max_examples=500)
@given(TRICKY, st.sampled_from(["URI", "DNS"]))
@example(POSES, "URI")
@example(POSES.replace(",", ";"), "URI")
@example(f'x";Cert="{THEIRS}', "DNS")
def test_no_name_in_a_certificate_poses_as_another_certificate(name: str, key: str) -> None:
    with suppress(TokenInvalidError):
        assert certificate_in(f"{ENVOYS};{key}={name}") == MINE


@pytest.mark.proves("mtls-envoy")
def test_the_last_element_counts_and_without_a_certificate_nobody_calls() -> None:
    subject = 'Subject="CN=a\\\\,O=\\"Acme\\""'
    assert certificate_in(f'Hash=1;Cert="{THEIRS}",{ENVOYS};{subject}') == MINE
    assert certificate_in(f"{ENVOYS};URI=spiffe://acme.example/ns/ci?a=b") == MINE
    assert certificate_in(f"hash=1; CERT={MINE}") == MINE
    for nobody in (
        "",
        "By=a;Hash=1",
        f"{ENVOYS},By=b;Hash=2",
        f"{ENVOYS};Cert={THEIRS}",
        f"{ENVOYS},",
        f"{ENVOYS};",
        f'{ENVOYS}"',
        f'Chain="{MINE}"',
    ):
        with pytest.raises(TokenInvalidError):
            certificate_in(nobody)
