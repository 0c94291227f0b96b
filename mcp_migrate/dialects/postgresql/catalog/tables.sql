-- What is in the schemas `$1`, `$1_undo` and `$1_sealed` is ours and left out; objects that the server came with have numbers below 16384.
-- A line that ends with a version is for servers from that version on.

-- name: tables
-- Ordinary, partitioned and foreign tables that belong to no extension. $2 and $3 name Alembic's version table, which
-- is left out: who owns it or the database is no owner worth telling. The last column says which rows are hidden.
WITH usual AS (
  SELECT datdba AS role FROM pg_database WHERE datname = current_database()
  UNION SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relname = $3
)
SELECT c.oid, c.relnatts, n.nspname, c.relname, c.relkind::text,
       array_remove(ARRAY[
         CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END,
         CASE WHEN c.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(c.oid) END,
         CASE WHEN c.relispartition THEN 'partition ' || pg_get_expr(c.relpartbound, c.oid) END,
         CASE WHEN c.relrowsecurity THEN 'row security' END,
         CASE WHEN c.relforcerowsecurity THEN 'forced row security' END,
         CASE WHEN c.reloftype <> 0 THEN 'of ' || format_type(c.reloftype, NULL) END,
         CASE WHEN m.amname <> 'heap' THEN 'using ' || quote_ident(m.amname) END,
         'tablespace ' || quote_ident(t.spcname),
         'server ' || quote_ident(s.srvname), 'server options ' || f.ftoptions::text,
         CASE c.relreplident WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing' END] ||
       CASE WHEN c.relhassubclass OR c.relispartition OR h.inhrelid IS NOT NULL THEN
         ARRAY(SELECT concat_ws(' ', 'child of', p.inhparent::regclass::text, CASE WHEN p.inhdetachpending THEN 'detach pending' END)
               FROM pg_inherits p WHERE p.inhrelid = c.oid ORDER BY 1) END ||
       x.options || CASE WHEN o.reloptions IS NOT NULL THEN ARRAY(SELECT 'toast.' || o FROM unnest(o.reloptions) o) END || c.reloptions, NULL),
       d.description, CASE WHEN c.relowner NOT IN (SELECT role FROM usual) THEN pg_get_userbyid(c.relowner)::text END,
       CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'no right to use its schema'
            WHEN NOT (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT')) THEN 'no right to read it'
            WHEN c.relrowsecurity AND row_security_active(c.oid) THEN 'row security hides some' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
LEFT JOIN (SELECT oid, reloptions FROM pg_class WHERE relkind = 't' AND reloptions IS NOT NULL) o ON o.oid = c.reltoastrelid
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
LEFT JOIN (SELECT DISTINCT inhrelid FROM pg_inherits) h ON h.inhrelid = c.oid
LEFT JOIN (SELECT i.indrelid, array_remove(array_agg(CASE WHEN i.indisclustered THEN 'cluster on ' || quote_ident(k.relname) END)
             || array_agg(CASE WHEN i.indisreplident THEN 'replica identity using ' || quote_ident(k.relname) END), NULL) AS options
           FROM pg_index i JOIN pg_class k ON k.oid = i.indexrelid WHERE i.indisclustered OR i.indisreplident GROUP BY 1) x ON x.indrelid = c.oid
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 AND n.nspname::text NOT IN ($1::text, $1::text || '_undo', $1::text || '_sealed') AND n.nspname !~ '^pg_t(oast|emp)' AND (n.nspname, c.relname) <> ($2, $3)
  AND c.oid NOT IN (SELECT objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass AND deptype = 'e')
ORDER BY n.nspname, c.relname

-- name: details
-- Of columns, where they are not as PostgreSQL would have them: how the sequence that a serial or identity column owns
-- counts, what it is called and who may use it; not-null constraints (which have names since version 18) that are special
-- ones. Columns and dependencies are looked up for each sequence: they are few beside all that would be gone through.
SELECT e.refobjid, e.refobjsubid, min(s.seqrelid::bigint)::oid, array_remove(array_agg(nullif(concat_ws(' ', 'sequence',
         CASE WHEN n.other THEN s.seqrelid::regclass::text END,
         CASE WHEN s.seqtypid <> a.atttypid THEN 'as ' || format_type(s.seqtypid, NULL) END,
         'start ' || nullif(s.seqstart, 1), 'increment ' || nullif(s.seqincrement, 1), 'min ' || nullif(s.seqmin, 1),
         'max ' || nullif(s.seqmax, m.usual),
         'cache ' || nullif(s.seqcache, 1), CASE WHEN s.seqcycle THEN 'cycle' END,
         CASE WHEN q.relpersistence <> c.relpersistence THEN 'persistence ' || q.relpersistence::text END,
         'comment ' || quote_literal(t.description)), 'sequence')), NULL)
FROM pg_sequence s JOIN pg_class q ON q.oid = s.seqrelid
JOIN LATERAL (SELECT refobjid, refobjsubid FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = s.seqrelid AND e.objsubid = 0
  AND e.refclassid = 'pg_class'::regclass AND e.refobjsubid > 0 AND e.deptype IN ('a', 'i') OFFSET 0) e ON true
JOIN LATERAL (SELECT attname, atttypid FROM pg_attribute a WHERE a.attrelid = e.refobjid AND a.attnum = e.refobjsubid OFFSET 0) a ON true
JOIN pg_class c ON c.oid = e.refobjid AND c.relkind IN ('r', 'p', 'f')
LEFT JOIN pg_description t ON t.classoid = 'pg_class'::regclass AND t.objoid = s.seqrelid AND t.objsubid = 0
CROSS JOIN LATERAL (SELECT CASE s.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807 END AS usual) m
CROSS JOIN LATERAL (SELECT q.relname <> concat_ws('_', c.relname, a.attname, 'seq') OR q.relnamespace <> c.relnamespace AS other) n
WHERE n.other OR s.seqtypid <> a.atttypid OR (s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle) <> (1, 1, 1, m.usual, 1, false)
   OR q.relpersistence <> c.relpersistence OR t.description IS NOT NULL OR q.relacl IS NOT NULL
GROUP BY 1, 2
UNION ALL
SELECT k.conrelid, k.conkey[1], NULL, ARRAY[concat_ws(' ', 'not null', CASE WHEN NOT k.convalidated THEN 'not valid' END,
         CASE WHEN k.connoinherit THEN 'no inherit' END, 'comment ' || quote_literal(t.description))]
FROM pg_constraint k LEFT JOIN pg_description t ON t.classoid = 'pg_constraint'::regclass AND t.objoid = k.oid
WHERE k.contype = 'n' AND k.conrelid >= 16384 AND (NOT k.convalidated OR k.connoinherit OR t.description IS NOT NULL)

-- name: columns
-- Of every relation that is not the server's, grouped by what is alike: an application has few kinds of columns. The
-- places are `number of the relation * 65536 + number of the column`; the last says whether something was granted on any of
-- them. Temporary tables come and go, and here and below must not make a reading fail. `pg_attver` is a number of the server
-- of its own, which 15.20 keeps among the options of every column. Columns that we parked are left out.
SELECT g.attname, quote_ident(g.attname), format_type(g.atttypid, g.atttypmod), NOT g.attnotnull,
       CASE g.attidentity WHEN '' THEN NULL WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
       CASE g.attgenerated WHEN '' THEN NULL WHEN 's' THEN 'STORED ' ELSE 'VIRTUAL ' END,
       CASE WHEN g.attcollation <> t.typcollation THEN g.attcollation::regcollation::text END,
       CASE WHEN g.attstorage <> t.typstorage OR g.attcompression <> '' OR g.attstattarget >= 0
                 OR g.attfdwoptions IS NOT NULL OR g.attoptions IS NOT NULL OR g.inherited THEN
         array_remove(ARRAY[
           CASE WHEN g.attstorage <> t.typstorage THEN 'storage ' || CASE g.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
           CASE g.attcompression WHEN 'p' THEN 'compression pglz' WHEN 'l' THEN 'compression lz4' END,
           CASE WHEN g.attstattarget >= 0 THEN 'statistics ' || g.attstattarget END,
           CASE WHEN g.inherited THEN 'inherited' END,
           'options ' || g.attfdwoptions::text] || g.attoptions, NULL) END,
       g.atttypid, g.attcollation, g.places, g.granted
FROM (SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated, a.attcollation,
        a.attstorage, a.attcompression, a.attstattarget, a.attfdwoptions,
        CASE WHEN a.attoptions IS NOT NULL THEN nullif(ARRAY(SELECT o FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\_attver=%'), '{}') END AS attoptions,
        NOT a.attislocal AND NOT c.relispartition AS inherited,
        array_agg(a.attrelid::bigint * 65536 + a.attnum) AS places, bool_or(a.attacl IS NOT NULL) AS granted
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND c.relpersistence <> 't' AND c.oid >= 16384 AND a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND NOT starts_with(a.attname, '_mcp_migrate_undo_')
      GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13) g
JOIN pg_type t ON t.oid = g.atttypid

-- name: defaults
-- Of columns; one of what is stored alike is written. What names a column is no default but how it is generated, and is
-- among the expressions.
SELECT pg_get_expr((SELECT adbin FROM pg_attrdef WHERE oid = d.one), 0), d.places
FROM (SELECT max(oid::bigint)::oid AS one, array_agg(adrelid::bigint * 65536 + adnum) AS places
      FROM pg_attrdef WHERE adrelid >= 16384 AND strpos(adbin::text, '{VAR ') = 0 GROUP BY adbin::text) d

-- name: expressions
-- Checks, predicates of indexes and generated columns in the form in which they are stored, grouped by it.
SELECT 'check', conbin::text, array_agg(oid::bigint), array_agg(conrelid) FROM pg_constraint WHERE conrelid >= 16384 AND contype = 'c' GROUP BY 2
UNION ALL
SELECT 'predicate', indpred::text, array_agg(indexrelid::bigint), array_agg(indrelid) FROM pg_index WHERE indrelid >= 16384 AND indpred IS NOT NULL GROUP BY 2
UNION ALL
SELECT 'generated', adbin::text, array_agg(adrelid::bigint * 65536 + adnum), array_agg(adrelid) FROM pg_attrdef WHERE adrelid >= 16384 AND strpos(adbin::text, '{VAR ') > 0 GROUP BY 2

-- name: written
-- What the server writes for the expressions of the kinds $1 with the numbers $2.
SELECT e.kind, e.number, CASE e.kind
         WHEN 'check' THEN (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE oid = e.number::oid)
         WHEN 'predicate' THEN (SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = e.number::oid)
         ELSE (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = (e.number / 65536)::oid AND adnum = e.number % 65536) END
FROM ROWS FROM (unnest($1::text[]), unnest($2::bigint[])) AS e (kind, number)

-- name: comments
-- Of columns.
SELECT objoid::bigint * 65536 + objsubid, description FROM pg_description
WHERE classoid = 'pg_class'::regclass AND objsubid > 0 AND objoid >= 16384

-- name: constraints
-- Not-null constraints are left out: the column says it. So are the twins that a reference to a partitioned table has
-- for each partition: their names depend on the order in which things were made. The server writes the definition only
-- of what `definitions.py` cannot.
SELECT k.oid, k.conrelid, k.contype::text, k.conname, k.conkey,
       CASE WHEN k.contype = 'x' OR k.condeferrable OR NOT k.convalidated OR k.connoinherit AND k.contype = 'c' OR k.confmatchtype NOT IN ('s', ' ')
                 OR k.confdelsetcols IS NOT NULL -- 15
                 OR NOT k.conenforced OR k.conperiod -- 18
            THEN pg_get_constraintdef(k.oid) END,
       k.confrelid, CASE WHEN k.confrelid <> 0 THEN k.confrelid::regclass::text END, k.confkey,
       k.confupdtype::text, k.confdeltype::text,
       NOT k.conislocal AND NOT (SELECT r.relispartition FROM pg_class r WHERE r.oid = k.conrelid)
FROM pg_constraint k
WHERE k.conrelid >= 16384 AND k.contype IN ('p', 'f', 'u', 'c', 'x') AND k.conrelid NOT IN (SELECT oid FROM pg_class WHERE relpersistence = 't')
  AND NOT (k.contype = 'f' AND k.conparentid <> 0 AND EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid))
ORDER BY k.conrelid, k.contype, k.conname

-- name: remarks
-- What few constraints have: a comment, triggers or an index that are not as they were made. Few are found first, and
-- then told of; the server writes the definition where the index has more than keys.
WITH odd AS (
  SELECT tgconstraint, array_agg(DISTINCT concat_ws(' ', 'triggers', CASE WHEN g.tgrelid = k.conrelid THEN 'here' ELSE 'there' END,
           CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas' ELSE 'always' END)) AS options
  FROM pg_trigger g JOIN pg_constraint k ON k.oid = g.tgconstraint WHERE g.tgisinternal AND g.tgenabled <> 'O' GROUP BY 1
), special (number) AS (
  SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indexrelid >= 16384 AND (NOT i.indisvalid OR i.indnatts <> i.indnkeyatts OR c.reltablespace <> 0 OR c.reloptions IS NOT NULL OR c.relispartition
     OR i.indnullsnotdistinct -- 15
     )
), found (number) AS (
  SELECT tgconstraint FROM odd
  UNION SELECT objoid FROM pg_description WHERE classoid = 'pg_constraint'::regclass
  UNION SELECT k.oid FROM special s JOIN pg_constraint k ON k.conindid = s.number WHERE k.contype IN ('p', 'u', 'x')
)
SELECT k.oid,
       CASE WHEN k.contype <> 'f' AND (i.indnatts <> i.indnkeyatts
                 OR i.indnullsnotdistinct -- 15
            ) THEN pg_get_constraintdef(k.oid) END,
       array_remove(ARRAY[
         CASE WHEN k.contype IN ('p', 'u', 'x') AND NOT i.indisvalid THEN 'INVALID' END,
         CASE WHEN k.contype IN ('p', 'u', 'x') THEN 'tablespace ' || quote_ident(t.spcname) END,
         CASE WHEN k.contype IN ('p', 'u', 'x') THEN 'part of ' || h.inhparent::regclass::text END]
       || CASE WHEN k.contype IN ('p', 'u', 'x') THEN c.reloptions END || odd.options, NULL), d.description
FROM found JOIN pg_constraint k ON k.oid = found.number
LEFT JOIN pg_index i ON i.indexrelid = k.conindid LEFT JOIN pg_class c ON c.oid = k.conindid
LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace LEFT JOIN pg_inherits h ON h.inhrelid = k.conindid
LEFT JOIN odd ON odd.tgconstraint = k.oid
LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
WHERE k.conrelid >= 16384

-- name: classes
-- The operator class that is the default of each type: an index says only which it uses instead.
SELECT o.opcintype, o.oid FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod WHERE o.opcdefault AND m.amname = 'btree'

-- name: indexes
-- Indexes that a constraint made are part of that constraint. A definition is written by the server where an index is no
-- btree (403) of plain columns; of the others there are the keys, and `definitions.py` writes it.
SELECT i.indrelid, i.indexrelid, c.relname, quote_ident(c.relname), quote_ident(n.nspname) || '.' || quote_ident(r.relname),
       CASE WHEN c.relam <> 403 OR i.indexprs IS NOT NULL OR i.indnatts <> i.indnkeyatts OR c.relkind <> 'i' OR c.reloptions IS NOT NULL
                 OR i.indnullsnotdistinct -- 15
            THEN pg_get_indexdef(i.indexrelid) END,
       i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[], i.indoption::int2[], i.indpred IS NOT NULL, i.indisunique, i.indisvalid,
       CASE WHEN c.reltablespace <> 0 OR c.relispartition OR i.indexprs IS NOT NULL THEN
         array_remove(ARRAY['tablespace ' || (SELECT quote_ident(s.spcname) FROM pg_tablespace s WHERE s.oid = c.reltablespace),
                            'part of ' || (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = c.oid)]
         || ARRAY(SELECT 'statistics ' || t.attnum || ' ' || t.attstattarget FROM pg_attribute t
                  WHERE t.attrelid = c.oid AND t.attnum > 0 AND t.attstattarget >= 0 ORDER BY t.attnum), NULL) END, d.description
FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = i.indexrelid AND d.objsubid = 0
WHERE r.relkind IN ('r', 'p') AND r.relpersistence <> 't' AND i.indrelid >= 16384 AND NOT i.indisprimary
  AND i.indexrelid NOT IN (SELECT k.conindid FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, c.relname

-- name: definitions
-- Of the indexes $1.
SELECT o.oid, pg_get_indexdef(o.oid) FROM unnest($1::oid[]) AS o (oid)

-- name: estimates
-- What the last ANALYZE or VACUUM counted; a partitioned table is as large as its partitions, which are listed too.
SELECT n.nspname, c.relname, c.reltuples::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.reltuples > 0 AND c.oid >= 16384 AND n.nspname::text NOT IN ($1::text, $1::text || '_undo', $1::text || '_sealed')

-- name: countable
-- How many rows the table $2 in the schema $1 has by its statistics (-1: they say nothing); NULL where they may be counted.
SELECT CASE WHEN NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) THEN c.reltuples::bigint END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'f')
