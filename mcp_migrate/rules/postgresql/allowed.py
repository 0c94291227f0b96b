"""Which parts of a statement are understood? Whatever node or field is not listed here makes it unknown."""

from __future__ import annotations

_SHAPES = """
A_ArrayExpr elements list_start list_end location
A_Const ival fval boolval sval bsval isnull location
A_Expr kind name lexpr rexpr rexpr_list_start rexpr_list_end location
A_Indices is_slice lidx uidx
A_Indirection arg indirection
A_Star
Alias aliasname colnames
AlterDomainStmt subtype type_name name def behavior missing_ok
AlterEnumStmt type_name new_val new_val_neighbor new_val_is_after skip_if_new_val_exists
AlterSeqStmt sequence options for_identity missing_ok
AlterTableCmd subtype name num newowner def behavior missing_ok recurse
AlterTableStmt relation cmds objtype missing_ok
BitString bsval
BoolExpr boolop args location
Boolean boolval
BooleanTest arg booltesttype location
CaseExpr arg args defresult location
CaseWhen expr result location
CoalesceExpr args location
CollateClause arg collname location
ColumnDef colname type_name compression storage_name is_local is_not_null raw_default coll_clause constraints location
ColumnRef fields location
CommentStmt objtype object comment
CommonTableExpr ctename aliascolnames ctematerialized ctequery location cterecursive
CompositeTypeStmt typevar coldeflist
CreateDomainStmt domainname type_name coll_clause constraints
CreateEnumStmt type_name vals
CreateRangeStmt type_name params
CreateSchemaStmt schemaname authrole if_not_exists
CreateSeqStmt sequence options if_not_exists
CreateStatsStmt defnames stat_types exprs relations if_not_exists
CreateStmt relation table_elts inh_relations partbound partspec constraints options oncommit if_not_exists
CreateTableAsStmt query into objtype is_select_into if_not_exists
DefElem defname arg defaction location
DeleteStmt relation using_clause where_clause returning_clause with_clause
DropStmt objects remove_type behavior missing_ok concurrent
Float fval
GroupingFunc args refs location
GroupingSet kind content location
IndexElem name expr indexcolname collation opclass ordering nulls_ordering
InferClause index_elems where_clause conname location
InsertStmt relation cols select_stmt on_conflict_clause returning_clause with_clause override
Integer ival
IntoClause rel col_names options on_commit skip_data
JoinExpr jointype is_natural larg rarg using_clause join_using_alias quals alias rtindex
List items
MergeStmt relation source_relation join_condition merge_when_clauses returning_clause with_clause
MergeWhenClause match_kind command_type override condition target_list values
MinMaxExpr op args location
NamedArgExpr arg name argnumber location
NullTest arg nulltesttype location
OnConflictClause action infer target_list where_clause location
ParamRef number location
PartitionBoundSpec strategy is_default modulus remainder listdatums lowerdatums upperdatums location
PartitionCmd name bound concurrent
PartitionElem name expr collation opclass location
PartitionSpec strategy part_params location
RangeFunction lateral ordinality is_rowsfrom functions alias coldeflist
RangeSubselect lateral subquery alias
RangeVar schemaname relname inh relpersistence alias location
RenameStmt rename_type relation_type relation object subname newname behavior missing_ok
ReplicaIdentityStmt identity_type name
ResTarget name indirection val location
ReturningClause exprs
RoleSpec roletype rolename location
RowExpr args row_format colnames location
SQLValueFunction op typmod location
SetToDefault location
SortBy node sortby_dir sortby_nulls location
StatsElem name expr
String sval
SubLink sub_link_type testexpr oper_name subselect location
TableLikeClause relation options
TruncateStmt relations restart_seqs behavior
TypeCast arg type_name location
TypeName names typmods typemod array_bounds location
UpdateStmt relation target_list where_clause from_clause returning_clause with_clause
ViewStmt view aliases query with_check_option
WindowDef name refname partition_clause order_clause frame_options start_offset end_offset location
WithClause ctes recursive location
"""

_LONG_SHAPES = {
    "ATAlterConstraint": "conname alter_enforceability is_enforced alter_deferrability deferrable initdeferred"
    " alter_inheritability noinherit",
    "FuncCall": "funcname args agg_order agg_filter over agg_within_group agg_star agg_distinct func_variadic"
    " funcformat location",
    "SelectStmt": "distinct_clause target_list from_clause where_clause group_clause group_distinct having_clause"
    " window_clause values_lists sort_clause limit_offset limit_count limit_option with_clause op all larg rarg",
    "Constraint": "contype conname deferrable initdeferred is_enforced skip_validation initially_valid is_no_inherit"
    " raw_expr generated_when generated_kind nulls_not_distinct keys without_overlaps"
    " including exclusions options indexname access_method where_clause"
    " pktable fk_attrs"
    " pk_attrs fk_matchtype fk_upd_action fk_del_action fk_del_set_cols location",
    "IndexStmt": "idxname relation access_method index_params index_including_params options where_clause unique"
    " nulls_not_distinct concurrent if_not_exists",
}

