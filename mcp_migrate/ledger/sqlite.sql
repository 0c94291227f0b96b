-- The schema of a ledger file. Verification compares a file with this text: a changed schema is a finding.

CREATE TABLE events (
  seq      INTEGER PRIMARY KEY CHECK (seq >= 0),
  at       TEXT NOT NULL,
  kind     TEXT NOT NULL,
  workflow TEXT,
  call_id  TEXT,
  subject  TEXT CHECK (kind <> 'approval.consumed' OR subject IS NOT NULL),
  body     TEXT NOT NULL,
  leaf     BLOB NOT NULL CHECK (length(leaf) = 32),
  root     BLOB NOT NULL CHECK (length(root) = 32),
  frontier BLOB NOT NULL
);

-- An approval is used once, whoever asks and however many servers there are.
CREATE UNIQUE INDEX events_consumed_once ON events (subject) WHERE kind = 'approval.consumed';

CREATE INDEX events_by_subject ON events (subject, kind) WHERE subject IS NOT NULL;
CREATE INDEX events_by_kind ON events (kind);
CREATE INDEX events_by_workflow ON events (workflow) WHERE workflow IS NOT NULL;

CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: no update');
END;

CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: no delete');
END;

-- Also stops INSERT OR REPLACE, which removes rows without firing the trigger above.
CREATE TRIGGER events_only_at_the_end BEFORE INSERT ON events
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM events)
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: an entry goes to the end');
END;
