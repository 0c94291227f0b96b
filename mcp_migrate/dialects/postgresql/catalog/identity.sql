-- Which database is it? Asked of the reader in two queries: a refused one would end the transaction.

-- name: identity
SELECT d.oid::text,
       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'),
       coalesce(pg_catalog.host(pg_catalog.inet_server_addr()), 'this machine')
         || ':' || pg_catalog.current_setting('port')
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()

-- name: system
SELECT system_identifier::text FROM pg_catalog.pg_control_system()
