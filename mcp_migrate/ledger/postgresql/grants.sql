
-- What the server's login may do: read, and add at the end. The schema belongs to another role.
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT ON {schema}.events TO {role};
