"""Who calls, how sure is that, and on whose behalf?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from mcp_migrate.model.grant import Grant

Proof = Literal["claimed", "launch-token", "mtls", "oauth"]

PROOFS: tuple[Proof, ...] = get_args(Proof)
"""From the weakest to the strongest."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody by the name that an issuer knows them under."""

    subject: str
    issuer: str | None = None

    def told(self) -> dict[str, str | None]:
        """The JSON form."""
        return {"subject": self.subject, "issuer": self.issuer}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call. `assurance` is what proves the name; all but `claimed` was verified.

    `party` is the caller as its issuer knows it and `client` the program it was given a token for. `chain` is for whom
    it acts, and for whom that one did: the nearest first. `tools` are those that its token stands for, as globs on what
    scopes name; None where no token narrows what the configuration allows. `grants` are those that it acts by, the
    first that was handed on first. `launch` is the launch token that proves its name, by what the ledger calls it.
    `address` is where it calls from, as proxies of ours say; None where that is nowhere, as on standard input.
    `until` is when what proves its name ends, None where nothing does or that has no end.
    """

    principal: str
    assurance: Proof = "claimed"
    party: Party | None = None
    client: str | None = None
    chain: tuple[Party, ...] = ()
    tools: tuple[str, ...] | None = None
    grants: tuple[Grant, ...] = ()
    launch: str | None = None
    address: str | None = None
    until: datetime | None = None

    def may_use(self, tool: str) -> bool:
        """Whether its token, if it has one, stands for what scopes call `tool`."""
        return self.tools is None or any(fnmatchcase(tool, each) for each in self.tools)

    def told(self) -> dict[str, Any]:
        """The JSON form of all but the principal."""
        known = {"launch": self.launch, "address": self.address}
        return {
            "assurance": self.assurance,
            "party": self.party and self.party.told(),
            "client": self.client,
            "chain": [each.told() for each in self.chain],
            "tools": None if self.tools is None else list(self.tools),
            **({"grants": [grant.told() for grant in self.grants]} if self.grants else {}),
            **{name: value for name, value in known.items() if value is not None},
        }
