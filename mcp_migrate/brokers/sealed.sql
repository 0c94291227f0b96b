-- The store of sealed plans, with which mcp-migrate opens a database by `postgres-sealed`: docs/credentials.md.
-- For a superuser to run once, in that database: psql -v ON_ERROR_STOP=1 -d {database} -f sealed.sql
-- It changes nothing where one of these roles or the schema {store} is there already.

BEGIN;

CREATE ROLE {owner};           -- owns what migrations make; nobody logs in with it
CREATE ROLE {reader};          -- reads, and nothing else
CREATE ROLE {keeper} CREATEROLE;  -- owns this store, and makes the roles of steps; nobody logs in with it
CREATE ROLE {runner} LOGIN;    -- the server's. Now give it a password: \password {runner}
CREATE ROLE {sealer} LOGIN;    -- a person's, never the server's. Now give it another password: \password {sealer}

DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'GRANT {reader} TO {keeper} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';
  END IF;
  EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO {owner}', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO {reader}, {runner}, {sealer}', current_database());
END $$;
GRANT pg_signal_backend TO {keeper};

-- What anybody could make in public would be found by sealed text, and run as the owner. A database that was upgraded
-- still lets them; one that was made on 15 or later does not.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- What the owner works in. What is there already has to be its own: ALTER TABLE … OWNER TO {owner};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
CREATE SCHEMA IF NOT EXISTS mcp_migrate_undo;
ALTER SCHEMA mcp_migrate_undo OWNER TO {owner};

-- What the reader reads: what is there, and what the owner will make.
GRANT USAGE ON SCHEMA public, mcp_migrate_undo TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SCHEMAS TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON SEQUENCES TO {reader};

-- What an apply leaves behind is the store's: sealed text cannot write there.
CREATE SCHEMA IF NOT EXISTS mcp_migrate;
ALTER SCHEMA mcp_migrate OWNER TO {keeper};
CREATE TABLE IF NOT EXISTS mcp_migrate.applies (apply_id text PRIMARY KEY, plan text NOT NULL, done integer NOT NULL);
CREATE TABLE IF NOT EXISTS mcp_migrate.heads (
  apply_id text PRIMARY KEY, size bigint NOT NULL, root text NOT NULL, database text NOT NULL);
ALTER TABLE mcp_migrate.applies OWNER TO {keeper};
ALTER TABLE mcp_migrate.heads OWNER TO {keeper};
REVOKE ALL ON mcp_migrate.applies, mcp_migrate.heads FROM {owner}, PUBLIC;
GRANT USAGE ON SCHEMA mcp_migrate TO {reader};
GRANT SELECT ON mcp_migrate.applies, mcp_migrate.heads TO {reader};

CREATE SCHEMA {store};
REVOKE ALL ON SCHEMA {store} FROM PUBLIC;
GRANT USAGE ON SCHEMA {store} TO {reader}, {runner}, {sealer};

-- The roles of steps.
CREATE TABLE {store}.steps (name text PRIMARY KEY, ends timestamptz NOT NULL, writes boolean NOT NULL);

-- What a person placed. `body` is all of a plan as it was frozen, and `plan` its digest; `done` says how far it ran,
-- in the transaction `run_in`.
CREATE TABLE {store}.seals (
  plan text PRIMARY KEY, body text NOT NULL, statements integer NOT NULL, done integer NOT NULL DEFAULT 0,
  run_in xid8, run_at timestamptz, begins timestamptz NOT NULL, ends timestamptz NOT NULL, withdrawn_at timestamptz,
  placed_at timestamptz NOT NULL, placed_by text NOT NULL);

