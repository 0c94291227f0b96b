
CREATE ROLE {broker} LOGIN CREATEROLE;    -- makes a role for each step. Now give it a password: \password {broker}
-- Without the `rehearsal` extra, scratch databases lie on this server: ALTER ROLE {broker} CREATEDB;

DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN   -- before, CREATEROLE alone may hand roles out
    EXECUTE 'GRANT {owner}  TO {broker} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';
    EXECUTE 'GRANT {reader} TO {broker} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO {broker}', current_database());
END $$;
