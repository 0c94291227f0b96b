-- name: kinds
-- Which parts of the query `others` have something to find, or may have.
SELECT array_remove(ARRAY[
  CASE WHEN EXISTS (SELECT FROM pg_class WHERE relkind IN ('v', 'm') AND oid >= 16384) THEN 'views' END,
  CASE WHEN EXISTS (SELECT FROM pg_class WHERE relkind = 'S' AND oid >= 16384) THEN 'sequences' END,
  CASE WHEN EXISTS (SELECT FROM pg_type t WHERE oid >= 16384 AND (typtype NOT IN ('b', 'c', 'm', 'p') OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')
                      OR typtype IN ('b', 'p') AND oid NOT IN (SELECT typarray FROM pg_type))) THEN 'types' END,
  CASE WHEN EXISTS (SELECT FROM pg_proc WHERE oid >= 16384) THEN 'functions' END,
  CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal OR tgparentid <> 0) THEN 'triggers' END,
  CASE WHEN EXISTS (SELECT FROM pg_rewrite WHERE rulename <> '_RETURN' AND oid >= 16384) THEN 'rules' END,
  CASE WHEN EXISTS (SELECT FROM pg_policy) THEN 'policies' END,
  CASE WHEN
    EXISTS (SELECT FROM pg_collation WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_statistic_ext)
    OR EXISTS (SELECT FROM pg_operator WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_opfamily WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_opclass WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_cast WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_conversion WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_transform)
    OR EXISTS (SELECT FROM pg_am WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_language WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_ts_config WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_ts_dict WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_ts_parser WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_ts_template WHERE oid >= 16384)
    OR EXISTS (SELECT FROM pg_foreign_data_wrapper)
    OR EXISTS (SELECT FROM pg_event_trigger)
    OR EXISTS (SELECT FROM pg_publication)
    OR EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() AND d.oid IN (SELECT subdbid FROM pg_subscription))
    OR EXISTS (SELECT FROM pg_default_acl)
    OR EXISTS (SELECT FROM pg_extension WHERE extname <> 'plpgsql') THEN 'rarities' END], NULL)

-- name: others
-- Whatever is no table. Each part tells the catalog and number (for comments and grants), the relation whose columns
-- belong to it and the last number among them, kind, schema, name, definition, options, owner, and the table it is on; what only the whole database
-- holds has no schema. Left out: user mappings' options and subscriptions' connections, which hold secrets; security
-- labels; comments of extensions, which differ between versions; settings of the database and of roles.
-- What follows a line `-- when …` is asked only where there is such a thing: planning all of it takes longer than running it.
WITH ours AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname::text NOT IN ($1::text, $1::text || '_undo', $1::text || '_sealed') AND nspname !~ '^pg_t(oast|emp)'),
member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'),
usual AS (
  SELECT datdba AS role FROM pg_database WHERE datname = current_database()
  UNION SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relname = $3
),
things (class, oid, relation, kind, schema, name, definition, options, owner, "table") AS (
SELECT 'pg_namespace'::regclass, n.oid, NULL::oid, 'schema', '', n.nspname::text, 'schema', NULL::text[], CASE WHEN n.nspname <> 'public' OR n.nspowner NOT IN (10, 6171) THEN n.nspowner END, NULL::text
FROM ours n WHERE n.oid >= 16384 OR n.nspname = 'public'
-- when views
UNION ALL
SELECT 'pg_class'::regclass, c.oid, c.oid, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized_view' END, n.nspname::text, c.relname::text, pg_get_viewdef(c.oid),
       array_remove(ARRAY[CASE WHEN NOT c.relispopulated THEN 'not populated' END, 'tablespace ' || quote_ident(t.spcname),
         CASE WHEN m.amname <> 'heap' THEN 'using ' || quote_ident(m.amname) END, (SELECT 'cluster on ' || x.indexrelid::regclass::text FROM pg_index x WHERE x.indrelid = c.oid AND x.indisclustered)]
         || c.reloptions, NULL), c.relowner, NULL::text
FROM pg_class c JOIN ours n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace LEFT JOIN pg_am m ON m.oid = c.relam
WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384
UNION ALL
SELECT 'pg_class'::regclass, i.oid, NULL, 'index', n.nspname, i.relname, concat_ws(' ', CASE WHEN NOT x.indisvalid THEN 'INVALID' END, pg_get_indexdef(i.oid)),
       array_remove(ARRAY['tablespace ' || quote_ident(t.spcname)], NULL), NULL, n.nspname || '.' || c.relname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid JOIN ours n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = i.reltablespace
WHERE c.relkind = 'm' AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
-- when sequences
UNION ALL
SELECT 'pg_class'::regclass, c.oid, NULL, 'sequence', n.nspname, c.relname,
       concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'min', s.seqmin, 'max', s.seqmax, 'step', s.seqincrement, 'cache', s.seqcache,
                 CASE WHEN s.seqcycle THEN 'cycle' END, CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END), NULL, c.relowner, NULL
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN ours n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))
-- when types
UNION ALL
SELECT 'pg_type'::regclass, t.oid, CASE WHEN t.typtype = 'c' THEN t.typrelid END,
       CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite' WHEN 'r' THEN 'range' ELSE 'type' END, n.nspname, t.typname,
       CASE t.typtype
         WHEN 'e' THEN coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '')
         WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typcollation <> b.typcollation THEN 'collate ' || t.typcollation::regcollation::text END,
           CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
           (SELECT string_agg(concat_ws(' ', 'constraint', quote_ident(k.conname), pg_get_constraintdef(k.oid), 'comment ' || quote_literal(obj_description(k.oid, 'pg_constraint'))), ' ' ORDER BY k.conname)
            FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
         WHEN 'c' THEN coalesce((SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '')
         WHEN 'r' THEN concat_ws(' ', format_type(r.rngsubtype, NULL), nullif(r.rngcollation, 0)::regcollation::text,
           (SELECT concat_ws('.', quote_ident(z.nspname), quote_ident(o.opcname)) FROM pg_opclass o JOIN pg_namespace z ON z.oid = o.opcnamespace WHERE o.oid = r.rngsubopc),
           nullif(r.rngcanonical, 0)::regproc::text, nullif(r.rngsubdiff, 0)::regproc::text, 'multirange ' || r.rngmultitypid::regtype::text)
         ELSE concat_ws(' ', t.typinput::text, t.typoutput::text, t.typreceive::text, t.typsend::text, t.typmodin::text, t.typmodout::text, t.typanalyze::text, t.typlen, t.typbyval, t.typalign, t.typstorage,
           t.typcategory, t.typispreferred, t.typdelim, 'element ' || format_type(nullif(t.typelem, 0), NULL), 'default ' || t.typdefault, t.typcollation <> 0) END,
       NULL, t.typowner, NULL
FROM pg_type t JOIN ours n ON n.oid = t.typnamespace LEFT JOIN pg_type b ON b.oid = t.typbasetype LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.oid >= 16384 AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
  OR (t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_type a WHERE a.typarray = t.oid)))