-- What runs as the owner. It is the owner's, so that it has no more rights than that; who may call it is the store
-- alone. The settings are those that change what a text means.
CREATE FUNCTION {store}.as_owner(statement text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET standard_conforming_strings = on SET transform_null_equals = off
SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET array_nulls = on
SET check_function_bodies = on SET default_tablespace = '' SET default_table_access_method = heap
SET row_security = on SET backslash_quote = safe_encoding SET xmloption = content SET lc_monetary = 'C'
SET extra_float_digits = 1 SET bytea_output = hex SET xmlbinary = base64 SET temp_tablespaces = ''
SET plpgsql.check_asserts = on SET timezone_abbreviations = 'Default'
SET lc_numeric = 'C' SET lc_time = 'C' SET gin_fuzzy_search_limit = 0 SET default_text_search_config FROM CURRENT AS $$
DECLARE touched bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS touched = ROW_COUNT;
  RETURN touched;
END $$;

-- Undo data whose time is over by this server's clock; nothing else is removed, whoever asks.
CREATE FUNCTION {store}.prune_as_owner(asked text[]) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE found record; place record; hidden text;
BEGIN
  IF to_regclass('mcp_migrate_undo.manifest') IS NULL THEN
    RETURN;
  END IF;
  FOR found IN SELECT m.key, m.place FROM mcp_migrate_undo.manifest AS m WHERE m.key = ANY(asked) AND m.key IN (
      SELECT o.key FROM mcp_migrate_undo.manifest AS o GROUP BY o.key HAVING max(o.until) <= clock_timestamp())
  LOOP
    hidden := regexp_replace(found.place, '^.*[.]', '');
    IF found.key !~ '^[0-9a-zA-Z]+$' THEN
      CONTINUE;
    ELSIF found.place ~ ('^mcp_migrate_undo[.]u_' || found.key || '_[0-9]+$') THEN
      EXECUTE format('DROP TABLE IF EXISTS mcp_migrate_undo.%I, mcp_migrate_undo.%I', hidden, hidden || '_new');
    ELSIF hidden ~ ('^_mcp_migrate_undo_' || found.key || '_[0-9]+_[0-9]+$') THEN
      FOR place IN SELECT n.nspname, c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE a.attname = hidden AND NOT a.attisdropped AND c.relkind = 'r'
      LOOP
        EXECUTE format('ALTER TABLE %I.%I DROP COLUMN %I', place.nspname, place.relname, hidden);
      END LOOP;
    ELSE
      CONTINUE;
    END IF;
    EXECUTE format('DELETE FROM mcp_migrate_undo.manifest WHERE key = %L AND place = %L', found.key, found.place);
    RETURN NEXT found.key;
  END LOOP;
END $$;

-- Is this session that of a step which may run something, and whose time is not over?
CREATE FUNCTION {store}.refuse_others() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM {store}.steps AS s
                 WHERE s.name = session_user::text AND s.writes AND s.ends > clock_timestamp()) THEN
    RAISE EXCEPTION 'this session is not that of a step that may run sealed plans' USING ERRCODE = '42501';
  END IF;
END $$;

-- Why a plan does not run now; nothing where it does.
CREATE FUNCTION {store}.why_not(asked text) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE seal {store}.seals;
BEGIN
  SELECT * INTO seal FROM {store}.seals AS s WHERE s.plan = asked;
  RETURN CASE
    WHEN seal.plan IS NULL THEN 'it is not sealed'
    WHEN seal.withdrawn_at IS NOT NULL THEN 'its seal was withdrawn'
    WHEN seal.done > 0 THEN 'its seal was used'
    WHEN seal.ends <= clock_timestamp() THEN 'its seal is over'
    WHEN seal.begins > clock_timestamp() THEN 'its seal begins later'
  END;
END $$;

-- Run statement `n` of a sealed plan: each once, one after the other, all in the transaction that began with the first.
-- A session with temporary objects runs nothing: a table of the plan that is gone would be looked for among them, and
-- their triggers and defaults would run as the owner. Nor does one that looks at rows as they were before: a guard would
-- find nothing, and what is kept of a table would not be what goes with it.
CREATE FUNCTION {store}.run(asked text, n integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE seal {store}.seals; statement jsonb; touched bigint;
BEGIN
  PERFORM {store}.refuse_others();
  IF pg_my_temp_schema() <> 0 THEN
    RAISE EXCEPTION 'this session has temporary objects' USING ERRCODE = 'MS001';
  ELSIF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'this transaction does not see what others commit' USING ERRCODE = 'MS001';
  END IF;
  UPDATE {store}.seals AS s SET done = n, run_in = pg_current_xact_id(), run_at = clock_timestamp()
  WHERE s.plan = asked AND s.withdrawn_at IS NULL AND s.done = n - 1 AND n BETWEEN 1 AND s.statements
    AND CASE WHEN n = 1 THEN clock_timestamp() >= s.begins AND clock_timestamp() < s.ends
             ELSE s.run_in = pg_current_xact_id() END
  RETURNING s.* INTO seal;
  IF seal.plan IS NULL THEN
    RAISE EXCEPTION 'statement % is not the next one of a plan that is sealed now', n USING ERRCODE = 'MS001';
  END IF;
  IF seal.plan <> 'sha256:' || encode(sha256(convert_to(seal.body, 'UTF8')), 'hex') THEN
    RAISE EXCEPTION 'what is stored is not what was sealed' USING ERRCODE = 'MS001';
  END IF;
  statement := seal.body::jsonb -> 'statements' -> (n - 1);
  touched := {store}.as_owner(statement ->> 'sql');
  IF (statement ? 'guard' AND touched > 0)
     OR (statement ->> 'kind' = 'version' AND statement ->> 'sql' !~* '^\s*(CREATE|DROP)' AND touched <> 1) THEN
    RAISE EXCEPTION 'statement % touched % rows', n, touched USING ERRCODE = 'MS002', DETAIL = touched::text;
  END IF;
  RETURN touched;
END $$;

-- Half a plan is no plan: what began comes to its end in its transaction, or did not happen.
CREATE FUNCTION {store}.whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM {store}.seals AS s WHERE s.plan = NEW.plan AND s.done NOT IN (0, s.statements)) THEN
    RAISE EXCEPTION 'a sealed plan runs to its end or not at all' USING ERRCODE = 'MS003';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER whole AFTER UPDATE ON {store}.seals DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION {store}.whole();

