-- What may this session's role do? Asked by `doctor`, of the roles that steps are given.

-- name: role
SELECT current_user::text, s.rolsuper OR c.rolsuper, pg_catalog.clock_timestamp()
FROM pg_catalog.pg_roles s, pg_catalog.pg_roles c
WHERE s.rolname = session_user AND c.rolname = current_user

-- name: changes
-- A few are enough: one is too many for a role that shall only read.
(SELECT 'rows of ' || n.nspname || '.' || c.relname
 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND (pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
        OR pg_catalog.pg_has_role(c.relowner, 'USAGE'))
 ORDER BY 1 LIMIT 3)
UNION ALL
(SELECT 'what is in schema ' || n.nspname
 FROM pg_catalog.pg_namespace n
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')
 ORDER BY 1 LIMIT 3)

-- name: foreign
-- What a plan may want to alter and this role may not, but for what extensions brought.
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1 LIMIT 3

-- name: unread
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'mcp_migrate_sealed')
  AND n.nspname !~ '^pg_' AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
ORDER BY 1 LIMIT 3