-- when rarities
UNION ALL
SELECT 'pg_collation'::regclass, c.oid, NULL, 'collation', n.nspname, c.collname, concat_ws(' ', c.collprovider, CASE WHEN c.collprovider = 'c' THEN c.collcollate || ' ' || c.collctype
         ELSE coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate::text) END,
       'rules ' || (to_jsonb(c) ->> 'collicurules'), CASE WHEN NOT c.collisdeterministic THEN 'nondeterministic' END), NULL, c.collowner, NULL
FROM pg_collation c JOIN ours n ON n.oid = c.collnamespace WHERE c.oid >= 16384
UNION ALL
SELECT 'pg_statistic_ext'::regclass, s.oid, NULL, 'statistics', n.nspname, s.stxname, pg_get_statisticsobjdef(s.oid), CASE WHEN s.stxstattarget >= 0 THEN ARRAY['target ' || s.stxstattarget] END, s.stxowner, NULL
FROM pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'pg_operator'::regclass, o.oid, NULL, 'operator', n.nspname, o.oprname || '(' || concat_ws(', ', coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE'), format_type(nullif(o.oprright, 0), NULL)) || ')',
       concat_ws(' ', o.oprcode, format_type(nullif(o.oprresult, 0), NULL), 'commutator ' || nullif(o.oprcom, 0)::regoperator::text, 'negator ' || nullif(o.oprnegate, 0)::regoperator::text,
                 nullif(o.oprrest, 0), nullif(o.oprjoin, 0), CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END), NULL, o.oprowner, NULL
FROM pg_operator o JOIN ours n ON n.oid = o.oprnamespace WHERE o.oid >= 16384
UNION ALL
SELECT 'pg_opfamily'::regclass, f.oid, NULL, 'operator_family', n.nspname, f.opfname || ' using ' || m.amname,
       concat_ws('; ', (SELECT string_agg(concat_ws(' ', a.amopstrategy, a.amopopr::regoperator, a.amoppurpose, (SELECT s.opfname FROM pg_opfamily s WHERE s.oid = a.amopsortfamily)), ', ' ORDER BY a.amopstrategy, a.amopopr::regoperator::text) FROM pg_amop a WHERE a.amopfamily = f.oid),
                 (SELECT string_agg(concat_ws(' ', a.amprocnum, format_type(a.amproclefttype, NULL), format_type(a.amprocrighttype, NULL), a.amproc), ', ' ORDER BY a.amprocnum, format_type(a.amproclefttype, NULL), format_type(a.amprocrighttype, NULL)) FROM pg_amproc a WHERE a.amprocfamily = f.oid)), NULL, f.opfowner, NULL
