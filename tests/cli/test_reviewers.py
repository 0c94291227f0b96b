"""Is whoever changes a key told all that goes with it?"""

from __future__ import annotations

from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import generate_key
from tests.world import World


def test_whoever_takes_a_key_out_is_told_of_the_keys_that_go_with_it(world: World) -> None:
    lines = {}
    for name in ("admin", "spare"):
        generate_key(world.folder / name)
        lines[name] = (world.folder / f"{name}.pub").read_text()
    world.configure(lambda config: config.update(admins=[lines["admin"].strip()]))
    mine, spare = world.keys["grace"], parse_public_key(lines["spare"]).fingerprint
    let_in = world.here(
        "reviewers", "enroll", "grace", "--key", str(world.folder / "spare.pub"), "--signed-by", str(mine)
    )
    assert let_in.returncode == 0, let_in.stderr
    old = parse_public_key(mine.with_suffix(".pub").read_text()).fingerprint
    gone = world.here("reviewers", "remove", "grace", "--key", old, "--signed-by", str(world.folder / "admin")).stdout
    assert gone.splitlines() == [f"{old} of grace counts no more.", f"With it goes what it let in: {spare} of grace."]
