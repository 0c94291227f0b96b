"""What do we promise, and where does each promise come from?

A test that proves one says so with ``@pytest.mark.proves(id, …)``. `test_requirements.py` fails when a promise has no
test, and when a test names no promise. For a governed server this list is the audit evidence.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One promise. `until` says what it waits for, when it is not kept yet."""

    id: str
    source: str
    sentence: str
    until: str | None = None


REQUIREMENTS = (
    Requirement("design-1", "docs/design.md", "Every tool call passes one function; nothing else reaches a database."),
    Requirement("design-2", "docs/design.md", "What was approved is what runs, on a target that did not change."),
    Requirement("design-3", "docs/design.md", "The agent cannot approve itself."),
    Requirement("design-4", "docs/design.md", "What cannot be proven harmless needs approval."),
    Requirement("design-5", "docs/design.md", "Every apply has a way back, data included."),
    Requirement("design-6", "docs/design.md", "It is on the record, durably, before it happens."),
    Requirement("design-7", "docs/design.md", "Nobody holds a standing key."),
    Requirement("step-credentials", "docs/credentials.md", "A step has a role of its own, with the step's rights."),
    Requirement("step-credentials-read-only", "docs/credentials.md", "What only reads cannot write."),
    Requirement("step-credentials-end-sessions", "docs/credentials.md", "Open sessions end with their credential."),
    Requirement("step-credentials-expire", "docs/credentials.md", "No crash leaves a credential beyond its time."),
    Requirement(
        "step-credentials-mysql", "docs/credentials.md", "On MariaDB the server itself ends steps; definers are locked."
    ),
    Requirement(
        "step-credentials-rds", "docs/credentials.md", "Sessions of an RDS token end; how long it lasts is told."
    ),
    Requirement("step-credentials-vault", "docs/credentials.md", "A lease ends with its step, or by itself in time."),
    Requirement("step-credentials-minted", "docs/credentials.md", "Minting functions make roles of steps alone."),
    Requirement("sealed", "docs/credentials.md", "A target of sealed plans runs only what was sealed, once, in order."),
    Requirement("sealed-plans", "docs/credentials.md", "What cannot be sealed is refused when it is planned."),
    Requirement("interface-not-sealable", "docs/interface.md", "What cannot be sealed is refused by a code."),
    Requirement("interface-not-sealed", "docs/interface.md", "What waits for its seal says so and keeps its approval."),
    Requirement("sealed-doctor", "docs/doctor.md", "A store of sealed plans that was altered is found."),
    Requirement("step-credentials-recorded", "docs/credentials.md", "Who could open what, and when, is on the record."),
    Requirement("design-8", "docs/design.md", "A workflow without a named owner does not start."),
    Requirement(
        "cage-walls", "docs/design.md", "The Python of a project reaches its scratch database and nothing else."
    ),
    Requirement(
        "nursery-alike",
        "docs/cage.md",
        "A child that is forked where the libraries are loaded already lives behind the same walls, with the same"
        " variables and privileges, as one that began by itself.",
    ),
    Requirement(
        "survives-crashes", "docs/design.md", "A server that dies at any step leaves a known state, told truthfully."
    ),
    Requirement(
        "interface-precondition-failed", "docs/interface.md", "Rows in the way are found before anything runs."
    ),
    Requirement("busy-tables", "docs/configuration.md", "A busy table is let go and tried again; nobody queues."),
    Requirement(
        "plans-remembered", "docs/design.md", "What is planned again is recorded again unless nothing changed."
    ),
    Requirement("records-twice", "docs/design.md", "What does not give the same SQL twice gets no plan."),
    Requirement("plan-rehearsed", "docs/design.md", "Each plan ran on a scratch database, there and back, frozen."),
    Requirement("plan-rehearsed-observed", "docs/design.md", "Locks and rewrites are told as the server was seen."),
    Requirement("plan-rehearsal-fails", "docs/design.md", "A plan whose own SQL fails on a scratch database is none."),
    Requirement("plan-reads", "docs/design.md", "What a revision read is under the digest, and has to be so still."),
    Requirement("plan-rehearsal-off", "docs/configuration.md", "A plan that nobody tried is unknown, and says so."),
    Requirement("plan-progress", "docs/design.md", "Whoever waits for a plan hears how far it is."),
    Requirement("plan-rehearsal-shown", "docs/design.md", "Callers, reviewers and the ledger get the rehearsal."),
    Requirement("effects-no-harm-passes", "docs/effects.md", "No destructive or privileged statement passes as safe."),
    Requirement("effects-additive-is-known", "docs/effects.md", "Ordinary additive work is not called unknown."),
    Requirement("interface-call-id", "docs/interface.md", "Every result carries the id of its ledger entry."),
    Requirement("interface-budget", "docs/interface.md", "All tools together are told in under 9,000 characters."),
    Requirement("interface-deny-by-default", "docs/interface.md", "Nothing is allowed that no scope names."),
    Requirement("interface-not-permitted", "docs/interface.md", "A refusal names the missing scope and the owner."),
    Requirement("interface-unknown-target", "docs/interface.md", "An unknown target has a code and a suggestion."),
    Requirement("interface-unknown-tool", "docs/interface.md", "An unknown tool has a code and a suggestion."),
    Requirement("interface-intent-missing", "docs/interface.md", "A call without an intent is refused."),
    Requirement("interface-intent-exceeded", "docs/interface.md", "A plan beyond `expects` is refused."),
    Requirement("interface-plan-not-found", "docs/interface.md", "An unknown plan has a code."),
    Requirement("undo-parked", "docs/undo.md", "What is parked is out of everybody's way and comes back as it was."),
    Requirement("way-back-derived", "docs/undo.md", "What a downgrade leaves out is derived, tried, and told as such."),
    Requirement("interface-undo-gone", "docs/interface.md", "A rollback without its undo data has a clear error."),
    Requirement("interface-undo-conflict", "docs/interface.md", "What was written since is never overwritten."),
    Requirement("interface-approval-required", "docs/interface.md", "Pending is a normal result, at once."),
    Requirement("pausing-shows-the-page", "docs/pausing.md", "A waiting call shows the person at the client the page."),
    Requirement("pausing-never-decides", "docs/pausing.md", "No answer of a client is an approval."),
    Requirement("pausing-tasks", "docs/pausing.md", "A call in the background survives a restart of either side."),
    Requirement("pausing-updates", "docs/pausing.md", "Who subscribed to a request hears when it is decided."),
    Requirement("pausing-holds-nothing", "docs/pausing.md", "Calls that wait hold no thread, no file and no lock."),
    Requirement("pausing-ends", "docs/pausing.md", "A call that nobody decides ends with approval_required."),
    Requirement("interface-request-state-invalid", "docs/pausing.md", "A state that is not ours is refused, recorded."),
    Requirement("interface-approval-denied", "docs/interface.md", "A denied request is refused."),
    Requirement("interface-access-explain", "docs/interface.md", "Agents and admins get the same explanation."),
    Requirement("server-both-eras", "MCP 2025-11-25 and 2026-07-28", "Clients of both eras are served."),
    Requirement("server-snapshot", "docs/interface.md", "A changed tool description is a reviewed diff."),
    Requirement("local-profile", "docs/interface.md", "A folder with an alembic.ini needs no configuration."),
    Requirement("scopes-narrow-only", "docs/design.md", "A condition or expectation never allows more."),
    Requirement(
        "review-pages-guarded", "docs/review.md", "Other pages, names and sites reach nothing of the review pages."
    ),
    Requirement("review-pages-sign", "docs/review.md", "On the pages a signature decides, and nothing else does."),
    Requirement("review-pages-escape", "docs/review.md", "What agents and databases write stays visible text."),
    Requirement("review-pages-weigh", "docs/review.md", "A yes on the pages takes a look at each loss first."),
    Requirement("passkey-elsewhere", "docs/review.md", "A passkey belongs to one address and signs there."),
    Requirement("passkey-strict", "docs/review.md", "A passkey signs one statement, on our page, for a known person."),
    Requirement("passkey-counter", "docs/review.md", "An authenticator that counts no further is refused."),
    Requirement("approval-signature", "docs/interface.md", "A decision counts by an enrolled key's signature."),
    Requirement("approval-digest", "docs/interface.md", "A decision is bound to exactly one request."),
    Requirement(
        "approval-break-glass", "docs/approvals.md", "Who acts alone is named, gives a reason, and is reviewed."
    ),
    Requirement("approval-canary", "docs/approvals.md", "A canary runs nothing, and who approves it is told of."),
    Requirement("approval-report", "docs/approvals.md", "The report shows how often and how fast people approve."),
    Requirement("approval-red-team", "docs/approvals.md", "A full shell without a reviewer's key destroys nothing."),
    Requirement(
        "reviewers-enrolled", "docs/review.md", "A key counts only where the configuration or a signature let it in."
    ),
    Requirement("approval-policy", "docs/configuration.md", "Each rule that fits is satisfied; none lowers another."),
    Requirement("approval-verified", "docs/configuration.md", "What destroys in production needs a verified person."),
    Requirement("approval-deny", "docs/configuration.md", "One no ends a request, unless policy asks for a quorum."),
    Requirement("auto-rollback", "docs/undo.md", "An apply whose checks fail is taken back by itself, never by half."),
    Requirement("approval-covers-rollback", "docs/approvals.md", "A covered rollback is exactly the signed one, once."),
    Requirement("approval-binding", "docs/approvals.md", "An approval is void where anything signed differs."),
    Requirement("approval-keys", "docs/approvals.md", "A key removed since, or enrolled since, does not decide."),
    Requirement("approval-not-requester-identity", "docs/interface.md", "Who asks does not approve."),
    Requirement("approval-not-requester-key", "docs/interface.md", "One key signs for one person."),
    Requirement("approval-expiry", "docs/interface.md", "An expired request cannot be used."),
    Requirement("clock-set-back", "docs/approvals.md", "A clock that is set back makes nothing good again."),
    Requirement("schema-round-trip", "docs/interface.md", "A schema made from what was read of it is the same schema."),
    Requirement("schema-alterations", "docs/schema-diff.md", "Each single alteration is told as itself, alone."),
    Requirement("approval-quorum", "docs/interface.md", "Several signatures are several people."),
    Requirement(
        "approval-denial-sticks", "docs/approvals.md", "A denied change stays denied in whatever plan it comes back."
    ),
    Requirement("approval-reopen", "docs/approvals.md", "A denied change is asked again once a reviewer reopens it."),
    Requirement("approval-withdraw", "docs/approvals.md", "Who asked can take the question back; nobody else can."),
    Requirement(
        "approval-narrower", "docs/approvals.md", "A request names the rule behind it and the plan that needs nobody."
    ),
    Requirement("interface-too-many-requests", "docs/interface.md", "A workflow asks people only so much at once."),
    Requirement(
        "approval-out-of-reach", "docs/approvals.md", "What too few people could ever approve says so, and whom to ask."
    ),
    Requirement("approval-one-use", "docs/interface.md", "An approval is used once."),
    Requirement("shutdown-clean", "docs/interface.md", "End of input and signals end the server cleanly."),
    Requirement("shutdown-apply-finishes", "docs/interface.md", "An apply in hand finishes and is recorded."),
    Requirement("cancel-before-execute", "docs/interface.md", "A call cancelled in time executes nothing."),
    Requirement("cancel-after-execute", "docs/interface.md", "A call cancelled too late finishes, recorded."),
    Requirement("incident-downgrade-to-base", "an agent's downgrade", "A downgrade to base is stopped, rows counted."),
    Requirement("incident-misleading-autogenerate", "an agent's autogenerate", "Unexpected drops are named."),
    Requirement("bad-input-unreachable-target", "docs/interface.md", "An unreachable database has a clear error."),
    Requirement("bad-input-broken-env", "docs/interface.md", "A broken env.py has a clear error."),
    Requirement("bad-input-multiple-heads", "docs/interface.md", "Several heads have a clear error."),
    Requirement("bad-input-missing-revision", "docs/interface.md", "A missing revision has a clear error."),
    Requirement("bad-input-syntax-error", "docs/interface.md", "A revision with a syntax error has a clear error."),
    Requirement("bad-input-dirty-version-table", "docs/interface.md", "A dirty version table has a clear error."),
    Requirement("bad-input-unknown-target", "docs/interface.md", "An unknown target has a clear error."),
    Requirement("bad-input-config-typo", "docs/interface.md", "A typo is found with line, column and suggestion."),
    Requirement("bad-input-missing-intent", "docs/interface.md", "A missing intent has a clear error."),
    Requirement("bad-input-ledger-unwritable", "docs/interface.md", "Without a ledger nothing executes."),
    Requirement("bad-input-two-servers-one-ledger", "docs/interface.md", "Two servers share one ledger file."),
    Requirement("history-optuna-sqlite", "a public history", "optuna's whole history, on SQLite."),
    Requirement("history-optuna-postgresql", "a public history", "optuna's whole history, on PostgreSQL."),
    Requirement("history-mlflow-sqlite", "a public history", "mlflow's history, on SQLite."),
    Requirement("interface-invalid-arguments", "docs/interface.md", "Arguments that do not fit the schema are named."),
    Requirement("interface-apply-not-found", "docs/interface.md", "An unknown apply has a code."),
    Requirement(
        "interface-request-not-found", "docs/interface.md", "An unknown request, or another workflow's, has a code."
    ),
    Requirement("interface-plan-stale", "docs/interface.md", "A plan for a target that changed is refused."),
    Requirement("interface-plan-expired", "docs/interface.md", "An old plan is refused."),
    Requirement("interface-approval-expired", "docs/interface.md", "A decision that comes too late is refused."),
    Requirement("interface-approval-invalid", "docs/interface.md", "A signature that does not hold is refused."),
    Requirement("interface-self-approval", "docs/interface.md", "Who asks and signs is told why not."),
    Requirement("interface-approval-used", "docs/interface.md", "A used approval has a code."),
    Requirement("interface-locked", "docs/interface.md", "One apply at a time on a target."),
    Requirement("interface-lock-timeout", "docs/interface.md", "A busy table is not waited for for ever."),
    Requirement("interface-render-failed", "docs/interface.md", "What cannot become SQL is refused, with the reason."),
    Requirement("interface-rehearsal-failed", "docs/interface.md", "Without a scratch database the way out is named."),
    Requirement("interface-validation-failed", "docs/interface.md", "A target that ends elsewhere is rolled back."),
    Requirement("interface-tool-failed", "docs/interface.md", "A tool's Python that fails says where, and no value."),
    Requirement("interface-beyond-declared", "docs/interface.md", "More than was declared is rolled back."),
    Requirement("interface-statement-failed", "docs/interface.md", "What the database refuses leaves nothing behind."),
    Requirement("interface-partially-applied", "docs/interface.md", "What ran outside a transaction is told exactly."),
    Requirement("statements-on-record", "docs/partial-applies.md", "What cannot be taken back is recorded before it."),
    Requirement("values-frozen", "docs/design.md", "Each bound value comes to the target as the revision bound it."),
    Requirement("describing-fresh", "docs/schema-diff.md", "A changed project is seen at once, its packages soon."),
    Requirement("tools-pinned", "docs/own-tools.md", "Words of a tool that changed are withheld until accepted."),
    Requirement("tools-pinned-additions", "docs/own-tools.md", "Where there are admins, so is a tool added later."),
    Requirement("interface-tool-withheld", "docs/interface.md", "A tool that is withheld is refused with a code."),
    Requirement("tools-list-changed", "docs/own-tools.md", "Clients hear that the list of tools changed."),
    Requirement("own-interpreter", "docs/own-python.md", "A project runs by its own Python, SQLAlchemy and Alembic."),
    Requirement("own-transactions", "docs/cage.md", "A revision that ends its own transaction gets no plan."),
    Requirement(
        "reads-hold", "docs/configuration.md", "What a plan read is held still until it is done, on PostgreSQL."
    ),
    Requirement("who-is-in-the-way", "docs/configuration.md", "Whoever holds the lock is named, without what it sent."),
    Requirement("part-way", "docs/partial-applies.md", "What stopped part way is finished or taken back, never rerun."),
    Requirement("interface-credential-failed", "docs/interface.md", "A reference to nothing is told, never its value."),
    Requirement("interface-target-unreachable", "docs/interface.md", "An unreachable target has a code."),
    Requirement("interface-config-invalid", "docs/interface.md", "What cannot be enforced does not start."),
    Requirement(
        "interface-ledger-unavailable", "docs/interface.md", "Without a ledger there is a code, and nothing ran."
    ),
    Requirement("interface-ledger-corrupt", "docs/interface.md", "Nothing is built on a ledger that was altered."),
    Requirement("interface-cancelled", "docs/interface.md", "A call taken back in time says so."),
    Requirement("interface-notification-failed", "docs/notify.md", "A channel that does not work holds up nobody."),
    Requirement("notices-carry-no-leave", "docs/notify.md", "A notice carries no SQL, no value and no way to decide."),
    Requirement("interface-internal-error", "docs/interface.md", "A defect is on the record and never shown."),
    Requirement("interface-checkpoint-invalid", "docs/ledger.md", "Only a checkpoint of this log is taken for one."),
    Requirement("interface-evidence-invalid", "docs/evidence.md", "Evidence that does not hold is refused by a code."),
    Requirement("interface-witness-failed", "docs/ledger.md", "A witness that fails is told by a code."),
    Requirement("interface-frozen", "docs/limits.md", "A change of what is frozen is refused by a code."),
    Requirement("interface-paused", "docs/limits.md", "Who has to wait is told by a code, and whom to ask."),
    Requirement("interface-limit-reached", "docs/limits.md", "What a workflow may not do more of has a code."),
    Requirement("freeze-holds", "docs/limits.md", "Nothing changes a frozen target until somebody may lift it."),
    Requirement("limits-hold", "docs/limits.md", "A workflow does no more than its limits say, on all servers."),
    Requirement("limits-narrow-only", "docs/limits.md", "A limit or a freeze never allows more, in any order."),
    Requirement("keeps-trying-waits", "docs/limits.md", "Who keeps trying what is refused waits, and people know."),
    Requirement(
        "policy-vouched-for", "docs/policy.md", "Nothing changes by a configuration nobody vouches for, or a new one."
    ),
    Requirement("scope-conditions", "docs/configuration.md", "A scope holds while all its conditions do, to the end."),
    Requirement("delegation-holds", "docs/separation.md", "A grant counts signed, recorded, in time and in its chain."),
    Requirement("delegation-narrows-only", "docs/separation.md", "A grant only narrows what its giver may do."),
    Requirement("interface-not-separated", "docs/separation.md", "Who may not take a step too is told by a code."),
    Requirement("separation-of-duties", "docs/separation.md", "Nobody takes two steps of a change by any route."),
    Requirement("separation-one-person", "docs/separation.md", "Principals of one person count as one."),
    Requirement("separation-alone-told", "docs/separation.md", "Who could act alone is told, and nobody should be."),
    Requirement("identity-least", "docs/separation.md", "A name that is proven less than a tier asks is refused."),
    Requirement("launch-tokens", "docs/separation.md", "A launch token proves one name, here, for some hours."),
    Requirement("tokens-revoked", "docs/separation.md", "What was taken back counts no more, on any server, at once."),
    Requirement(
        "record-malformed", "docs/record.md", "A call that no tool takes is on the record, by size if need be."
    ),
    Requirement("record-outcomes", "docs/record.md", "Each call has an outcome with its time, sizes and what decided."),
    Requirement("record-own-workflow", "docs/record.md", "Agents read their own workflow's record, and all of it."),
    Requirement("record-client", "docs/record.md", "What a client says of itself and of its protocol is recorded."),
    Requirement("config-diff", "docs/configuration.md", "A change of it is told as who gains and who loses."),
    Requirement("record-configuration", "docs/record.md", "A new configuration is told: by whom, who gained and lost."),
    Requirement("record-no-secrets", "docs/record.md", "What looks like a credential, or a row, leaves a tag only."),
    Requirement("record-redacted-by-rule", "docs/record.md", "What an admin names is redacted, and nothing else."),
    Requirement("ledger-shared", "docs/ledger.md", "Several servers write to one ledger, and each sees it whole."),
    Requirement("ledger-postgresql-tampering", "docs/ledger.md", "Tampering is found on a server as it is in a file."),
    Requirement("ledger-postgresql-role", "docs/ledger.md", "A server's login appends to a ledger, and no more."),
    Requirement("ledger-postgresql-lost", "docs/ledger.md", "A lost connection loses no entry without a word."),
    Requirement("ledger-marker", "docs/ledger.md", "A target with a marker knows a ledger that was put back."),
    Requirement("ledger-failover", "docs/ledger.md", "A ledger that goes backwards is noticed by who saw it."),
    Requirement("ledger-moves", "docs/ledger.md", "A ledger that moves keeps its tree, and one of the two goes on."),
    Requirement("ledger-append-only", "docs/design.md", "No statement changes or removes an entry."),
    Requirement("ledger-durable", "docs/design.md", "An entry is on the disk when it is recorded."),
    Requirement("ledger-intent-before-execute", "docs/design.md", "The intent is durable before the first statement."),
    Requirement("interface-insufficient-scope", "docs/interface.md", "Token and configuration both have to allow."),
    Requirement("interface-token-invalid", "docs/interface.md", "A token that does not hold has a code and a way on."),
    Requirement("interface-issuer-unreachable", "docs/interface.md", "An issuer that is down is no refusal."),
    Requirement("oauth-no-one", "docs/team-server.md", "Without a token that holds nobody calls over HTTP."),
    Requirement("oauth-bad-tokens", "RFC 7519, 8725, 9068", "A token that does not hold in any part names nobody."),
    Requirement("oauth-chain", "RFC 8693, 4.1", "Who acts calls; for whom is kept whole and gives no leave."),
    Requirement("oauth-scopes", "docs/team-server.md", "A token stands for the tools of its scopes alone."),
    Requirement("oauth-step-up", "RFC 6750, 3.1", "A client hears which scope it has to ask for."),
    Requirement(
        "oauth-rotation", "docs/team-server.md", "An issuer's new key counts at once; one it took away is forgotten."
    ),
    Requirement("oauth-issuer-down", "docs/team-server.md", "An outage of the issuer lets nobody in or out."),
    Requirement("oauth-introspection", "RFC 7662", "A token that only its issuer reads is asked about each time."),
    Requirement("team-both-eras", "docs/team-server.md", "Clients of both eras are served over HTTP."),
    Requirement("team-rebinding", "docs/team-server.md", "Other names and pages of other sites reach nothing."),
    Requirement("team-bad-bodies", "docs/team-server.md", "What is too long or no call is refused, no more."),
    Requirement("team-slow-clients", "docs/team-server.md", "Whoever is too slow is let go."),
    Requirement("team-fair", "docs/team-server.md", "Whoever makes many calls keeps nobody else from theirs."),
    Requirement("team-health", "docs/team-server.md", "Health and readiness are told to anybody."),
    Requirement("team-subscriptions", "docs/pausing.md", "No client ends what another one hears."),
    Requirement("team-at-once", "docs/team-server.md", "An answer over HTTP is sent at once."),
    Requirement("team-drain", "docs/team-server.md", "A stop finishes what runs and sends new calls away."),
    Requirement(
        "remote-everything", "docs/team-server.md", "A client without HTTP has every method of a team's server."
    ),
    Requirement(
        "remote-pauses", "docs/team-server.md", "A call that waits for people does so through `serve --remote`."
    ),
    Requirement(
        "remote-tokens", "docs/team-server.md", "A token that does not do is said to be so, and a new one counts."
    ),
    Requirement("remote-calls-off", "docs/team-server.md", "What a client calls off ends at the team's server too."),
    Requirement(
        "remote-no-token", "docs/team-server.md", "Nobody but a server of ours at its own name is sent the token."
    ),
    Requirement(
        "interface-server-unreachable", "docs/interface.md", "A server that is down or another's is said to be so."
    ),
    Requirement("mtls-names", "docs/team-server.md", "A client certificate names its holder, or nobody."),
    Requirement("mtls-envoy", "docs/team-server.md", "Of Envoy's elements the last names the caller, and no other."),
    Requirement("mtls-peers", "RFC 9440, 4", "A certificate in a header counts from proxies of ours alone."),
    Requirement("oauth-bound", "RFC 8705, 3", "A token that is bound to a certificate holds with that one alone."),
    Requirement("scopes-network", "docs/configuration.md", "A scope for a network is closed to calls from elsewhere."),
    Requirement("delegation-over-http", "docs/separation.md", "A worker has over HTTP what was handed on, no more."),
    Requirement("team-replicas", "docs/team-server.md", "Any replica finishes what another paused."),
    Requirement("pausing-state-stolen", "docs/pausing.md", "A pause is its caller's alone."),
    Requirement("record-caller", "docs/record.md", "Each call says what proves its caller, and for whom it acts."),
    Requirement("caller-per-request", "docs/design.md", "Who calls is asked of each request; nobody is no one."),
    Requirement("ledger-edit", "docs/design.md", "An edited entry is found."),
    Requirement("ledger-delete", "docs/design.md", "A deleted entry is found."),
    Requirement("ledger-insert", "docs/design.md", "An inserted entry is found."),
    Requirement("ledger-reorder", "docs/design.md", "Reordered entries are found."),
    Requirement("ledger-truncated-tail", "docs/design.md", "A cut tail is found, as far as the last known head."),
    Requirement(
        "ledger-drill", "docs/ledger.md", "A drill shows on a copy what finds each alteration, or that nothing does."
    ),
    Requirement("reconcile-found", "docs/ledger.md", "A schema change or a stamp that no apply explains is named."),
    Requirement("reconcile-blocks", "docs/ledger.md", "Nothing is applied on such a target where policy blocks it."),
    Requirement("reconcile-accepted", "docs/ledger.md", "A reviewer's signature over exactly what was found ends it."),
    Requirement("reconcile-first-use", "docs/ledger.md", "What is older than the record has nothing to explain."),
    Requirement(
        "interface-unreconciled", "docs/interface.md", "What changed without a record has a code and a way on."
    ),
    Requirement("ledger-inclusion", "RFC 9162, 2.1.3", "A proof shows that an entry is in the log, and only then."),
    Requirement("ledger-consistency", "RFC 9162, 2.1.4", "A proof shows that the log only grew, and only then."),
    Requirement("ledger-interoperates", "c2sp.org", "Checkpoints and proofs are those that other tools make and read."),
    Requirement("ledger-checkpoint-key", "docs/ledger.md", "Only the key of a log signs its checkpoints."),
    Requirement("ledger-witnessed-tampering", "docs/ledger.md", "Whoever rewrites all but cannot sign is found out."),
    Requirement("ledger-witnessed-rollback", "docs/ledger.md", "A log that was cut or put back is found by a witness."),
    Requirement("ledger-witnesses", "docs/ledger.md", "Checkpoints reach files, git, webhooks and other ledgers."),
    Requirement("ledger-witness-down", "docs/ledger.md", "A witness that is down stops nothing and is told."),
    Requirement("ledger-anchor-age", "docs/ledger.md", "With no outside anchor young enough, nothing verifies."),
    Requirement("ledger-checkpoints-made", "docs/ledger.md", "The head is signed after each decision and apply."),
    Requirement("ledger-key-lost", "docs/ledger.md", "A lost or rotated key stops nothing and is told."),
    Requirement("ledger-decisions-verified", "docs/ledger.md", "Each decision is held against its key of that time."),
    Requirement("ledger-enrolments-verified", "docs/ledger.md", "Letting in and taking out is held against its keys."),
    Requirement("ledger-proof-offline", "docs/ledger.md", "A proof verifies without the ledger."),
    Requirement("retention-tree", "docs/ledger.md", "What is purged leaves its hashes: every root and proof holds."),
    Requirement("retention-needed", "docs/ledger.md", "Whole stories are purged, and none that means something."),
    Requirement("retention-floor", "docs/ledger.md", "Nothing younger than 183 days is purged, whatever is set."),
    Requirement("retention-segment", "docs/ledger.md", "A segment verifies alone, and a changed entry in it shows."),
    Requirement("retention-owner", "docs/ledger.md", "On PostgreSQL only the owner purges; the server's login cannot."),
    Requirement("retention-told", "docs/ledger.md", "Content that is gone with nobody saying so is a finding."),
    Requirement("interface-segment-invalid", "docs/ledger.md", "A segment that does not hold is refused by a code."),
    Requirement("interface-retention-floor", "docs/ledger.md", "What is too young to go is refused by a code."),
    Requirement("watching-spans", "docs/observe.md", "A call is a span of its entries, in its client's trace."),
    Requirement("watching-metrics", "docs/observe.md", "Calls, applies, their time and what waits are measured."),
    Requirement("watching-logs", "docs/observe.md", "Lines logged while a call runs carry its ids."),
    Requirement("watching-exports", "docs/observe.md", "Names and ids go to a collector, and no further word."),
    Requirement("evidence-offline", "docs/evidence.md", "One file proves an apply where there is nothing else."),
    Requirement("evidence-cosigned", "docs/evidence.md", "Witnesses whose keys one brings are found in the file."),
    Requirement("evidence-interoperates", "DSSE 1.0.2, in-toto v1", "Other tools read and verify the file."),
    Requirement("evidence-tampering", "docs/evidence.md", "A changed byte or an untrue word in the file is found."),
    Requirement("evidence-page", "docs/evidence.md", "A person reads it on a page that needs nothing else."),
    Requirement("ledger-group-commit", "docs/ledger.md", "Entries of several threads share a commit, never a fate."),
    Requirement("ledger-cosignatures", "c2sp.org/tlog-cosignature", "Cosignatures by known witnesses are verified."),
    Requirement("own-tools", "docs/own-tools.md", "A team's own SQL passes the one door, as signed, and comes back."),
    Requirement(
        "own-tools-values", "docs/own-tools.md", "A value stays a value and a name a name, whatever they hold."
    ),
    Requirement("own-tools-checks", "docs/own-tools.md", "A check reads only what a scope of the caller allows."),
    Requirement("python-tools", "docs/own-tools.md", "A tool in Python runs as declared, as signed, and comes back."),
    Requirement("python-tools-walls", "docs/own-tools.md", "What a tool's Python may not have is out of its reach."),
    Requirement("python-tools-declared", "docs/own-tools.md", "With more than it declared a tool is disabled."),
    Requirement("team-packages", "docs/own-tools.md", "An installed package adds tools under its name, governed."),
    Requirement("python-tools-written", "docs/own-tools.md", "A tool that was written anew holds, with its test."),
    Requirement("python-tools-batches", "docs/own-tools.md", "Batches stand, and go on where one of them failed."),
    Requirement("python-tools-source", "docs/own-tools.md", "A signature is for a tool's source as it was."),
    Requirement("own-tools-declared", "docs/own-tools.md", "A tool that does more than it says does nothing."),
    Requirement(
        "pages-complete",
        "docs/errors.md",
        "Each code and option is on a page, each page is found, and each link leads somewhere.",
    ),
    Requirement("first-hour", "docs/first-hour.md", "What init writes leads to an approved change of production."),
    Requirement("doctor-fixes", "docs/doctor.md", "What keeps no promise on a machine is found, with what to do."),
    Requirement("doctor-rights", "docs/doctor.md", "A role that shall only read and could do more is found."),
    Requirement("tutorial", "docs/tutorial.md", "The tutorial works word for word, from an empty folder."),
    Requirement("bad-input-ledger-full", "docs/interface.md", "On a full disk nothing is recorded by half."),
    Requirement("bad-input-ledger-read-only", "docs/interface.md", "A read-only ledger has a clear error."),
    Requirement("history-optuna-mariadb", "a public history", "optuna's history, as far as MariaDB takes it."),
    Requirement("history-mlflow-mariadb", "a public history", "mlflow's history, as far as MariaDB takes it."),
    Requirement("history-mlflow-postgresql", "a public history", "mlflow's history, on PostgreSQL."),
)