FROM pg_opfamily f JOIN ours n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod WHERE f.oid >= 16384
UNION ALL
SELECT 'pg_opclass'::regclass, o.oid, NULL, 'operator_class', n.nspname, o.opcname || ' using ' || m.amname,
       concat_ws(' ', format_type(o.opcintype, NULL), 'family ' || f.opfname, 'storage ' || format_type(nullif(o.opckeytype, 0), NULL), CASE WHEN o.opcdefault THEN 'default' END), NULL, o.opcowner, NULL
FROM pg_opclass o JOIN ours n ON n.oid = o.opcnamespace JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_opfamily f ON f.oid = o.opcfamily WHERE o.oid >= 16384
UNION ALL
SELECT 'pg_cast'::regclass, c.oid, NULL, 'cast', '', format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
       concat_ws(' ', c.castmethod, nullif(c.castfunc, 0)::regprocedure, c.castcontext), NULL, NULL, NULL FROM pg_cast c
WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'i')
UNION ALL
SELECT 'pg_conversion'::regclass, c.oid, NULL, 'conversion', n.nspname, c.conname, concat_ws(' ', pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding), c.conproc, c.condefault), NULL, c.conowner, NULL
FROM pg_conversion c JOIN ours n ON n.oid = c.connamespace WHERE c.oid >= 16384
UNION ALL
SELECT 'pg_transform'::regclass, t.oid, NULL, 'transform', '', format('for %s language %s', format_type(t.trftype, NULL), l.lanname), concat_ws(' ', t.trffromsql, t.trftosql), NULL, NULL, NULL
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
UNION ALL
SELECT 'pg_am'::regclass, a.oid, NULL, 'access_method', '', a.amname, concat_ws(' ', a.amtype, a.amhandler), NULL, NULL, NULL FROM pg_am a WHERE a.oid >= 16384
UNION ALL
SELECT 'pg_language'::regclass, l.oid, NULL, 'language', '', l.lanname, concat_ws(' ', l.lanpltrusted, nullif(l.lanplcallfoid, 0)::regprocedure, nullif(l.laninline, 0)::regprocedure, nullif(l.lanvalidator, 0)::regprocedure), NULL, l.lanowner, NULL
FROM pg_language l WHERE l.oid >= 16384
UNION ALL
SELECT 'pg_ts_config'::regclass, c.oid, NULL, 'text_search_configuration', n.nspname, c.cfgname,
       concat_ws(' ', (SELECT p.prsname FROM pg_ts_parser p WHERE p.oid = c.cfgparser), (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapdict::regdictionary::text), ', ' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = c.oid)), NULL, c.cfgowner, NULL
FROM pg_ts_config c JOIN ours n ON n.oid = c.cfgnamespace WHERE c.oid >= 16384
UNION ALL
SELECT 'pg_ts_dict'::regclass, d.oid, NULL, 'text_search_dictionary', n.nspname, d.dictname, concat_ws(' ', (SELECT t.tmplname FROM pg_ts_template t WHERE t.oid = d.dicttemplate), d.dictinitoption), NULL, d.dictowner, NULL
FROM pg_ts_dict d JOIN ours n ON n.oid = d.dictnamespace WHERE d.oid >= 16384
UNION ALL
SELECT 'pg_ts_parser'::regclass, p.oid, NULL, 'text_search_parser', n.nspname, p.prsname, concat_ws(' ', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype), NULL, NULL, NULL
FROM pg_ts_parser p JOIN ours n ON n.oid = p.prsnamespace WHERE p.oid >= 16384
UNION ALL
SELECT 'pg_ts_template'::regclass, t.oid, NULL, 'text_search_template', n.nspname, t.tmplname, concat_ws(' ', t.tmplinit, t.tmpllexize), NULL, NULL, NULL
FROM pg_ts_template t JOIN ours n ON n.oid = t.tmplnamespace WHERE t.oid >= 16384
UNION ALL
SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, NULL, 'foreign_data_wrapper', '', f.fdwname, concat_ws(' ', nullif(f.fdwhandler, 0)::regprocedure, nullif(f.fdwvalidator, 0)::regprocedure), f.fdwoptions, f.fdwowner, NULL FROM pg_foreign_data_wrapper f
UNION ALL
SELECT 'pg_foreign_server'::regclass, s.oid, NULL, 'server', '', s.srvname, concat_ws(' ', f.fdwname, 'type ' || quote_literal(s.srvtype), 'version ' || quote_literal(s.srvversion)), s.srvoptions, s.srvowner, NULL
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
UNION ALL
SELECT 'pg_user_mapping'::regclass, NULL, NULL, 'user_mapping', '', format('for %s server %s', coalesce(nullif(u.usename, 'public'), 'PUBLIC'), u.srvname), 'options are not read', NULL, NULL, NULL FROM pg_user_mappings u
UNION ALL
SELECT 'pg_event_trigger'::regclass, e.oid, NULL, 'event_trigger', '', e.evtname, concat_ws(' ', e.evtevent, e.evtfoid::regprocedure, e.evttags::text, e.evtenabled), NULL, e.evtowner, NULL FROM pg_event_trigger e
UNION ALL
SELECT 'pg_publication'::regclass, p.oid, NULL, 'publication', '', p.pubname, concat_ws(' ', CASE WHEN p.puballtables THEN 'for all tables' END,
         CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END, CASE WHEN p.pubviaroot THEN 'via root' END,
         'generated ' || nullif(to_jsonb(p) ->> 'pubgencols', 'n')),
       ARRAY(SELECT concat_ws(' ', 'table', r.prrelid::regclass
           , (SELECT '(' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) || ')' FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)), 'where ' || pg_get_expr(r.prqual, r.prrelid) -- 15
         ) FROM pg_publication_rel r WHERE r.prpubid = p.oid)
       || ARRAY(SELECT 'schema ' || s.pnnspid::regnamespace::text FROM pg_publication_namespace s WHERE s.pnpubid = p.oid) -- 15
       , p.pubowner, NULL FROM pg_publication p
