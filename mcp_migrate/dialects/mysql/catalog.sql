-- name: database
SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = %s

-- name: tables
SELECT t.table_name, t.table_type, t.engine, t.table_collation, t.create_options, t.table_comment
FROM information_schema.tables t WHERE t.table_schema = %s ORDER BY t.table_name

-- name: partitions
SELECT p.table_name, p.partition_name, p.subpartition_name, p.partition_method, p.subpartition_method,
       p.partition_expression, p.subpartition_expression, p.partition_description
FROM information_schema.partitions p WHERE p.table_schema = %s AND p.partition_name IS NOT NULL
ORDER BY p.table_name, p.partition_ordinal_position, p.subpartition_ordinal_position

-- name: columns
SELECT c.table_name, c.column_name, c.column_type, c.is_nullable, c.column_default, c.extra, c.generation_expression,
       c.collation_name, c.column_comment
FROM information_schema.columns c WHERE c.table_schema = %s ORDER BY c.table_name, c.ordinal_position

-- name: indexes
-- Primary keys and unique constraints are indexes too.
SELECT s.table_name, s.index_name, s.non_unique, s.index_type, s.column_name, s.sub_part, s.collation, s.index_comment,
       NULL, s.ignored = 'YES'
FROM information_schema.statistics s WHERE s.table_schema = %s ORDER BY s.table_name, s.index_name, s.seq_in_index

-- name: indexes of MySQL
-- Keys can be expressions, and an index can be invisible.
SELECT s.table_name, s.index_name, s.non_unique, s.index_type, s.column_name, s.sub_part, s.collation, s.index_comment,
       s.expression, s.is_visible = 'NO'
FROM information_schema.statistics s WHERE s.table_schema = %s ORDER BY s.table_name, s.index_name, s.seq_in_index

-- name: references
SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name,
       k.referenced_column_name, r.update_rule, r.delete_rule
FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
  ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
WHERE k.table_schema = %s AND k.referenced_table_name IS NOT NULL
ORDER BY k.table_name, k.constraint_name, k.ordinal_position

-- name: checks
SELECT c.table_name, c.constraint_name, c.check_clause, NULL
FROM information_schema.check_constraints c WHERE c.constraint_schema = %s ORDER BY c.table_name, c.constraint_name

-- name: checks of MySQL
SELECT t.table_name, c.constraint_name, c.check_clause, t.enforced
FROM information_schema.check_constraints c JOIN information_schema.table_constraints t
  ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name AND t.constraint_type = 'CHECK'
WHERE c.constraint_schema = %s ORDER BY t.table_name, c.constraint_name

-- name: views
SELECT v.table_name, v.view_definition, v.check_option, v.security_type
FROM information_schema.views v WHERE v.table_schema = %s ORDER BY v.table_name

-- name: triggers
SELECT g.trigger_name, g.event_object_table, g.action_timing, g.event_manipulation, g.action_order, g.action_statement,
       g.sql_mode
FROM information_schema.triggers g WHERE g.trigger_schema = %s ORDER BY g.trigger_name

-- name: routines
SELECT r.specific_name, r.routine_type, r.dtd_identifier, r.routine_definition, r.is_deterministic, r.sql_data_access,
       r.security_type, r.sql_mode, r.routine_comment
FROM information_schema.routines r WHERE r.routine_schema = %s ORDER BY r.routine_type, r.specific_name

-- name: parameters
SELECT p.specific_name, p.routine_type, p.parameter_mode, p.parameter_name, p.dtd_identifier
FROM information_schema.parameters p WHERE p.specific_schema = %s AND p.ordinal_position > 0
ORDER BY p.routine_type, p.specific_name, p.ordinal_position

-- name: events
-- When it starts is left out: unless it is told, that is the moment at which it was made.
SELECT e.event_name, e.event_type, e.interval_value, e.interval_field, e.on_completion, e.status, e.event_definition,
       e.sql_mode, e.event_comment
FROM information_schema.events e WHERE e.event_schema = %s ORDER BY e.event_name

-- name: estimates
SELECT t.table_name, t.table_rows FROM information_schema.tables t
WHERE t.table_schema = %s AND t.table_rows IS NOT NULL AND t.table_type <> 'VIEW'

-- name: present
SELECT t.table_schema, t.table_name FROM information_schema.tables t
WHERE t.table_schema = %s AND t.table_name = %s AND t.table_type <> 'VIEW'

-- name: view names
SELECT v.table_name FROM information_schema.views v WHERE v.table_schema = %s ORDER BY v.table_name

-- name: kept
-- The size is that of now; times have the form that other databases give them.
SELECT u.`key`, u.place, u.source, u.`columns`, u.method, DATE_FORMAT(u.kept_at, '%%Y-%%m-%%dT%%H:%%i:%%sZ'),
       DATE_FORMAT(u.until, '%%Y-%%m-%%dT%%H:%%i:%%sZ'), u.`rows`, t.data_length + t.index_length,
       u.until <= utc_timestamp()
FROM _mcp_migrate_undo u LEFT JOIN information_schema.tables t
  ON t.table_schema = %s AND CONCAT('`', t.table_name, '`') = u.place
ORDER BY u.kept_at, u.place
