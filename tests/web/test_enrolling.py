"""Is somebody let in on the pages by a signature made for that, and by nothing else?"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.ledger import Kind
from mcp_migrate.signers.enrolment import NAMESPACE
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import generate_key, sign
from tests.signers.authenticator import Authenticator
from tests.web.visitor import Visitor, field_of, statement_of

pytestmark = pytest.mark.proves("reviewers-enrolled")


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    with Visitor.at(tmp_path) as made:
        generate_key(tmp_path / "bob_key")
        made.ask("req_0")  # a ledger with something in it
        yield made


def line(visitor: Visitor, name: str) -> str:
    return (visitor.folder / f"{name}_key.pub").read_text().strip()


def choice(visitor: Visitor, name: str) -> str:
    return f"{'' if name == 'admin' else name} {parse_public_key(line(visitor, name)).fingerprint}"


def asked(visitor: Visitor, by: str = "admin", **fields: str) -> Any:
    """What the page shows of a statement on Bob's key."""
    form = {"reviewer": "bob", "key": line(visitor, "bob"), "groups": "dba, leads", "signer": choice(visitor, by)}
    return visitor.post("/reviewers/sign", {"mark": visitor.mark_of("/enrol/bob"), **form, **fields})


def sent(visitor: Visitor, page: str, signature: str) -> Any:
    fields = {"mark": field_of(page, "mark"), "statement": field_of(page, "statement"), "signature": signature}
    return visitor.post("/reviewers/record", fields)


def signed(visitor: Visitor, page: str, by: str = "admin", namespace: str = NAMESPACE) -> Any:
    file = visitor.folder / f"{by}_key"
    return sent(visitor, page, sign(statement_of(page), file, passphrase=str, namespace=namespace))


def test_an_admins_signature_lets_a_key_in_and_another_takes_it_out(visitor: Visitor) -> None:
    assert visitor.client.get("/enrol?name=bob").headers["location"] == "/enrol/bob"
    assert visitor.client.get("/enrol?name=//evil.example").status_code == 404
    page = asked(visitor).text
    assert f"ssh-keygen -Y sign -n {NAMESPACE}" in page
    assert signed(visitor, page).status_code == 303
    assert "by an admin" in visitor.read("/reviewers")
    visitor.ask("req_1")
    assert choice(visitor, "bob") in visitor.read("/requests/req_1")
    assert signed(visitor, asked(visitor, act="remove").text).status_code == 303
    assert choice(visitor, "bob") not in visitor.read("/requests/req_1")
    kinds = [event.kind for kind in Kind if kind.startswith("reviewer.") for event in visitor.ledger.read(kind=kind)]
    assert kinds == [Kind.REVIEWER_ENROLLED, Kind.REVIEWER_REMOVED]


def test_a_reviewer_lets_somebody_in_with_a_passkey_and_gives_no_group_of_others(visitor: Visitor) -> None:
    signer = f"grace {visitor.authenticator.passkey.fingerprint}"
    for groups, status in (("dba, leads", 409), ("dba", 303)):
        page = asked(visitor, signer=signer, groups=groups).text
        carried = field_of(page, "statement")
        answer = json.dumps(visitor.authenticator.sign(base64.b64decode(carried)))
        fields = {"mark": field_of(page, "mark"), "statement": carried, "answer": answer}
        assert visitor.post("/reviewers/record", fields).status_code == status
    assert "counted as one with grace" in visitor.read("/reviewers")


def test_no_click_no_other_key_and_no_signature_of_an_approval_lets_anybody_in(visitor: Visitor) -> None:
    page = asked(visitor).text
    assert sent(visitor, page, "").status_code == 409
    assert signed(visitor, page, by="bob").status_code == 409
    assert signed(visitor, page, namespace="approval@mcp-migrate").status_code == 409
    assert asked(visitor, mark="0" * 64).status_code == 409
    assert asked(visitor, key="nothing").status_code == 409
    assert asked(visitor, signer="bob SHA256:x").status_code == 409
    assert not visitor.ledger.read(kind=Kind.REVIEWER_ENROLLED)
    assert len(visitor.ledger.read(kind=Kind.REVIEWER_REFUSED)) == 3


def test_a_passkey_of_one_page_is_let_in_by_its_line(visitor: Visitor) -> None:
    other = Authenticator()
    page = asked(visitor, reviewer="barbara", key=other.passkey.line, groups="dba").text
    assert signed(visitor, page).status_code == 303
    visitor.authenticator = other
    visitor.ask("req_2")
    assert visitor.touch("req_2", signer=f"barbara {other.passkey.fingerprint}").status_code == 303