UNION ALL
SELECT 'pg_subscription'::regclass, s.oid, NULL, 'subscription', '', s.subname, concat_ws(' ', s.subenabled, s.subslotname, s.subsynccommit, s.subpublications::text), NULL, s.subowner, NULL
FROM pg_subscription s WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
UNION ALL
SELECT 'pg_default_acl'::regclass, a.oid, NULL, 'default_privileges', coalesce(n.nspname, ''),
       concat_ws(' ', CASE a.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
                 'made by', quote_ident(pg_get_userbyid(a.defaclrole))), 'default privileges', NULL, NULL, NULL
FROM pg_default_acl a LEFT JOIN ours n ON n.oid = a.defaclnamespace
UNION ALL
SELECT 'pg_extension'::regclass, NULL, NULL, 'extension', n.nspname, e.extname, e.extversion, NULL, NULL, NULL FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'
-- when functions
UNION ALL
SELECT 'pg_proc'::regclass, p.oid, NULL, CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, n.nspname,
       p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
       CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (SELECT (to_jsonb(a) - 'aggfnoid' - 'aggtranstype' - 'aggmtranstype' - 'aggsortop' || jsonb_build_object(
         'arguments', pg_get_function_arguments(p.oid), 'returns', format_type(p.prorettype, NULL), 'state', format_type(a.aggtranstype, NULL), 'moving', format_type(nullif(a.aggmtranstype, 0), NULL),
         'sort', nullif(a.aggsortop, 0)::regoperator::text, 'parallel', p.proparallel))::text FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END, NULL, p.proowner, NULL
FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
-- when triggers
UNION ALL
SELECT 'pg_trigger'::regclass, t.oid, NULL, 'trigger', n.nspname, t.tgname, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text, NULL, NULL, n.nspname || '.' || c.relname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN ours n ON n.oid = c.relnamespace
WHERE (NOT t.tgisinternal OR (t.tgparentid <> 0 AND t.tgname !~ '^RI_ConstraintTrigger_')) AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
-- when rules
UNION ALL
SELECT 'pg_rewrite'::regclass, r.oid, NULL, 'rule', n.nspname, r.rulename, pg_get_ruledef(r.oid) || ' ' || r.ev_enabled::text, NULL, NULL, n.nspname || '.' || c.relname
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN ours n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND r.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
-- when policies
UNION ALL
SELECT 'pg_policy'::regclass, p.oid, NULL, 'policy', n.nspname, p.polname,
       concat_ws(' ', p.polcmd, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'to ' || (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY 1) FROM unnest(p.polroles) r),
                 'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid)), NULL, NULL, n.nspname || '.' || c.relname
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN ours n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
-- when anything
)
SELECT t.class::text, t.oid, t.relation, (SELECT c.relnatts FROM pg_class c WHERE c.oid = t.relation), t.kind, t.schema, t.name, t.definition, t.options,
       CASE WHEN t.owner NOT IN (SELECT role FROM usual) THEN pg_get_userbyid(t.owner)::text END, t."table", nullif(d.description, CASE WHEN t.kind = 'schema' AND t.name = 'public' THEN 'standard public schema' END)
FROM things t LEFT JOIN pg_description d ON d.classoid = t.class AND d.objoid = t.oid AND d.objsubid = 0
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = t.class AND m.objid = t.oid)
ORDER BY t.kind, t.schema, t.name, t."table"