-- Which apply runs this plan, and how far it came.
CREATE FUNCTION {store}.leave_mark(apply text, asked text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM {store}.refuse_others();
  INSERT INTO mcp_migrate.applies VALUES (apply, asked, 0);
END $$;

CREATE FUNCTION {store}.mark_done(apply text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM {store}.refuse_others();
  UPDATE mcp_migrate.applies AS a SET done = s.done FROM {store}.seals AS s
  WHERE a.apply_id = apply AND s.plan = a.plan AND s.run_in = pg_current_xact_id();
END $$;

CREATE FUNCTION {store}.leave_head(apply text, size bigint, root text, database text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM {store}.refuse_others();
  INSERT INTO mcp_migrate.heads VALUES (apply, size, root, database);
END $$;

-- Nobody writes to a table until the transaction ends.
CREATE FUNCTION {store}.hold_still(named regclass) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE place text;
BEGIN
  PERFORM {store}.refuse_others();
  SELECT format('%I.%I', n.nspname, c.relname) INTO place FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = named AND c.relkind IN ('r', 'p', 'v');
  IF place IS NOT NULL THEN
    PERFORM {store}.as_owner('LOCK TABLE ' || place || ' IN SHARE MODE');
  END IF;
END $$;

CREATE FUNCTION {store}.prune(asked text[]) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM {store}.refuse_others();
  RETURN QUERY SELECT {store}.prune_as_owner(asked);
END $$;

-- A role for one step: it reads; if it writes, it may call what is above as well. `verifier` is what the server stores
-- of its password.
CREATE FUNCTION {store}.issue(verifier text, seconds integer, writes boolean, OUT name text, OUT ends timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF seconds NOT BETWEEN 1 AND 86400 OR writes IS NULL OR seconds IS NULL OR verifier IS NULL
     OR verifier !~ '^SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+/=]+[$][A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
    RAISE EXCEPTION 'this is no credential of a step' USING ERRCODE = '22023';
  END IF;
  ends := to_timestamp(extract(epoch FROM clock_timestamp())::bigint + seconds);
  name := 'mcp_migrate_step_' || to_hex(extract(epoch FROM ends)::bigint) || '_'
    || substr(replace(gen_random_uuid()::text, '-', ''), 1, 8);
  EXECUTE format('CREATE ROLE %I LOGIN CONNECTION LIMIT 4 PASSWORD %L VALID UNTIL %L', name, verifier, ends::text);
  EXECUTE format('GRANT {reader} TO %I', name) || CASE
    WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT TRUE, SET FALSE' ELSE '' END;
  IF NOT writes THEN
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', name);
  END IF;
  INSERT INTO {store}.steps VALUES (name, ends, writes);
END $$;

-- No new session. This is one transaction and what follows the next: a session could begin in between.
CREATE FUNCTION {store}.close(asked text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM {store}.steps AS s WHERE s.name = asked) THEN
    EXECUTE format('ALTER ROLE %I NOLOGIN', asked);
    EXECUTE format('REVOKE {reader} FROM %I', asked);
  END IF;
END $$;

-- Sessions that were let in and are in no list yet: who opens one says for how long that is, by post_auth_delay.
CREATE FUNCTION {store}.opening() RETURNS SETOF integer LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.pid FROM pg_locks l WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NOT NULL)
$$;

-- How many sessions were there to end; the role is gone once there are none.
CREATE FUNCTION {store}.finish(asked text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE sessions integer := 0; session integer; opening integer[] := ARRAY(SELECT {store}.opening());
BEGIN
  IF NOT EXISTS (SELECT FROM {store}.steps AS s WHERE s.name = asked) THEN
    RETURN 0;
  END IF;
  IF opening <> '{}' THEN  -- nobody can tell whose they are; an honest one is open by then
    PERFORM pg_sleep(0.5), pg_stat_clear_snapshot();
    FOR session IN SELECT pid FROM {store}.opening() AS pid WHERE pid = ANY(opening) LOOP
      BEGIN
        sessions := sessions + pg_terminate_backend(session)::integer;
      EXCEPTION WHEN insufficient_privilege THEN  -- a superuser's
      END;
    END LOOP;
  END IF;
  FOR session IN SELECT pid FROM pg_stat_activity WHERE usename = asked LOOP
    PERFORM pg_terminate_backend(session);
    sessions := sessions + 1;
  END LOOP;
  IF sessions = 0 AND NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = asked) THEN
    EXECUTE format('DROP ROLE %I', asked);
    DELETE FROM {store}.steps AS s WHERE s.name = asked;
  END IF;
  RETURN sessions;
END $$;

CREATE FUNCTION {store}.over() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.name FROM {store}.steps AS s WHERE s.ends <= clock_timestamp() ORDER BY s.name
$$;

-- A person places a plan. What was run, is over or was withdrawn is placed anew only where they say so.
CREATE FUNCTION {store}.seal(body text, begins timestamptz, ends timestamptz, again boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  named text := 'sha256:' || encode(sha256(convert_to(body, 'UTF8')), 'hex');
  statements jsonb := body::jsonb -> 'statements';
BEGIN
  IF jsonb_array_length(statements) IS DISTINCT FROM 0 AND NOT EXISTS (SELECT FROM jsonb_array_elements(statements) AS s
     WHERE s ->> 'sql' IS NULL OR s -> 'parameters' <> '[]' OR s -> 'transactional' <> 'true' OR s ? 'batches') THEN
    INSERT INTO {store}.seals AS s (plan, body, statements, begins, ends, placed_at, placed_by)
    VALUES (named, body, jsonb_array_length(statements), begins, ends, clock_timestamp(), session_user)
    ON CONFLICT (plan) DO UPDATE SET done = 0, run_in = NULL, run_at = NULL, withdrawn_at = NULL,
      begins = excluded.begins, ends = excluded.ends, placed_at = excluded.placed_at, placed_by = excluded.placed_by
    WHERE again;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'this plan was sealed before' USING ERRCODE = 'MS004';
    END IF;
    RETURN named;
  END IF;
  RAISE EXCEPTION 'this plan cannot be sealed' USING ERRCODE = 'MS005';
END $$;

CREATE FUNCTION {store}.withdraw(asked text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE {store}.seals AS s SET withdrawn_at = clock_timestamp() WHERE s.plan = asked AND s.done = 0;
  RETURN FOUND;
END $$;

-- Whose all of this is, and who may call what. EXECUTE is everybody's until it is taken from PUBLIC.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {store} FROM PUBLIC;
ALTER TABLE {store}.steps OWNER TO {keeper};
ALTER TABLE {store}.seals OWNER TO {keeper};
DO $$
DECLARE each regprocedure;
BEGIN
  FOR each IN SELECT oid FROM pg_proc WHERE pronamespace = '{store}'::regnamespace LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO %I', each,
      CASE WHEN each::text LIKE '%as_owner(%' THEN '{owner}' ELSE '{keeper}' END);
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA {store} TO {keeper};
GRANT EXECUTE ON FUNCTION {store}.as_owner, {store}.prune_as_owner TO {keeper};
GRANT EXECUTE ON FUNCTION {store}.run, {store}.leave_mark, {store}.mark_done, {store}.leave_head, {store}.hold_still,
  {store}.prune TO {reader};
GRANT EXECUTE ON FUNCTION {store}.issue, {store}.close, {store}.finish, {store}.over TO {runner};
GRANT EXECUTE ON FUNCTION {store}.why_not TO {runner}, {reader}, {sealer};
GRANT EXECUTE ON FUNCTION {store}.seal, {store}.withdraw TO {sealer};
GRANT SELECT ON {store}.seals TO {sealer};

COMMIT;
