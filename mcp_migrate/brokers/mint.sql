
-- The broker's role may call functions that make roles of steps, for at most a day, and nothing else.
CREATE ROLE {broker} LOGIN;               -- Now give it a password: \password {broker}

DO $$
BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO {broker}', current_database());
END $$;

CREATE SCHEMA {mint};

CREATE FUNCTION {mint}.named(step text) RETURNS text LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF step !~ '^mcp_migrate_step_[0-9a-f]{1,12}_[0-9a-f]{8}$' THEN
    RAISE EXCEPTION 'this is no name of a step';
  END IF;
  RETURN step;
END $$;

CREATE FUNCTION {mint}.issue(step text, verifier text, until timestamptz, writes boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF verifier !~ '^SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+/=]+[$][A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$'
     OR until IS NULL OR until > now() + interval '1 day' THEN
    RAISE EXCEPTION 'this is no credential of a step';
  END IF;
  EXECUTE format('CREATE ROLE %I LOGIN %s CONNECTION LIMIT 4 PASSWORD %L VALID UNTIL %L',
    {mint}.named(step), CASE WHEN writes THEN 'NOINHERIT' ELSE 'INHERIT' END, verifier, until);
  IF writes THEN
    EXECUTE format('GRANT {owner} TO %I', step);
  ELSE
    EXECUTE format('GRANT {reader} TO %I', step);
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', step);
  END IF;
END $$;

CREATE FUNCTION {mint}.close(step text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = {mint}.named(step)) THEN
    EXECUTE format('ALTER ROLE %I NOLOGIN', step);
    EXECUTE format('REVOKE {owner}, {reader} FROM %I', step);
  END IF;
END $$;

-- Sessions that were let in and are in no list yet: who opens one says for how long that is, by post_auth_delay.
CREATE FUNCTION {mint}.opening() RETURNS SETOF integer LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.pid FROM pg_locks l WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NOT NULL)
$$;

-- Ends the sessions that are open and says how many there were; drops the role when there was none, once it is closed.
CREATE FUNCTION {mint}.finish(step text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE sessions integer; opening integer[] := ARRAY(SELECT {mint}.opening());
BEGIN
  IF opening <> '{}' THEN  -- nobody can tell whose they are; an honest one is open by then
    PERFORM pg_sleep(0.5), pg_stat_clear_snapshot();
    opening := ARRAY(SELECT pid FROM {mint}.opening() AS pid
                     WHERE pid = ANY(opening) AND pg_terminate_backend(pid));
  END IF;
  SELECT cardinality(opening) + count(pg_terminate_backend(pid)) INTO sessions FROM pg_stat_activity
  WHERE usename = {mint}.named(step);
  IF sessions = 0 AND NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = step) THEN
    EXECUTE format('DROP ROLE %I', step);
  END IF;
  RETURN sessions;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {mint} FROM PUBLIC;
GRANT USAGE ON SCHEMA {mint} TO {broker};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {mint} TO {broker};
