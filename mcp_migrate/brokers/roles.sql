-- The roles with which mcp-migrate opens a production database: docs/credentials.md explains each of them.
-- For a superuser to run once, in that database: psql -1 -v ON_ERROR_STOP=1 -d {database} -f roles.sql

CREATE ROLE {owner};                      -- owns what migrations make; nobody logs in with it
CREATE ROLE {reader};                     -- reads, and nothing else

DO $$
BEGIN
  EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO {owner}', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO {reader}', current_database());
END $$;

-- A reader makes nothing. So it is where the database was made on 15 or later; one that was upgraded still lets anybody.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- What the owner works in. What is there already has to be its own: ALTER TABLE … OWNER TO {owner};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};

-- What the reader reads: what is there, and what the owner will make, our own tables included.
GRANT USAGE ON SCHEMA public TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SCHEMAS TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON SEQUENCES TO {reader};
