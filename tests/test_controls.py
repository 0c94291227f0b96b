"""Is the control map what the promises and their tests say now?"""

from __future__ import annotations

from tests.controls import PAGE, frameworks, page
from tests.requirements import REQUIREMENTS


def test_each_control_rests_on_promises_that_are_kept() -> None:
    kept = {requirement.id for requirement in REQUIREMENTS if requirement.until is None}
    controls = [control for each in frameworks() for control in each["controls"]]
    named = [(control["id"], promise) for control in controls for promise in control["promises"]]
    assert [pair for pair in named if pair[1] not in kept] == []
    assert all(control["promises"] for control in controls)


def test_the_page_is_what_they_say() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.controls"
