-- A ledger in a schema of its own. `shape.py` holds what the catalogs say of it: a changed schema is a finding.

CREATE SCHEMA {schema};
COMMENT ON SCHEMA {schema} IS 'mcp-migrate ledger, format 1';

CREATE TABLE {schema}.events (
  seq      bigint CONSTRAINT events_pkey PRIMARY KEY CONSTRAINT events_seq CHECK (seq >= 0),
  at       text NOT NULL,
  kind     text NOT NULL,
  workflow text,
  call_id  text,
  subject  text CONSTRAINT events_subject CHECK (kind <> 'approval.consumed' OR subject IS NOT NULL),
  body     text NOT NULL,
  leaf     bytea NOT NULL CONSTRAINT events_leaf CHECK (octet_length(leaf) = 32),
  root     bytea NOT NULL CONSTRAINT events_root CHECK (octet_length(root) = 32),
  frontier bytea NOT NULL
);

-- An approval is used once, whoever asks and however many servers there are.
CREATE UNIQUE INDEX events_consumed_once ON {schema}.events (subject) WHERE kind = 'approval.consumed';

CREATE INDEX events_by_subject ON {schema}.events (subject, kind, seq) WHERE subject IS NOT NULL;
CREATE INDEX events_by_kind ON {schema}.events (kind, seq);
CREATE INDEX events_by_workflow ON {schema}.events (workflow, seq) WHERE workflow IS NOT NULL;

CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only: no %', lower(TG_OP);
END $$;

CREATE FUNCTION {schema}.only_at_the_end() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq) + 1, 0) FROM {schema}.events) THEN
    RAISE EXCEPTION 'the ledger is append-only: an entry goes to the end';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON {schema}.events
  FOR EACH ROW EXECUTE FUNCTION {schema}.refuse();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON {schema}.events
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse();
CREATE TRIGGER events_only_at_the_end BEFORE INSERT ON {schema}.events
  FOR EACH ROW EXECUTE FUNCTION {schema}.only_at_the_end();

-- Also where a session says that it only replicates, which switches ordinary triggers off.
ALTER TABLE {schema}.events ENABLE ALWAYS TRIGGER events_no_change;
ALTER TABLE {schema}.events ENABLE ALWAYS TRIGGER events_no_truncate;
ALTER TABLE {schema}.events ENABLE ALWAYS TRIGGER events_only_at_the_end;
