-- What the catalogs say of the ledger's schema: one row for each object, with all that a change of it would change.
WITH here AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s),
     relations AS (SELECT * FROM pg_catalog.pg_class WHERE relnamespace = (SELECT oid FROM here))
SELECT 'relation ' || relname, concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, relispartition)
  FROM relations WHERE relkind <> 'i'
UNION ALL
SELECT 'column ' || attname, concat_ws(' ', attnum, format_type(atttypid, atttypmod), attnotnull, attgenerated, atthasdef)
  FROM pg_catalog.pg_attribute JOIN relations r ON r.oid = attrelid WHERE r.relkind <> 'i' AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint ' || conname, concat_ws(' ', pg_get_constraintdef(c.oid), convalidated)
  FROM pg_catalog.pg_constraint c WHERE connamespace = (SELECT oid FROM here) AND contype <> 'n'
UNION ALL
SELECT 'index ' || r.relname, concat_ws(' ', pg_get_indexdef(r.oid), indisvalid, indisready, indislive)
  FROM pg_catalog.pg_index JOIN relations r ON r.oid = indexrelid
UNION ALL
SELECT 'trigger ' || tgname, concat_ws(' ', pg_get_triggerdef(t.oid), tgenabled)
  FROM pg_catalog.pg_trigger t JOIN relations r ON r.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT 'function ' || proname, concat_ws(' ', lanname, prosecdef, array_to_string(proconfig, ';'), prosrc)
  FROM pg_catalog.pg_proc JOIN pg_catalog.pg_language l ON l.oid = prolang WHERE pronamespace = (SELECT oid FROM here)
UNION ALL
SELECT 'rule ' || rulename, pg_get_ruledef(w.oid) FROM pg_catalog.pg_rewrite w JOIN relations r ON r.oid = ev_class
UNION ALL
SELECT 'policy ' || polname, '' FROM pg_catalog.pg_policy JOIN relations r ON r.oid = polrelid
UNION ALL
SELECT 'child ' || inhrelid::regclass, '' FROM pg_catalog.pg_inherits JOIN relations r ON r.oid = inhparent
