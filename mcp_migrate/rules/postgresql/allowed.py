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
ViewStmt view aliases query replace with_check_option
WindowDef name refname partition_clause order_clause frame_options start_offset end_offset location
WithClause ctes recursive location
"""

_LONG_SHAPES = {
    "ATAlterConstraint": "conname alter_enforceability is_enforced alter_deferrability deferrable initdeferred"
    " alter_inheritability noinherit",
    "FuncCall": "funcname args agg_order agg_filter over agg_within_group agg_star agg_distinct func_variadic"
    " funcformat location",
    "SelectStmt": "distinct_clause target_list from_clause where_clause group_clause group_distinct having_clause"
    " window_clause values_lists sort_clause limit_offset limit_count limit_option locking_clause with_clause op all"
    " larg rarg",
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
    varbit inet cidr macaddr macaddr8 point line lseg box path polygon circle tsvector tsquery oid oidvector int2vector
    regclass regproc regprocedure regtype regrole regnamespace regoper regoperator regconfig regdictionary
    regcollation pg_lsn pg_snapshot txid_snapshot xid xid8 cid tid refcursor aclitem unknown
    int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange
    tsmultirange tstzmultirange datemultirange
    """
)

SERIALS = word_set(
    """
    serial serial2 serial4 serial8 bigserial smallserial
    """
)

CATALOGS = word_set(
    """
    pg_class pg_namespace pg_attribute pg_attrdef pg_type pg_enum pg_index pg_constraint pg_indexes pg_tables
    pg_views pg_matviews pg_sequences pg_extension pg_description pg_inherits pg_depend pg_proc pg_trigger
    pg_rewrite pg_rules pg_policy pg_policies pg_roles pg_database pg_tablespace pg_am pg_amop pg_amproc pg_opclass
    pg_opfamily pg_operator pg_cast pg_collation pg_conversion pg_language pg_range pg_partitioned_table
    pg_publication pg_publication_rel pg_publication_tables pg_event_trigger pg_sequence pg_shdepend
    pg_shdescription pg_seclabel pg_ts_config pg_ts_dict pg_available_extensions pg_timezone_names
    pg_stat_user_tables pg_stat_user_indexes pg_stat_all_tables pg_stat_all_indexes pg_auth_members
    pg_init_privs pg_default_acl pg_aggregate pg_statistic_ext
    """
)
"""System tables that hold shapes, not secrets."""
