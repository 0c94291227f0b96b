-- name: tables
-- Ordinary, partitioned and foreign tables outside the system's schemas that belong to no extension.
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, obj_description(c.oid, 'pg_class') AS comment,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
       ARRAY(SELECT p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = c.oid ORDER BY 1) AS parents,
       c.relrowsecurity, c.relforcerowsecurity
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname <> ALL ($1) AND n.nspname NOT LIKE 'pg\_t%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname

-- name: columns
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS column_default,
       a.attidentity::text, CASE WHEN a.attgenerated <> '' THEN a.attgenerated::text || ' ' || pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
       col_description(a.attrelid, a.attnum)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum

-- name: constraints
-- Not-null constraints (contype n, since version 18) are left out: the column already says it.
SELECT k.conrelid, k.contype::text, k.conname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (num, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
       pg_get_constraintdef(k.oid), CASE WHEN k.confrelid <> 0 THEN k.confrelid::regclass::text END
FROM pg_constraint k
WHERE k.conrelid = ANY ($1) AND k.contype IN ('p', 'f', 'u', 'c', 'x')
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
       pg_get_viewdef(c.oid) AS definition, NULL AS owner
FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
UNION ALL
SELECT 'sequence', n.nspname, c.relname,
       format('%s start %s min %s max %s step %s%s', format_type(s.seqtypid, NULL), s.seqstart, s.seqmin, s.seqmax, s.seqincrement, CASE WHEN s.seqcycle THEN ' cycle' ELSE '' END), NULL
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN ours n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
UNION ALL
SELECT 'enum', n.nspname, t.typname, (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), NULL
FROM pg_type t JOIN ours n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
UNION ALL
SELECT 'domain', n.nspname, t.typname, concat_ws(' ', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
       (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')), NULL
FROM pg_type t JOIN ours n ON n.oid = t.typnamespace WHERE t.typtype = 'd'
UNION ALL
SELECT 'composite', n.nspname, t.typname, (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), NULL
FROM pg_type t JOIN ours n ON n.oid = t.typnamespace JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
UNION ALL
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, n.nspname,
       p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END, NULL
FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
UNION ALL
SELECT 'trigger', n.nspname, t.tgname, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text, n.nspname || '.' || c.relname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN ours n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule', n.nspname, r.rulename, pg_get_ruledef(r.oid), n.nspname || '.' || c.relname
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
