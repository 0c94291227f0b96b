-- name: grants
-- What was granted beyond, or taken from, what an owner and PUBLIC have by themselves, by catalog, number and column.
-- All rights of a kind are called ALL, for a version can have more of them than another. An empty list cannot be exploded.
-- $1 says whether something was granted on any column: then all of them are gone through.
WITH lists (class, oid, sub, kind, owner, acl, base) AS (
  SELECT 'pg_class', oid, 0, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END, relowner, relacl, NULL::aclitem[] FROM pg_class WHERE relacl IS NOT NULL AND oid >= 16384
  UNION ALL
  SELECT 'pg_class', a.attrelid, a.attnum, 'c', c.relowner, a.attacl, NULL
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE $1 AND a.attacl IS NOT NULL AND a.attrelid >= 16384 AND c.oid >= 16384 AND NOT a.attisdropped
  UNION ALL
  SELECT 'pg_proc', oid, 0, 'f', proowner, proacl, NULL FROM pg_proc WHERE proacl IS NOT NULL AND oid >= 16384
  UNION ALL
  SELECT 'pg_type', oid, 0, 'T', typowner, typacl, NULL FROM pg_type WHERE typacl IS NOT NULL AND oid >= 16384
  UNION ALL
  SELECT 'pg_language', oid, 0, 'l', lanowner, lanacl, NULL FROM pg_language WHERE lanacl IS NOT NULL AND oid >= 16384
  UNION ALL
  SELECT 'pg_foreign_data_wrapper', oid, 0, 'F', fdwowner, fdwacl, NULL FROM pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL
  UNION ALL
  SELECT 'pg_foreign_server', oid, 0, 'S', srvowner, srvacl, NULL FROM pg_foreign_server WHERE srvacl IS NOT NULL
  UNION ALL
  SELECT 'pg_namespace', n.oid, 0, 'n', n.nspowner, n.nspacl, i.initprivs
  FROM pg_namespace n LEFT JOIN pg_init_privs i ON i.classoid = 'pg_namespace'::regclass AND i.objoid = n.oid
  WHERE n.nspacl IS NOT NULL AND (n.oid >= 16384 OR n.nspname = 'public')
  UNION ALL
  SELECT 'pg_default_acl', oid, 0, CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype::text END, defaclrole, defaclacl, CASE WHEN defaclnamespace <> 0 THEN '{}'::aclitem[] END
  FROM pg_default_acl
), rights AS (
  SELECT l.class, l.oid, l.sub, w.word, l.kind, l.owner, a.grantee, a.grantor, a.is_grantable, array_agg(a.privilege_type ORDER BY a.privilege_type) AS rights
  FROM lists l CROSS JOIN (VALUES ('grant'), ('revoke')) AS w (word)
  CROSS JOIN LATERAL (SELECT nullif(coalesce(l.base, acldefault(l.kind::"char", l.owner)), '{}') AS base, nullif(l.acl, '{}') AS acl) b
  CROSS JOIN LATERAL (
    SELECT * FROM aclexplode(CASE w.word WHEN 'grant' THEN b.acl ELSE b.base END)
    EXCEPT SELECT * FROM aclexplode(CASE w.word WHEN 'grant' THEN b.base ELSE b.acl END)) a
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
SELECT r.class, r.oid, r.sub, array_agg(concat_ws(' ', r.word,
         CASE WHEN r.kind <> 'c' AND r.rights @> f.rights THEN 'ALL' ELSE array_to_string(r.rights, ', ') END,
         CASE r.word WHEN 'grant' THEN 'to' ELSE 'from' END,
         CASE r.grantee WHEN 0 THEN 'PUBLIC' WHEN r.owner THEN 'OWNER' ELSE quote_ident(pg_get_userbyid(r.grantee)) END,
         CASE WHEN r.is_grantable THEN 'with grant option' END,
         CASE WHEN r.grantor <> r.owner THEN 'by ' || quote_ident(pg_get_userbyid(r.grantor)) END))
FROM rights r
CROSS JOIN LATERAL (SELECT coalesce(array_agg(d.privilege_type), '{}') AS rights FROM aclexplode(nullif(acldefault(r.kind::"char", r.owner), '{}')) d WHERE d.grantee = r.owner) f
GROUP BY 1, 2, 3
