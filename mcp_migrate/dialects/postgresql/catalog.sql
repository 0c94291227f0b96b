-- name: tables
-- Ordinary, partitioned and foreign tables outside the system's schemas that belong to no extension.
SELECT c.oid, n.nspname, c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'),
       array_remove(ARRAY[
         CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END,
         CASE WHEN c.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(c.oid) END,
         CASE WHEN c.relispartition THEN 'partition ' || pg_get_expr(c.relpartbound, c.oid) END,
         CASE WHEN c.relrowsecurity THEN 'row security' END,
         CASE WHEN c.relforcerowsecurity THEN 'forced row security' END,
         CASE WHEN c.reloftype <> 0 THEN 'of ' || format_type(c.reloftype, NULL) END,
         CASE WHEN m.amname <> 'heap' THEN 'using ' || m.amname END,
         'tablespace ' || t.spcname,
         'server ' || s.srvname, 'server options ' || f.ftoptions::text,
         CASE c.relreplident WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing' END] ||
       ARRAY(SELECT 'child of ' || p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = c.oid ORDER BY 1) ||
       ARRAY(SELECT k.word || ' ' || i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             CROSS JOIN (VALUES ('cluster on'), ('replica identity using')) AS k (word)
             WHERE x.indrelid = c.oid AND (CASE k.word WHEN 'cluster on' THEN x.indisclustered ELSE x.indisreplident END)) ||
       c.reloptions, NULL)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname <> ALL ($1) AND n.nspname NOT LIKE 'pg\_t%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname

-- name: columns
-- The sequence that a serial or identity column owns is part of the column: how it counts, where that was changed.
WITH owned AS (
  SELECT d.refobjid AS relid, d.refobjsubid AS num,
         concat_ws(' ', 'sequence', CASE WHEN s.seqtypid <> a.atttypid THEN 'as ' || format_type(s.seqtypid, NULL) END,
                   'start ' || nullif(s.seqstart, 1), 'increment ' || nullif(s.seqincrement, 1), 'min ' || nullif(s.seqmin, 1),
                   'max ' || nullif(s.seqmax, CASE s.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807 END),
                   'cache ' || nullif(s.seqcache, 1), CASE WHEN s.seqcycle THEN 'cycle' END) AS counts
  FROM pg_sequence s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0
    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE d.refobjid = ANY ($1)
)
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
       a.attidentity::text, CASE WHEN a.attgenerated <> '' THEN a.attgenerated::text || ' ' || pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
       col_description(a.attrelid, a.attnum),
       array_remove(ARRAY[
         CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
         CASE WHEN a.attcompression <> '' THEN 'compression ' || a.attcompression::text END,
         CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END,
         'options ' || a.attfdwoptions::text] ||
       ARRAY(SELECT o.counts FROM owned o WHERE o.relid = a.attrelid AND o.num = a.attnum AND o.counts <> 'sequence' ORDER BY 1) ||
       a.attoptions, NULL)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum

-- name: constraints
-- Not-null constraints (contype n, since version 18) are left out: the column already says it. So are the twins that a
-- reference to a partitioned table has for each partition: their names depend on the order in which things were made.
SELECT k.conrelid, k.contype::text, k.conname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (num, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
       pg_get_constraintdef(k.oid) || CASE WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
         THEN ' (its triggers are not enabled as usual)' ELSE '' END,
       CASE WHEN k.confrelid <> 0 THEN k.confrelid::regclass::text END
FROM pg_constraint k
WHERE k.conrelid = ANY ($1) AND k.contype IN ('p', 'f', 'u', 'c', 'x')
  AND NOT (k.contype = 'f' AND EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid))
ORDER BY k.conrelid, k.contype, k.conname

-- name: indexes
-- Indexes that a constraint made are part of that constraint.
SELECT i.indrelid, c.relname, pg_get_indexdef(i.indexrelid), i.indisunique, i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, c.relname

-- name: others
-- Whatever is no table; each part tells kind, schema, name, definition and the table it belongs to.
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname <> ALL ($1) AND nspname NOT LIKE 'pg\_t%'),
member AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized_view' END AS kind, n.nspname AS schema, c.relname AS name,
       concat_ws(' ', c.reloptions::text, pg_get_viewdef(c.oid), (SELECT string_agg(format('default of %I %s', a.attname, pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
         FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = c.oid)) AS definition, NULL AS owner
FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
UNION ALL
SELECT 'index', n.nspname, i.relname, concat_ws(' ', CASE WHEN NOT x.indisvalid THEN 'INVALID' END, pg_get_indexdef(i.oid)), n.nspname || '.' || c.relname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid JOIN ours n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
UNION ALL
SELECT 'sequence', n.nspname, c.relname,
       concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'min', s.seqmin, 'max', s.seqmax, 'step', s.seqincrement, 'cache', s.seqcache,
                 CASE WHEN s.seqcycle THEN 'cycle' END, CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END), NULL
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN ours n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
UNION ALL
SELECT 'enum', n.nspname, t.typname, (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), NULL
FROM pg_type t JOIN ours n ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
UNION ALL
SELECT 'domain', n.nspname, t.typname, concat_ws(' ', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
       (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')), NULL
FROM pg_type t JOIN ours n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
UNION ALL
SELECT 'composite', n.nspname, t.typname, (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), NULL
FROM pg_type t JOIN ours n ON n.oid = t.typnamespace JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
UNION ALL
SELECT 'range', n.nspname, t.typname, concat_ws(' ', format_type(r.rngsubtype, NULL), r.rngcollation::regcollation::text, (SELECT opcname FROM pg_opclass o WHERE o.oid = r.rngsubopc), r.rngcanonical::text, r.rngsubdiff::text), NULL
FROM pg_range r JOIN pg_type t ON t.oid = r.rngtypid JOIN ours n ON n.oid = t.typnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
UNION ALL
SELECT 'collation', n.nspname, c.collname, concat_ws(' ', c.collprovider, c.collcollate, c.collctype, coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'), to_jsonb(c) ->> 'collicurules', CASE WHEN NOT c.collisdeterministic THEN 'nondeterministic' END), NULL
FROM pg_collation c JOIN ours n ON n.oid = c.collnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_collation'::regclass AND m.objid = c.oid)
UNION ALL
SELECT 'statistics', n.nspname, s.stxname, pg_get_statisticsobjdef(s.oid), NULL FROM pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'event_trigger', '', e.evtname, concat_ws(' ', e.evtevent, e.evtfoid::regprocedure::text, e.evttags::text, e.evtenabled::text), NULL FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid)
UNION ALL
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, n.nspname,
       p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (SELECT (to_jsonb(a) - 'aggfnoid' - 'aggtranstype' - 'aggmtranstype' - 'aggsortop'
         || jsonb_build_object('returns', format_type(p.prorettype, NULL), 'state', format_type(a.aggtranstype, NULL), 'parallel', p.proparallel))::text FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END, NULL
FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT 'trigger', n.nspname, t.tgname, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text, n.nspname || '.' || c.relname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN ours n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule', n.nspname, r.rulename, pg_get_ruledef(r.oid) || ' ' || r.ev_enabled::text, n.nspname || '.' || c.relname
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN ours n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', n.nspname, p.polname,
       concat_ws(' ', p.polcmd, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, (SELECT string_agg(CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r) END, ',' ORDER BY 1) FROM unnest(p.polroles) r), 'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
       n.nspname || '.' || c.relname
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN ours n ON n.oid = c.relnamespace
UNION ALL
SELECT 'extension', n.nspname, e.extname, e.extversion, NULL FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'
UNION ALL
SELECT 'schema', nspname, nspname, 'schema', NULL FROM ours WHERE nspname <> 'public'
ORDER BY kind, schema, name, owner

-- name: estimates
-- What the last ANALYZE or VACUUM counted; a partitioned table is as large as its partitions, which are listed too.
SELECT n.nspname, c.relname, c.reltuples::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.reltuples > 0 AND n.nspname <> ALL ($1) AND n.nspname NOT LIKE 'pg\_t%'
