-- What is in the schemas `$1` and `$1_undo` is ours and left out.

-- name: invalid_indexes
SELECT n.nspname, c.relname, t.relname
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND n.nspname::text NOT IN ($1::text, $1::text || '_undo', $1::text || '_sealed') AND n.nspname !~ '^pg_'
ORDER BY 1, 2

-- name: unchecked_constraints
-- What is not enforced was never meant to be checked.
SELECT n.nspname, t.relname, o.conname
FROM pg_constraint o JOIN pg_class t ON t.oid = o.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE NOT o.convalidated AND n.nspname::text NOT IN ($1::text, $1::text || '_undo', $1::text || '_sealed') AND n.nspname !~ '^pg_'
  AND o.conenforced -- 18
ORDER BY 1, 2, 3

-- name: counters
-- Sequences that count for a column of whole numbers and do not start again at their end. The last column says whether
-- we may look at them.
SELECT sn.nspname, s.relname, tn.nspname, t.relname, a.attname, q.seqincrement,
       has_sequence_privilege(s.oid, 'SELECT') AND has_column_privilege(t.oid, a.attnum, 'SELECT')
         AND has_schema_privilege(sn.oid, 'USAGE') AND has_schema_privilege(tn.oid, 'USAGE')
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_namespace sn ON sn.oid = s.relnamespace JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) AND NOT q.seqcycle
  AND sn.nspname::text NOT IN ($1::text, $1::text || '_undo', $1::text || '_sealed') AND sn.nspname !~ '^pg_'
ORDER BY 1, 2