FIELDS: dict[str, frozenset[str]] = {
    line.partition(" ")[0]: frozenset(line.split()[1:]) for line in _SHAPES.strip().splitlines()
} | {name: frozenset(fields.split()) for name, fields in _LONG_SHAPES.items()}

OPTIONS = frozenset(
    "fillfactor deduplicate_items fastupdate pages_per_range autosummarize lists m ef_construction"  # indexes
    " toast_tuple_target parallel_workers vacuum_truncate vacuum_index_cleanup log_autovacuum_min_duration"  # tables
    " autovacuum_enabled autovacuum_vacuum_threshold autovacuum_vacuum_scale_factor autovacuum_analyze_threshold"
    " autovacuum_analyze_scale_factor autovacuum_vacuum_insert_threshold autovacuum_vacuum_insert_scale_factor"
    " autovacuum_vacuum_cost_delay autovacuum_vacuum_cost_limit autovacuum_vacuum_max_threshold"
    " autovacuum_freeze_min_age autovacuum_freeze_max_age autovacuum_freeze_table_age"
    " autovacuum_multixact_freeze_min_age autovacuum_multixact_freeze_max_age"
    " autovacuum_multixact_freeze_table_age n_distinct n_distinct_inherited buffering gin_pending_list_limit"
    " generated"  # an identity column
    " start increment minvalue maxvalue cache cycle as restart sequence_name owned_by".split()  # sequences
)
"""Options that only tune storage or shape a new sequence."""

ACCESS_METHODS = frozenset({"btree", "hash", "gin", "gist", "brin", "spgist", "ivfflat", "hnsw"})


def word_set(text: str) -> frozenset[str]:
    """The words of `text`: a list that grows should read as one."""
    return frozenset(text.split())


OPERATORS = word_set(
    """
    = <> < <= > >= + - * / % ^ & | # ~ << >> || ~~ !~~ ~~* !~~* ~* !~ !~* -> ->> #> #>> @> <@ ? ?| ?& && #- @@
    """
) | {"BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC", "NOT BETWEEN SYMMETRIC"}

TYPES = word_set(
    """
    bool boolean int2 int4 int8 smallint int integer bigint float4 float8 real numeric decimal money char bpchar
    varchar text name bytea uuid json jsonb jsonpath xml date time timetz timestamp timestamptz interval bit
    varbit inet cidr macaddr macaddr8 point line lseg box path polygon circle tsvector tsquery oid regclass
    int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange
    tsmultirange tstzmultirange datemultirange
    """
)

SERIALS = word_set(
    """
    serial serial2 serial4 serial8 bigserial smallserial
    """
)

STEADY_FUNCTIONS = word_set(
    """
    now current_timestamp transaction_timestamp statement_timestamp current_date localtimestamp timezone
    date_trunc date_part extract age to_char to_date to_timestamp to_number make_date make_interval
    make_timestamp make_timestamptz make_time date_bin isfinite justify_days justify_hours justify_interval
    overlaps lower upper length char_length character_length octet_length bit_length trim btrim ltrim rtrim lpad
    rpad substring substr position strpos replace translate concat concat_ws left right repeat reverse
    split_part initcap starts_with ascii chr md5 sha256 sha512 encode decode to_hex format quote_literal
    quote_ident quote_nullable regexp_replace regexp_match regexp_matches regexp_like regexp_count regexp_substr
    regexp_split_to_array string_to_array array_to_string overlay normalize convert_to convert_from like_escape
    similar_to_escape abs ceil ceiling floor round trunc mod power sqrt exp ln log sign greatest least div cbrt
    degrees radians pi array_length array_position array_positions array_append array_prepend array_cat
    array_remove array_replace array_ndims array_upper array_lower cardinality unnest generate_series
    generate_subscripts json_build_object json_build_array jsonb_build_object jsonb_build_array to_json to_jsonb
    row_to_json json_array_length jsonb_array_length json_typeof jsonb_typeof jsonb_set jsonb_insert
    jsonb_strip_nulls json_strip_nulls jsonb_pretty json_extract_path json_extract_path_text jsonb_extract_path
    jsonb_extract_path_text jsonb_array_elements jsonb_array_elements_text json_array_elements
    json_array_elements_text jsonb_each jsonb_each_text json_each json_each_text jsonb_object_keys
    json_object_keys jsonb_path_exists jsonb_path_query jsonb_exists num_nulls num_nonnulls count sum avg min
    max array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg bool_and bool_or every bit_and
    bit_or stddev stddev_pop stddev_samp variance var_pop var_samp percentile_cont percentile_disc mode
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
    to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery setweight ts_rank version
    current_database current_schema current_user session_user pg_typeof nullif coalesce
    """
)

FRESH_FUNCTIONS = word_set(
    """
    gen_random_uuid uuidv4 uuidv7 random clock_timestamp timeofday
    """
)
"""Harmless, but another value for each row."""

CATALOGS = word_set(
    """
    pg_class pg_namespace pg_attribute pg_attrdef pg_type pg_enum pg_index pg_constraint pg_indexes pg_tables
    pg_views pg_matviews pg_sequences pg_extension pg_description pg_inherits pg_depend
    """
)
"""System tables that hold shapes, not secrets."""
